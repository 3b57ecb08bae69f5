"""Validation of one annotation: 2D and 3D keypoints, boxes and masks."""

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from pycocotools import mask as rle

from repogen.arrays import Float, UInt8
from repogen.bodies.wholebody import GROUPS, KEYPOINT_SETS
from repogen.cameras.camera import Camera
from repogen.cameras.viewpoints import FIXED_VIEW
from repogen.coco.rle import decode_rle
from repogen.datasets.reading import Entry

_TOLERANCE = 0.01
"""Pixels by which two positions that should agree may differ."""

_MASK_MARGIN = 0.76
"""Pixels by which a mask may reach beyond the box around a body: one column of a pixel's 2 x 2
samples fills the pixel, and boxes are rounded."""


_ENTRIES = (
    "id", "image_id", "category_id", "iscrowd", "keypoints", "num_keypoints", "bbox", "area",
    "segmentation", "amodal_bbox", "amodal_segmentation", "keypoints_3d", "view",
    "subject_view",
)  # fmt: skip
"""What every annotation has, whatever the set of keypoints."""


def check_annotation(
    a: Entry, image: Entry, config: Entry
) -> Generator[str, None, UInt8[np.ndarray, "h w"] | None]:
    """Problems of an annotation of an image, under the options of its run; returns its mask.

    Returns None for a mask of another size. Raises `KeyError`, `TypeError` or `ValueError` for an
    annotation that cannot be read.
    """
    yield from _check_entries(a, image["view"]["name"], config)
    camera = camera_of(image)
    dropped = config["output"]["occluded"] == "drop"
    points = yield from _check_points(a, "keypoints", "keypoints_3d", 17, camera, dropped)
    if points is not None:
        count = int((points[:, 2] > 0).sum())
        if a["num_keypoints"] != count:
            yield f"num_keypoints is {a['num_keypoints']}, {count} are labelled"
    for group in KEYPOINT_SETS[config["output"]["keypoints"]]:
        yield from _check_group(a, group, camera, dropped)
    return (yield from _check_masks(a, (image["height"], image["width"])))


def _check_entries(a: Entry, view_name: str, config: Entry) -> Iterator[str]:
    known = set(_ENTRIES)
    if view_name.startswith(FIXED_VIEW):
        known.add("person")
    for group in KEYPOINT_SETS[config["output"]["keypoints"]]:
        known |= {f"{group}_{name}" for name in ("kpts", "valid", "3d", "box")}
    unknown = sorted(a.keys() - known)
    if unknown:
        yield f"has the unknown entries {', '.join(unknown)}"
    for key, value in (("category_id", 1), ("iscrowd", 0)):
        if type(a[key]) is not int or a[key] != value:
            yield f"{key} is {a[key]}, repogen writes {value}"


def camera_of(image: Entry) -> Camera:
    """The camera of an image record. Raises as `check_annotation`."""
    record = image["camera"]
    (fx, _, cx), (_, fy, cy), _ = record["K"]
    return Camera(
        image["width"], image["height"], fx, fy, cx, cy, tuple(map(tuple, record["R"])),
        tuple(record["t"]), record["model"], tuple(record["distortion"]), record.get("circle_deg"),
    )  # fmt: skip


def mask_of(a: Entry, key: str, shape: tuple[int, int]) -> UInt8[np.ndarray, "h w"] | None:
    """The mask under a key; None where its size is not the image's (height, width).

    Raises as `check_annotation`.
    """
    return decode_rle(a[key]) if tuple(a[key]["size"]) == shape else None


def _check_group(a: Entry, group: str, camera: Camera, dropped: bool) -> Iterator[str]:
    names = f"{group}_kpts", f"{group}_3d"
    points = yield from _check_points(a, *names, len(GROUPS[group]), camera, dropped)
    if points is None:
        return
    labelled = points[points[:, 2] > 0, :2]
    if a.get(f"{group}_valid") != bool(len(labelled)):
        yield f"{group}_valid is {a.get(f'{group}_valid')}, {len(labelled)} are labelled"
    if group != "foot":
        around = np.zeros((2, 2))
        if len(labelled):
            around = np.stack([labelled.min(axis=0), labelled.max(axis=0)])
        if (np.abs(_corners(a[f"{group}_box"]) - around) > _TOLERANCE).any():
            yield f"{group}_box is not around its labelled points"


def _check_points(
    a: Entry, flat: str, deep: str, count: int, camera: Camera, dropped: bool
) -> Generator[str, None, Float[np.ndarray, "k 3"] | None]:
    """Compare x, y, v under the key `flat` with metres under `deep`; returns the former."""
    try:
        points = np.array(a[flat], dtype=float).reshape(count, 3)
        space = np.array(a[deep], dtype=float).reshape(count, 3)
    except (KeyError, TypeError, ValueError):
        yield f"{flat} or {deep} are not {count} triples"
        return None
    if not np.isfinite(points).all() or not np.isfinite(space).all():
        yield f"{flat} or {deep} are not finite"
        return None
    flags = points[:, 2]
    if any(type(v) is not int or v not in (0, 1, 2) for v in a[flat][2::3]):
        yield f"a v of {flat} is not 0, 1 or 2"
    if (points[flags == 0] != 0).any():
        yield f"a point of {flat} with v = 0 has coordinates other than 0"
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = camera.to_pixels(space)
    labelled = flags > 0
    if labelled.any() and np.abs(pixels - points[:, :2])[labelled].max() > _TOLERANCE:
        yield f"{deep} projects more than {_TOLERANCE} px away from {flat}"
    inside = camera.shows(space)
    if (labelled & ~inside).any() or (not dropped and (inside & ~labelled).any()):
        yield f"v = 0 in {flat} does not mean outside the image"
    if dropped and (flags == 1).any():
        yield f"occluded points of {flat} are kept, though run.json says they are dropped"
    return points


def _check_masks(
    a: Entry, shape: tuple[int, int]
) -> Generator[str, None, UInt8[np.ndarray, "h w"] | None]:
    masks: list[UInt8[np.ndarray, "h w"]] = []
    for key in ("segmentation", "amodal_segmentation"):
        if masks and a[key] == a["segmentation"]:  # nothing occludes this person
            masks *= 2
            break
        found = mask_of(a, key, shape)
        if found is None:
            yield f"its {key} is {tuple(a[key]['size'])}, its image {shape} (height, width)"
            return None
        masks.append(found)
    mask, amodal_mask = masks
    if not mask.any():
        yield "its mask is empty"
    if a["area"] != mask.sum():
        yield f"area is {a['area']}, its mask has {mask.sum()} pixels"
    if list(rle.toBbox(a["segmentation"])) != a["bbox"]:
        yield f"bbox {a['bbox']} is not its mask's {list(rle.toBbox(a['segmentation']))}"
    if (mask > amodal_mask).any():
        yield "its segmentation reaches beyond its amodal_segmentation"
    (low, high), amodal = _corners(rle.toBbox(a["amodal_segmentation"])), _corners(a["amodal_bbox"])
    if not (np.isfinite(amodal).all() and (low > amodal[0] - _MASK_MARGIN).all()
            and (high < amodal[1] + _MASK_MARGIN).all()):  # fmt: skip
        yield f"its amodal_segmentation reaches beyond amodal_bbox {a['amodal_bbox']}"
    return mask


def _corners(box: Any) -> Float[np.ndarray, "2 2"]:
    """The upper left and lower right corners of a box x, y, width, height."""
    x, y, width, height = box
    return np.array([[x, y], [x + width, y + height]], dtype=float)
