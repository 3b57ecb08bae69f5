"""Draw the pictures of gallery.md and write that page: `python docs/gallery.py [NAME …]`.

With names, only those pictures are drawn again.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from repogen.cli import main as repogen
from repogen.generation.config import PRESETS

HERE = Path(__file__).parent
COUNT, SEED, SIDE = 4, 21, 170
"""Pictures in a row, the seed of all, and the side of each in pixels."""
LARGE = {"ceiling-fisheye", "drone", "surveillance"}
"""Presets whose people are small in the picture: two pictures, twice as large."""

FRONT = "--views front --elevation -5 30"
OPTIONS = {
    "Presets": {name: f"--preset {name}" for name in PRESETS if not name.startswith("paper-")}
    | {"paper": "--preset paper-topbottom --backgrounds builtin"},
    "Views": {
        f"view-{name}": f"--views {name}"
        for name in ("top", "bottom", "top-wide", "side", "sphere")
    }
    | {"views-per-pose": "--views sphere --views-per-pose 4"},
    "Lenses and framing": {
        "lens-opencv": f"--lens opencv {FRONT}",
        "lens-fisheye": "--lens equidistant --fov 180 200 --circle 180 180 --framing paper "
        "--views top --people 2 4 --aim group --ground floor",
        "person-share": f"--person-share 0.1 0.25 {FRONT}",
        "truncate": f"--truncate 1 {FRONT}",
        "crop": f"--crop 1.25 {FRONT}",
    },
    "Poses": {
        "poses-default": FRONT,
        "poses-uniform": f"--pose-distribution uniform {FRONT}",
        "poses-acrobatic": f"--pose-distribution acrobatic {FRONT}",
        "poses-variance": f"--pose-variance 0.3 {FRONT}",
        "poses-core": f"--poses core {FRONT} --ground floor",
        "pose-handstand": f"--pose handstand --ground floor --balance {FRONT}",
        "orientation-any": f"--orientation any {FRONT}",
        "orientation-lying": "--orientation lying --ground floor --balance --views top",
    },
    "People": {
        "ages-children": f"--ages children --pose-variance 0.4 {FRONT}",
        "ages-elders": f"--ages elders --pose-variance 0.4 {FRONT}",
        "wardrobe-packs": f"--wardrobe packs --pose-variance 0.4 {FRONT}",
        "wardrobe-painted": f"--wardrobe painted --pose-variance 0.4 {FRONT}",
        "wardrobe-sport": f"--wardrobe sport --pose-variance 0.4 {FRONT}",
        "crowd": f"--people 4 7 --ground floor --aim group --pose-variance 0.4 {FRONT}",
    },
    "Backgrounds, light and what stands before people": {
        "backgrounds-indoors": f"--backgrounds indoors --ground floor --balance {FRONT}",
        "backgrounds-outdoors": f"--backgrounds outdoors --ground floor --balance {FRONT}",
        "backgrounds-builtin": f"--backgrounds builtin --ground floor --balance {FRONT}",
        "backgrounds-plain": f"--backgrounds plain {FRONT}",
        "light-equal": f"--light-model equal --shadows 0 --backgrounds builtin {FRONT}",
        "occluders": f"--occluders 1 2 --ground floor {FRONT}",
    },
    "Sensor": {
        "effects": f"--effects all {FRONT}",
    },
}
"""Headings of the page; of each picture the name and the options."""


def page() -> str:
    """gallery.md, from `OPTIONS`."""
    lines = [
        "# Gallery",
        "",
        "See what an option does before you choose it. Each row is made by `repogen generate out "
        f"--seed {SEED} --image-size {2 * SIDE}` and the options above it, and shows the first "
        "pictures, as they come: none is chosen.",
        "[Presets](generate.md#presets) lists what the presets set, and `python docs/gallery.py` "
        "draws this page again.",
    ]
    for heading, rows in OPTIONS.items():
        lines += ["", f"## {heading}"]
        for name, options in rows.items():
            lines += ["", f"`{options}`", "", f"![Pictures of {options}](gallery/{name}.jpg)"]
    return "\n".join(lines) + "\n"


def draw(name: str, options: str) -> None:
    """Write gallery/NAME.jpg, a row of the first pictures made with these options."""
    count, side = (COUNT // 2, 2 * SIDE) if name in LARGE else (COUNT, SIDE)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        words = f"{options} --images {count} --seed {SEED} --image-size {2 * SIDE} --workers 1"
        if repogen(["generate", str(out), *words.split()]):
            raise SystemExit(f"{name}: repogen generate {words} failed")
        row = [
            cv2.resize(_square(cv2.imread(str(path))), (side, side), interpolation=cv2.INTER_AREA)
            for path in sorted((out / "images").iterdir())
        ]
    cv2.imwrite(
        str(HERE / "gallery" / f"{name}.jpg"), np.hstack(row), [cv2.IMWRITE_JPEG_QUALITY, 82]
    )


def _square(picture: np.ndarray) -> np.ndarray:
    """The picture on a white square: with --crop it has the size of its window."""
    height, width = picture.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture
    return square


def main(names: list[str]) -> None:
    """Draw the named pictures, or all of them in a new folder, and write the page."""
    if not names:
        shutil.rmtree(HERE / "gallery", ignore_errors=True)
    (HERE / "gallery").mkdir(exist_ok=True)
    for rows in OPTIONS.values():
        for name, options in rows.items():
            if not names or name in names:
                draw(name, options)
    (HERE / "gallery.md").write_text(page())


if __name__ == "__main__":
    main(sys.argv[1:])
