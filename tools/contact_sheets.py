"""Draw the pictures of docs/: `python tools/contact_sheets.py docs`."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from repogen.labels.maps import PART_COLORS
from repogen.labels.stick import draw_skeleton

SEED = 77
RARE = "--preset rare-views --views"
SHEETS = {
    "front": f"{RARE} front",
    "top": f"{RARE} top",
    "bottom": f"{RARE} bottom",
    "fisheye": "--preset ceiling-fisheye --effects all --image-size 840",
    "crowd": f"{RARE} sphere --people 3 6 --occluders 0 1 --aim group --ground floor "
    "--person-share 0.9 1.0",
}
RECORD = (
    "--images 8 --seed 5 --views top front --people 2 2 --occluders 1 1 --image-size 384 "
    "--truncate 0.6 --wardrobe painted --backgrounds builtin --write depth masks parts normals"
)
"""The dataset of docs/conventions.md, and of its picture the image and the annotation."""
RECORD_IMAGE, RECORD_ID = "00000007", 14


def generate(folder: Path, options: str) -> None:
    """Run `repogen generate`."""
    command = [sys.executable, "-m", "repogen", "generate", str(folder), *options.split()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def sheet(options: str, rows: int, columns: int, side: int) -> np.ndarray:
    """The first images of a run in rows, BGR."""
    with tempfile.TemporaryDirectory() as folder:
        count = f"--images {rows * columns} --seed {SEED}"
        generate(Path(folder) / "out", f"--image-size {side} {options} {count}")
        pictures = [
            cv2.resize(cv2.imread(str(path)), (side, side), interpolation=cv2.INTER_AREA)
            for path in sorted((Path(folder) / "out" / "images").iterdir())
        ]
    return np.vstack([np.hstack(pictures[r * columns : (r + 1) * columns]) for r in range(rows)])


def record_sheet() -> np.ndarray:
    """One image with the labels of one person, then its depth, masks, parts and normals, BGR."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        generate(out, RECORD)
        name = f"{RECORD_IMAGE}.png"
        picture = cv2.imread(str(out / "images" / f"{RECORD_IMAGE}.jpg"))
        depth = cv2.imread(str(out / "depth" / name), cv2.IMREAD_UNCHANGED).astype(float)
        masks, parts = (cv2.imread(str(out / k / name), cv2.IMREAD_UNCHANGED)
                        for k in ("masks", "parts"))  # fmt: skip
        normals = cv2.imread(str(out / "normals" / name))
        data = json.loads((out / "annotations" / "person_keypoints.json").read_text())
    person = next(a for a in data["annotations"] if a["id"] == RECORD_ID)
    for key, color in (("amodal_bbox", (0, 220, 255)), ("bbox", (255, 255, 255))):
        x, y, w, h = (round(v) for v in person[key])
        cv2.rectangle(picture, (x, y), (x + w - 1, y + h - 1), color, 2)
    draw_skeleton(picture, person["keypoints"], 2)
    seen = depth > 0
    near, far = depth[seen].min(), depth[seen].max()
    grey = np.where(seen, 255 - 205 * (depth - near) / max(far - near, 1), 0).astype(np.uint8)
    colors = np.array([(0, 0, 0), (80, 160, 240), (110, 200, 90)], np.uint8)
    maps = [np.repeat(grey[..., None], 3, axis=2), colors[masks], PART_COLORS[parts][..., ::-1]]
    return np.hstack([picture, *maps, normals])


def main() -> None:
    """Write one JPEG a sheet into the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to; docs for these pages")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {"record": record_sheet()}
    for name, options in SHEETS.items():
        pictures[name] = sheet(options, *((2, 4, 270) if name == "fisheye" else (2, 6, 180)))
    for name, picture in pictures.items():
        quality = [cv2.IMWRITE_JPEG_QUALITY, 85 if name == "record" else 80]
        cv2.imwrite(str(folder / f"{name}.jpg"), picture, quality)


if __name__ == "__main__":
    main()
