"""Draw the contact sheets in docs/: `python tools/contact_sheets.py docs` with the packs makehuman
and environments installed. Without them the same scenes wear painted clothes in built-in places."""

import sys
from pathlib import Path

import cv2
import numpy as np

import repogen
from repogen.config import merged
from repogen.generation.config import PRESETS

RARE = PRESETS["rare-views"]
SHEETS = {
    "front": merged(RARE, {"camera": {"views": ("front",)}}),
    "top": merged(RARE, {"camera": {"views": ("top",)}}),
    "bottom": merged(RARE, {"camera": {"views": ("bottom",)}}),
    "fisheye": merged(
        PRESETS["ceiling-fisheye"],
        {"camera": {"image_size": 840}, "sensor": {"effects": ("all",)}},
    ),
    "crowd": merged(
        RARE,
        {
            "camera": {"views": ("sphere",), "aim": "group", "person_share": (0.9, 1.0)},
            "people": {"people": (3, 6), "ground": "floor"},
            "environment": {"occluders": (0, 1)},
        },
    ),
}
SEED = 77


def sheet(options: dict, rows: int, columns: int, side: int) -> np.ndarray:
    """Pictures of a run's first scenes, BGR."""
    config = repogen.SceneConfig(**merged({"camera": {"image_size": side}}, options))
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
        cv2.imwrite(str(folder / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
