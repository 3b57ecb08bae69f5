"""Download npm and Debian packages with their own tools."""

import shutil
import subprocess
from pathlib import Path

from repogen.errors import UserError

_TIMEOUT_S = 900


def npm_pack(package: str, folder: Path) -> Path:
    """Download an npm package, given as name@version, as a .tgz into `folder`; returns its path.

    Raises `UserError` if npm is missing or fails.
    """
    if shutil.which("npm") is None:
        raise UserError(
            f"downloading {package} needs npm, which is not installed; install Node.js "
            "(nodejs.org), or download assets elsewhere and use repogen assets add FOLDER"
        )
    _run(["npm", "pack", package], folder, package)
    return _fetched(folder, "*.tgz", package)


def debian_package(name: str, folder: Path) -> Path:
    """Download a Debian package as a .deb into `folder`; returns its path.

    Raises `UserError` if apt is missing or fails.
    """
    if shutil.which("apt-get") is None:
        raise UserError("this machine has no apt-get")
    _run(["apt-get", "download", name], folder, name)
    return _fetched(folder, "*.deb", name)


def _run(command: list[str], folder: Path, what: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace",
            check=False, timeout=_TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UserError(f"downloading {what} took more than {_TIMEOUT_S} s; try again") from error
    except OSError as error:
        raise UserError(f"{command[0]} cannot be started: {error.strerror}") from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith(("npm err", "e:"))] or lines
        reason = errors[0] if errors else f"exit code {done.returncode}"
        raise UserError(
            f"{' '.join(command)} failed: {reason}; check the connection, or use repogen assets "
            "add FOLDER with files downloaded elsewhere"
        )


def _fetched(folder: Path, pattern: str, what: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise UserError(f"downloading {what} left no {pattern} in {folder}")
    return found[0]
