"""A monitored process that reads files for the tests.

It may use `Reader.seconds` of CPU time and `BYTES` of memory per file. It must not write, start a
program or open a connection, and may open only files in its folder and in its own installation.
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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from readers import Reader

BYTES = 1 << 30
_ADDRESSES = 1 << 32
"""Bytes of address space; the system provides memory only once it is written to."""

_TIMEOUT = 600.0
"""Seconds to wait for an answer; long, for busy machines."""

_MAX_MESSAGE = 2_500

_FORBIDDEN = (
    "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "subprocess.Popen",
    "socket.connect", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.symlink",
    "os.link", "os.truncate", "shutil.rmtree", "shutil.copyfile", "webbrowser.open",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """The result of reading a file: `kind` is read or refused, or else names the failure."""

    kind: str
    detail: str

    @property
    def good(self) -> bool:
        return self.kind in ("read", "refused")


class Sandbox:
    """Sends files to the process and restarts it where it has died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, reader: str, data: bytes) -> Outcome:
        process = self._running_process()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps([reader, len(data)]).encode() + b"\n" + data)
            process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], _TIMEOUT)
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

    def _running_process(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process


class _Guard:
    """Records forbidden actions of a reader while `watching` is true."""

    def __init__(self, folder: Path, kernels: str) -> None:
        own = (Path(__file__).parents[2], folder.parent, "/dev/null", "/proc", "/sys", "/usr")
        self._allowed = tuple(os.path.realpath(p) for p in (*own, sys.prefix, sys.base_prefix))
        self._scratch = os.path.realpath(folder.parent)
        self._writable = (self._scratch, "/dev/null", os.path.realpath(kernels))
        self.watching = False
        self.may_read = False
        """Whether any file may be read; otherwise only those in its folder."""
        self.violations: list[str] = []
        sys.addaudithook(self._audit)

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if not self.watching:
            return
        if event in _FORBIDDEN and not _named(event, args).startswith(self._writable):
            self.violations.append(f"{event} {args!r}"[:300])
        elif event == "open" and isinstance(args[0], str | bytes):
            path = os.path.realpath(os.fsdecode(args[0]))
            writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            inside = (
                path.startswith(self._writable)
                if writes
                else self.may_read or path.startswith(self._allowed)
            )
            if not inside:
                self.violations.append(f"open {path} {args[1]!r}")


def _named(event: str, args: tuple[object, ...]) -> str:
    """The path that an event is about; some name it inside an open folder."""
    path = os.fsdecode(args[0]) if isinstance(args[0], bytes | os.PathLike) else str(args[0])
    folder = args[-1] if event in ("os.remove", "os.rmdir", "os.mkdir") else -1
    if isinstance(folder, int) and folder >= 0:
        return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)
    return path


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.path.insert(0, str(Path(__file__).parent))
    from consumers import CONSUMERS
    from readers import READERS as FILE_READERS

    READERS = FILE_READERS | CONSUMERS

    import warp

    import repogen.warp_setup  # noqa: F401  (starts a program once, to identify the system)

    with tempfile.TemporaryDirectory(prefix="repogen-fuzz-") as scratch:
        folder = Path(scratch) / "in"
        tempfile.tempdir = scratch
        guard = _Guard(folder, warp.config.kernel_cache_dir)
        warm: set[str] = set()
        while header := sys.stdin.buffer.readline():
            name, size = json.loads(header)
            path = folder / READERS[name].file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sys.stdin.buffer.read(size))
            if name not in warm:  # imports must not count towards the limits of a file
                with contextlib.suppress(Exception):
                    READERS[name].read(path)
                warm.add(name)
                _limit_memory()
            before = _most_memory()
            guard.violations, guard.watching, guard.may_read = [], True, READERS[name].names_files
            kind, detail = _outcome(READERS[name], path)
            guard.watching = False
            if guard.violations:
                kind, detail = "did", "; ".join(guard.violations)
            if (grown := _most_memory() - before) > BYTES:
                kind, detail = "took too much memory", f"{grown:,} bytes, {kind} {detail[:200]}"
            answers.write(json.dumps([kind, detail]).encode() + b"\n")
            answers.flush()
            for file in [p for p in folder.rglob("*") if p.is_file()]:
                file.unlink()


def _outcome(reader: "Reader", path: Path) -> tuple[str, str]:
    from repogen.errors import UserError

    began = time.process_time()
    try:
        reader.read(path)
        kind, detail = "read", ""
    except UserError as error:
        kind, detail = "refused", str(error)
        if len(detail.splitlines()) != 1 or len(detail) > _MAX_MESSAGE:
            kind = f"refused in {len(detail)} letters"
    except BaseException as error:
        kind, detail = "raised", f"{_traceback_end(error)} {error!r}"
    seconds = time.process_time() - began
    if seconds > reader.seconds:
        return "took too long", f"{seconds:.1f} s, {kind} {detail[:200]}"
    return kind, detail[:600] if kind == "refused" else detail[-600:]


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _limit_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + _ADDRESSES, most))


def _traceback_end(error: BaseException) -> str:
    import traceback

    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/repogen/" in f.filename]
    return " > ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[-3:])


if __name__ == "__main__":
    _serve()
