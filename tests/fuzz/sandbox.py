"""A process that reads files for the tests: what it must not do, it is seen doing.

It may use `SECONDS` of the processor and `BYTES` of memory for one file, must not write, start or
call anything, and opens nothing but the files in its folder and what it is made of.
"""

import contextlib
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SECONDS = 2.0
BYTES = 1 << 30
_ADDRESSES = 1 << 32
"""Bytes that may be asked for; the system gives them when they are written to."""

_PATIENCE = 600.0
"""Seconds in which an answer must come: a busy machine has little time for tests."""

_LONGEST_MESSAGE = 2_500

_FORBIDDEN = (
    "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "subprocess.Popen",
    "socket.connect", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.symlink",
    "os.link", "os.truncate", "shutil.rmtree", "shutil.copyfile", "webbrowser.open",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """`kind` is read or refused where all is well, else says what happened."""

    kind: str
    detail: str

    @property
    def good(self) -> bool:
        return self.kind in ("read", "refused")


class Sandbox:
    """Asks the process, and begins another where one has died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, reader: str, data: bytes) -> Outcome:
        process = self._begun()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps([reader, len(data)]).encode() + b"\n" + data)
            process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
        answer = process.stdout.readline() if ready else b""
        if answer:
            return Outcome(*json.loads(answer))
        self.close()
        return Outcome("died" if ready else "hung", f"exit code {process.returncode}")

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _begun(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process


class _Guard:
    """Notes what a reader does that it must not, while it is `watching`."""

    def __init__(self, folder: Path) -> None:
        own = (Path(__file__).parents[2], folder.parent, "/dev/null", "/proc", "/sys", "/usr")
        self._allowed = tuple(os.path.realpath(p) for p in (*own, sys.prefix, sys.base_prefix))
        self._scratch = os.path.realpath(folder.parent)
        self.watching = False
        self.may_read = False
        """Anything; else only its own folder."""
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if not self.watching:
            return
        if event in _FORBIDDEN and not str(args[0]).startswith(self._scratch):
            self.seen.append(f"{event} {args!r}"[:300])
        elif event == "open" and isinstance(args[0], str | bytes):
            path = os.path.realpath(os.fsdecode(args[0]))
            writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            inside = (
                path.startswith((self._scratch, "/dev/null"))
                if writes
                else self.may_read or path.startswith(self._allowed)
            )
            if not inside:
                self.seen.append(f"open {path} {args[1]!r}")


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.path.insert(0, str(Path(__file__).parent))
    from readers import READERS

    import repogen.warp_setup  # noqa: F401  (it asks the system what it is, once)

    with tempfile.TemporaryDirectory(prefix="repogen-fuzz-") as scratch:
        folder = Path(scratch) / "in"
        guard = _Guard(folder)
        warm: set[str] = set()
        while header := sys.stdin.buffer.readline():
            name, size = json.loads(header)
            path = folder / READERS[name].file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sys.stdin.buffer.read(size))
            if name not in warm:  # what it imports is no part of what a file costs
                with contextlib.suppress(Exception):
                    READERS[name].read(path)
                warm.add(name)
                _limit_memory()
            before = _most_memory()
            guard.seen, guard.watching, guard.may_read = [], True, READERS[name].names_files
            kind, detail = _outcome(READERS[name].read, path)
            guard.watching = False
            if guard.seen:
                kind, detail = "did", "; ".join(guard.seen)
            if (grown := _most_memory() - before) > BYTES:
                kind, detail = "took too much memory", f"{grown:,} bytes, {kind} {detail[:200]}"
            answers.write(json.dumps([kind, detail]).encode() + b"\n")
            answers.flush()
            for file in [p for p in folder.rglob("*") if p.is_file()]:
                file.unlink()


def _outcome(read: object, path: Path) -> tuple[str, str]:
    from repogen.errors import UserError

    began = time.process_time()
    try:
        read(path)  # type: ignore[operator]
        kind, detail = "read", ""
    except UserError as error:
        kind, detail = "refused", str(error)
        if len(detail.splitlines()) != 1 or len(detail) > _LONGEST_MESSAGE:
            kind = f"refused in {len(detail)} letters"
    except BaseException as error:
        kind, detail = "raised", f"{_place(error)} {error!r}"
    seconds = time.process_time() - began
    if seconds > SECONDS:
        return "took too long", f"{seconds:.1f} s, {kind} {detail[:200]}"
    return kind, detail[:600] if kind == "refused" else detail[-600:]


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _limit_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + _ADDRESSES, most))


def _place(error: BaseException) -> str:
    import traceback

    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/repogen/" in f.filename]
    return " > ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[-3:])


if __name__ == "__main__":
    _serve()
