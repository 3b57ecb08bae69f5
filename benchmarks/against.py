"""What an image costs here and at another commit, in CPU time.

One process of each makes the same images, a few at a time and in turn, so that both meet the same
machine. Run by `generate.py --against REV`.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measuring import line

ROOT = Path(__file__).parents[1]

CASES: dict[str, tuple[dict[str, Any], int]] = {
    "painted": (
        {
            "preset": None,
            "options": {
                "environment": {"backgrounds": "builtin"},
                "people": {"wardrobe": "painted"},
            },
        },
        1,
    ),
    "default": ({"preset": None, "options": {}}, 1),
    "rare-views": ({"preset": "rare-views", "options": {}}, 1),
    "ceiling-fisheye": (
        {"preset": "ceiling-fisheye", "options": {"people": {"people": [5, 5]}}},
        8,
    ),
}
"""Options by the name of a case, and how many times fewer images it makes."""

_BLOCK = 6
"""Images that a process makes before it is the other one's turn."""


@contextlib.contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """The files of a commit in a folder of their own, which is removed afterwards."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory(prefix="repogen-against-") as folder:
        at = Path(folder) / "files"
        subprocess.run(
            [*git, "add", "--detach", str(at), revision], check=True, capture_output=True
        )
        try:
            yield at
        finally:
            subprocess.run([*git, "remove", "--force", str(at)], check=True, capture_output=True)


class Maker:
    """A process that makes images with the package below `root`."""

    def __init__(self, root: Path, case: dict[str, Any]) -> None:
        script = str(Path(__file__).with_name("make_images.py"))
        self._process = subprocess.Popen(
            [sys.executable, script, json.dumps(case)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(root / "src")},
        )

    def make(self, indices: list[int]) -> tuple[float, float]:
        """CPU milliseconds of an image, and the peak memory so far, MB."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(indices) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"make_images.py ended with status {self._process.wait()}")
        spent, peak = json.loads(answer)
        return spent, peak

    def end(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compare(revision: str, images: int, repeats: int, names: list[str]) -> None:
    """Print, for each case, the CPU milliseconds of an image at both commits, their ratio, and the
    peak memory of both processes.

    Every image is made once before it is timed: what is read and fitted once is left out.
    """
    with checked_out(revision) as before:
        for name in names:
            case, fewer = CASES[name]
            count = max(images // fewer, 1)
            makers = [Maker(root, case | {"images": count}) for root in (before, ROOT)]
            for maker in makers:
                maker.make(list(range(count)))
            _compare(name, revision, makers, count, repeats)
            for maker in makers:
                maker.end()


def _compare(name: str, revision: str, makers: list[Maker], count: int, repeats: int) -> None:
    blocks = [list(range(i, min(i + _BLOCK, count))) for i in range(0, count, _BLOCK)]
    sizes = np.array([len(block) for block in blocks])
    means, peaks = [], [0.0, 0.0]
    for _ in range(repeats):
        spent = np.zeros((2, len(blocks)))
        for i, block in enumerate(blocks):
            for which in (i % 2, 1 - i % 2):
                spent[which, i], peaks[which] = makers[which].make(block)
        means.append(spent @ sizes / count)
    old, new = np.transpose(means)
    print(f"{name}, {count} images")
    line(f"  {revision}", old, "ms")
    line("  now", new, "ms")
    line("  now over then", 100 * new / old, "%")
    print(f"{'  peak memory, then and now':<42} {peaks[0]:7.0f} MB, {peaks[1]:.0f} MB", flush=True)
