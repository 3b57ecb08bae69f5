"""Can you tell our people from photographs? A blind test page, and numbers.

    python tools/turing_sheet.py --photographs ANNOTATIONS.json:IMAGES_DIR --ours DATASET --out OUT

Both are cropped by one rule: a square around the labelled joints, inside the image, scaled to 96 px
and saved as JPEG. OUT gets pages (`page-1.png` …, crops in random order), `key.json` (which crop is
which, for you and for experiments/domain_gap.py) and `distances.md`: by statistic the means, and
how far the distribution of ours lies from that of the photographs, beside the distance between
halves of the photographs, which is the floor.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import Window, joints_to_crop
from repogen.coco.images import read_crop, with_true_sizes
from repogen.datasets.sets import read_set, take_uniformly

SIDE = 96
"""Pixels of a crop."""

PADDING = 1.3
"""Side of a crop relative to the longer side of the box of the joints: LSPet's have no face."""

LEAST_JOINTS = 10
"""Labelled joints below the neck, of 12, without which a person is left out."""

QUALITY = 90
"""JPEG quality of all crops."""

ROWS, COLUMNS = 8, 12
"""Crops on a page."""

SPLITS = 20
"""Random halves of the photographs that a distance is the mean of."""

TORSO, THIGHS = (5, 6, 12, 11), ((11, 13), (12, 14))
"""Joints, in COCO's order, between which clothes are looked at."""

EDGE = 13
"""Thickness, in pixels, of the line around a crop that shows the background; half is outside."""

OF_PARTS = ("L*", "spread of L*", "chroma", "log sharpness")
"""Statistics of parts of a crop."""

LEAST_PIXELS = 20
"""Pixels of a part below which it counts as not seen."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photographs", required=True, help="ANNOTATIONS.json:IMAGES_DIR")
    parser.add_argument("--ours", required=True, help="a dataset of repogen")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, default=600, help="most of each kind")
    parser.add_argument("--pages", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    pictures, key, values = [], [], {}
    for kind in ("photographs", "ours"):
        found, people, values[kind] = measure(f"{kind}={vars(options)[kind]}", options.people)
        pictures += found
        key += people
    draw_pages(options.out, pictures, key, options.pages, rng)
    (options.out / "key.json").write_text(json.dumps(key, indent=1) + "\n")
    text = table(values["photographs"], values["ours"], rng)
    (options.out / "distances.md").write_text(text)
    print(text, end="")


def measure(
    spec: str, most: int
) -> tuple[list[np.ndarray], list[dict[str, Any]], dict[str, np.ndarray]]:
    """Crops of at most so many people of a set, what the key says of each, and the statistics."""
    people, windows = usable(spec)
    crops, key, rows = [], [], []
    for i in take_uniformly(np.arange(len(people)), most).tolist():
        (x, y), (side, _) = windows[i].center, windows[i].size
        key.append({"kind": people.name, "file": str(people.path(i)), "window": (x, y, side)})
        crops.append(crop(people, i, windows[i]))
        rows.append(statistics(crops[-1], parts_of(people, i, windows[i])))
    return crops, key, {name: np.array([row[name] for row in rows]) for name in rows[0]}


def draw_pages(
    out: Path, pictures: list[np.ndarray], key: list[dict[str, Any]], pages: int,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Write pages of equally many crops of each kind, in random order; the key gets page, row and
    column of those shown."""
    kinds = np.array([person["kind"] for person in key])
    of_kind = [rng.permutation(np.flatnonzero(kinds == kind)) for kind in np.unique(kinds)]
    order = rng.permutation(np.concatenate([i[: min(map(len, of_kind))] for i in of_kind]))
    per_page = ROWS * COLUMNS
    for page in range(min(pages, len(order) // per_page)):
        shown = order[page * per_page : (page + 1) * per_page].tolist()
        for place, i in enumerate(shown):
            key[i]["page"] = (page + 1, place // COLUMNS + 1, place % COLUMNS + 1)
        cv2.imwrite(str(out / f"page-{page + 1}.png"), grid([pictures[i] for i in shown]))


def usable(spec: str) -> tuple[PersonAnnotations, list[Window]]:
    """The people of a set who are shown, with the window of each."""
    people = with_true_sizes(read_set(spec))
    windows = [
        square(keypoints, size)
        for keypoints, size in zip(people.keypoints, people.sizes[people.image], strict=True)
    ]
    kept = [i for i, window in enumerate(windows) if window is not None]
    return people.take(kept), [window for window in windows if window is not None]


def square(keypoints: np.ndarray, size: np.ndarray) -> Window | None:
    """The square around labelled joints (17, 3) that lies inside an image of this width and height.

    None where it does not fit, would be enlarged, or where too few joints are labelled.
    """
    labelled = keypoints[5:][keypoints[5:, 2] > 0, :2]
    if len(labelled) < LEAST_JOINTS:
        return None
    low, high = labelled.min(axis=0), labelled.max(axis=0)
    side = PADDING * float((high - low).max())
    if not SIDE <= side <= size.min():
        return None
    center = np.clip((low + high) / 2, side / 2, size - side / 2)
    return Window((float(center[0]), float(center[1])), (side, side))


def crop(people: PersonAnnotations, person: int, window: Window) -> np.ndarray:
    """The crop of a person after JPEG, BGR (SIDE, SIDE, 3)."""
    picture = read_crop(people, int(people.image[person]), window, (SIDE, SIDE))
    saved = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return cv2.imdecode(saved, cv2.IMREAD_COLOR)


def parts_of(people: PersonAnnotations, person: int, window: Window) -> dict[str, np.ndarray]:
    """Pixels (SIDE, SIDE) of a crop on the trunk, between shoulders and hips, on the thighs, and at
    the crop's edge, where the background is; none where a joint of a part is not labelled."""
    joints = joints_to_crop(people.keypoints[person], window, (SIDE, SIDE))
    at = joints[:, :2].round().astype(np.int32)
    out = {part: np.zeros((SIDE, SIDE), np.uint8) for part in ("torso", "thighs", "edge")}
    if (joints[list(TORSO), 2] > 0).all():
        cv2.fillConvexPoly(out["torso"], cv2.convexHull(at[list(TORSO)]), 1)
    if (joints[[joint for thigh in THIGHS for joint in thigh], 2] > 0).all():
        for hip, knee in THIGHS:
            cv2.line(out["thighs"], at[hip].tolist(), at[knee].tolist(), 1, SIDE // 24)
    cv2.rectangle(out["edge"], (0, 0), (SIDE - 1, SIDE - 1), 1, EDGE)
    return {part: mask > 0 for part, mask in out.items()}


def statistics(picture: np.ndarray, parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Numbers of one crop (BGR): colours in CIELAB, sharpness, gradients, spectrum, and some
    of its parts, NaN where they are not seen."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    gradient = np.hypot(*np.gradient(light))
    out = {
        "L*": light.mean(),
        "spread of L*": light.std(),
        "a*": lab[..., 1].mean(),
        "b*": lab[..., 2].mean(),
        "chroma": chroma.mean(),
        "spread of chroma": chroma.std(),
        "black, %": 100 * (light < 5).mean(),
        "white, %": 100 * (light > 97).mean(),
    }
    for scale in (1, 2, 4):
        small = cv2.resize(light, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
        out[f"log sharpness, 1/{scale}"] = log_variance(cv2.Laplacian(small, cv2.CV_32F))
    for percent in (25, 50, 75, 95):
        out[f"gradient, {percent} %"] = np.percentile(gradient, percent)
    out["slope of the spectrum"] = spectrum_slope(light)
    laplacian = cv2.Laplacian(light, cv2.CV_32F)
    for part, mask in parts.items():
        values = (np.nan,) * len(OF_PARTS)
        if mask.sum() >= LEAST_PIXELS:
            sharpness = log_variance(laplacian[mask])
            values = light[mask].mean(), light[mask].std(), chroma[mask].mean(), sharpness
        found = zip(OF_PARTS, values, strict=True)
        out |= {f"{part}, {name}": value for name, value in found}
    return {name: float(value) for name, value in out.items()}


def log_variance(laplacian: np.ndarray) -> float:
    """How sharp a picture is: the logarithm of the variance of its Laplacian, finite for none."""
    return float(np.log(laplacian.var() + 1e-3))


def spectrum_slope(light: np.ndarray) -> float:
    """The exponent of the power spectrum by frequency, -2 for an average photograph, fitted to all
    frequencies from 2 cycles a side to half of the highest."""
    side = len(light)
    window = np.outer(*[np.hanning(side)] * 2)
    power = np.abs(np.fft.fft2((light - light.mean()) * window)) ** 2
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side, 1 / side)] * 2))
    rings = np.arange(2, side // 4 + 1)
    mean = [power[np.abs(frequency - ring) <= 0.5].mean() for ring in rings]
    return float(np.polyfit(np.log(rings), np.log(np.array(mean) + 1e-9), 1)[0])


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-1 distance of two samples of equal size."""
    return float(np.abs(np.sort(a) - np.sort(b)).mean())


def distances(
    photographs: np.ndarray, ours: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """Distance of ours from the photographs, and between halves of these, in standard deviations of
    the photographs. All samples are of one size, half of the smaller number without NaN."""
    photographs, ours = (values[~np.isnan(values)] for values in (photographs, ours))
    half = min(len(photographs), len(ours)) // 2
    found = []
    for _ in range(SPLITS):
        shuffled, other = rng.permutation(photographs), rng.permutation(ours)[:half]
        one, two = shuffled[:half], shuffled[half : 2 * half]
        found.append((wasserstein(one, other), wasserstein(one, two)))
    far, floor = np.mean(found, axis=0) / max(photographs.std(), 1e-9)
    return float(far), float(floor)


def table(
    photographs: Mapping[str, np.ndarray], ours: Mapping[str, np.ndarray], rng: np.random.Generator
) -> str:
    """Markdown: each row a statistic, and the mean of all distances at the end."""
    lines = ["| statistic | photographs | ours | distance | floor |", "|---" * 5 + "|"]
    rows = []
    for name, values in photographs.items():
        rows.append(distances(values, ours[name], rng))
        cells = [f"{np.nanmean(v):.1f} ± {np.nanstd(v):.1f}" for v in (values, ours[name])]
        lines.append(f"| {name} | {' | '.join(cells)} | {rows[-1][0]:.2f} | {rows[-1][1]:.2f} |")
    far, floor = np.mean(rows, axis=0)
    counts = " and ".join(str(len(next(iter(kind.values())))) for kind in (photographs, ours))
    lines.append(f"| mean, of {counts} crops | | | {far:.2f} | {floor:.2f} |")
    return "\n".join(lines) + "\n"


def grid(pictures: list[np.ndarray]) -> np.ndarray:
    """Crops in rows of COLUMNS, with gaps of 2 px."""
    framed = [cv2.copyMakeBorder(p, 1, 1, 1, 1, cv2.BORDER_CONSTANT) for p in pictures]
    return np.vstack([np.hstack(framed[i : i + COLUMNS]) for i in range(0, len(framed), COLUMNS)])


if __name__ == "__main__":
    main()
