"""A running `repogen studio`, and scripts that find parts of its page."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SLIDER = """(() => {
  const label = [...document.querySelectorAll('label, p, div, span')].find(
    one => one.childElementCount === 0 && one.innerText === %r && one.offsetParent);
  let row = label;
  while (row && !row.querySelector('[role=slider]')) row = row.parentElement;
  const slider = row && row.querySelector('[role=slider]');
  if (slider) slider.focus();
  return !!slider;
})()"""
"""Focuses the slider of a label; whether there is one."""

PICTURE = "[...document.querySelectorAll('img')].map(one => one.src).join(' ')"
STATUS = "(document.body.innerText.match(/[0-9]+ joints visible.*outside/) || [''])[0]"
BY_HAND = "(document.body.innerText.match(/by hand: .*/) || [''])[0]"


@dataclass
class Studio:
    """A running studio: its process, its page's address, the folders of what it saves and of the
    dataset that it shows."""

    process: subprocess.Popen[str]
    address: str
    out: Path
    dataset: Path | None = None


@contextmanager
def running_studio(folder: Path, *words: str) -> Iterator[Studio]:
    """A studio that was started in a folder with these words."""
    out = folder / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "repogen", "studio", *words, "--port", "0", "--out", str(out)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    line = process.stdout.readline()
    assert line.startswith("repogen studio: http"), line + process.stderr.read()
    try:
        yield Studio(process, re.search(r"http\S+", line)[0], out)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
