"""Run the commands of a page: `python docs/tutorials/run.py PAGE.md FOLDER [--pictures]`.

The blocks marked `sh` are run in FOLDER, in their order; those marked `bash` need what only the
reader has (photographs, a GPU, a cluster) and are not. With --pictures the page's pictures are
made again: the title of each names the file in FOLDER that it shows.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r'!\[[^]]*\]\((\S+\.jpg) "(\S+)"\)')
LARGEST = 100_000
"""Bytes that a picture may have."""


def blocks(page: Path, language: str) -> list[str]:
    """The page's blocks of code that are marked with `language`."""
    return [text for mark, text in BLOCK.findall(page.read_text()) if mark == language]


def run(page: Path, folder: Path) -> None:
    """Run the page's `sh` blocks in a folder. Raises `CalledProcessError` where one fails."""
    folder.mkdir(parents=True, exist_ok=True)
    script = "set -euo pipefail\n" + "\n".join(blocks(page, "sh"))
    environment = os.environ | {"REPOGEN_ASSETS": str(folder.resolve() / "asset-packs")}
    subprocess.run(["bash", "-c", script], cwd=folder, env=environment, check=True)


def draw(page: Path, folder: Path) -> None:
    """Write the page's pictures as JPEG, each below `LARGEST` bytes."""
    from PIL import Image

    for name, source in PICTURE.findall(page.read_text()):
        picture = Image.open(folder / source).convert("RGB")
        picture.thumbnail((1000, 1000))
        target, quality = page.parent / name, 90
        picture.save(target, quality=quality)
        while target.stat().st_size > LARGEST:
            quality -= 5
            picture.save(target, quality=quality)


if __name__ == "__main__":
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    run(page, folder)
    if "--pictures" in sys.argv:
        draw(page, folder)
