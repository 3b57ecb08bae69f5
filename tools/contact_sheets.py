"""Draw the contact sheets in docs/: `python tools/contact_sheets.py docs` with the packs makehuman
and environments installed. Without them the same scenes wear painted clothes in built-in places."""

import sys
from pathlib import Path

import cv2
import numpy as np

import repogen
from repogen.generation.config import PRESETS

RARE = PRESETS["rare-views"]
SHEETS = {
    "front": RARE | {"views": ("front",)},
    "top": RARE | {"views": ("top",)},
    "bottom": RARE | {"views": ("bottom",)},
    "fisheye": PRESETS["ceiling-fisheye"] | {"effects": ("all",), "image_size": 840},
    "crowd": RARE
    | {"views": ("sphere",), "people": (3, 6), "occluders": (0, 1), "aim": "group"}
    | {"ground": "floor", "person_share": (0.9, 1.0)},
}
SEED = 77


def sheet(options: dict, rows: int, columns: int, side: int) -> np.ndarray:
    """Pictures of a run's first scenes, RGB."""
    config = repogen.SceneConfig(**({"image_size": side} | options))
    pictures = [
        cv2.resize(
            repogen.render(repogen.sample_scene(config, SEED, index)).image,
            (side, side),
            interpolation=cv2.INTER_AREA,
        )
        for index in range(rows * columns)
    ]
    return np.vstack([np.hstack(pictures[r * columns : (r + 1) * columns]) for r in range(rows)])


def main() -> None:
    """Write one JPEG a sheet into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in SHEETS.items():
        shape = (2, 4, 270) if name == "fisheye" else (2, 6, 180)
        picture = sheet({k: v for k, v in options.items() if k != "images"}, *shape)
        cv2.imwrite(str(folder / f"{name}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
