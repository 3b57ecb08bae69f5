"""Packages fetched with the tools that belong to their registries."""

import shutil
import subprocess
from pathlib import Path

from repogen.errors import UserError

_PATIENCE_S = 900


def npm_pack(package: str, folder: Path) -> Path:
    """Fetch a package of npm's registry, given as name@version, as a .tgz in `folder`.

    Raises `UserError` where there is no npm or it fails.
    """
    if shutil.which("npm") is None:
        raise UserError(
            f"fetching {package} needs npm, and this machine has none; install Node.js "
            "(nodejs.org), or fetch assets elsewhere and use repogen assets add FOLDER"
        )
    _run(["npm", "pack", package], folder, package)
    return _fetched(folder, "*.tgz", package)


def debian_package(name: str, folder: Path) -> Path:
    """Fetch a Debian package as a .deb in `folder`.

    Raises `UserError` where there is no apt or it fails.
    """
    if shutil.which("apt-get") is None:
        raise UserError("this machine has no apt-get")
    _run(["apt-get", "download", name], folder, name)
    return _fetched(folder, "*.deb", name)


def _run(command: list[str], folder: Path, what: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace",
            check=False, timeout=_PATIENCE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UserError(f"fetching {what} took more than {_PATIENCE_S} s; try again") from error
    except OSError as error:
        raise UserError(f"{command[0]} cannot be started: {error.strerror}") from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        told = [line for line in lines if line.lower().startswith(("npm err", "e:"))] or lines
        why = told[0] if told else f"exit code {done.returncode}"
        raise UserError(
            f"{' '.join(command)} failed: {why}; mend the connection, or use repogen assets add "
            "FOLDER with files fetched elsewhere"
        )


def _fetched(folder: Path, pattern: str, what: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise UserError(f"fetching {what} left no {pattern} in {folder}")
    return found[0]
