"""Making a dataset like the image that is shown: `repogen generate` in a process of its own."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_PROGRESS = re.compile(r"(\d+)/(\d+) \[")
"""The bar that `repogen generate` draws on stderr."""


class Generating:
    """A run of `repogen generate` that writes a dataset, and its progress.

    `moved(done, total)` and `ended(message, succeeded)` are called on a thread of its own.
    """

    def __init__(
        self,
        options: Path,
        out: Path,
        workers: int,
        moved: Callable[[int, int], None],
        ended: Callable[[str, bool], None],
    ) -> None:
        words = [sys.executable, "-m", "repogen", "generate", str(out), "--config", str(options)]
        self._process = subprocess.Popen(
            [*words, "--workers", str(workers)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._out, self._moved, self._ended = out, moved, ended
        self._stopped = False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the run. The same command resumes it."""
        self._stopped = True
        self._process.terminate()
        self._thread.join(timeout=10)

    @property
    def is_running(self) -> bool:
        """Whether images are still made."""
        return self._process.poll() is None

    def _follow(self) -> None:
        assert self._process.stderr is not None
        line, last = b"", ""
        while byte := self._process.stderr.read(1):
            if byte not in b"\r\n":
                line += byte
                continue
            text = line.decode("utf-8", "replace").strip()
            line = b""
            found = _PROGRESS.search(text)
            if found:
                self._moved(int(found[1]), int(found[2]))
            elif text:
                last = text
        code = self._process.wait()
        if self._stopped:
            self._ended(f"stopped; {self._out} is resumed by the same command", False)
        elif code:
            self._ended(last.removeprefix("repogen: error: "), False)
        else:
            self._ended(f"{self._out} is finished", True)
