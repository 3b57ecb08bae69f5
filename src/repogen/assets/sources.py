"""Files that scenes show, by their content: photographs, panoramas, textures and cut-outs.

A scene names such a file by its SHA-256, and never by a path: the scene may be a stranger's. This
process finds it among the files that its user named, and in asset packs.
"""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from repogen.assets.packs import pack_folders, read_index
from repogen.config import checked
from repogen.errors import UserError
from repogen.files import cannot_read, sha256_of
from repogen.records import Sha256

_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


@dataclass(frozen=True)
class Source:
    """A file by its content; `name`, its path below the folder that the user named, is for
    people to read and for error messages."""

    name: str
    sha256: Sha256

    @property
    def suffix(self) -> str:
        """The end of its name, such as .jpg; empty for an odd one."""
        end = Path(self.name).suffix.lower()
        return end if _SUFFIX.fullmatch(end) else ""


_KNOWN: dict[str, Path] = {}
"""By SHA-256, files that the user of this process named."""


@checked
def source_of(path: Path | str, root: Path | str) -> Source:
    """The source of a file below the folder `root`, both of which the user named.

    Scenes that show it can be rendered from now on. Raises `UserError` where it cannot be read.

    >>> repogen.source_of("people/images/00000001.jpg", "people").name
    'images/00000001.jpg'
    """
    path, root = Path(path), Path(root)
    source = Source(_name(path, root), digest_of(path))
    _KNOWN[source.sha256] = path
    return source


def provide(source: Source, path: Path) -> None:
    """Let `path_of` find a source in the file `path`. Raises `UserError` for another content."""
    if digest_of(path) != source.sha256:
        raise UserError(f"{path} has another content (not SHA-256 {source.sha256[:12]}…)")
    _KNOWN[source.sha256] = path


def find(source: Source) -> Path | None:
    """The file with this content, if the user named it or an asset pack holds it."""
    if source.sha256 not in _KNOWN:
        packed = _packed(source.sha256)
        if packed is not None:
            provide(source, packed)
    return _KNOWN.get(source.sha256)


def path_of(source: Source) -> Path:
    """`find`. Raises `UserError` for a source that it does not find."""
    found = find(source)
    if found is None:
        raise UserError(
            f"the scene shows {source.name!r} (SHA-256 {source.sha256[:12]}…), a file that nobody "
            "named; repogen.source_of(PATH, FOLDER) names it"
        )
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file, cached while its size and time of change stay the same.

    Raises `UserError` for a file that cannot be read, is no regular file, or is too large.
    """
    try:
        status = path.stat()
        return _digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise cannot_read(path, error) from error


@lru_cache(maxsize=2**16)
def _digest(path: Path, _size: int, _time: int) -> str:
    return sha256_of(path)


def _name(path: Path, root: Path) -> str:
    whole, start = os.path.abspath(path), os.path.abspath(root)
    inside = os.path.commonpath([whole, start]) == start
    return Path(os.path.relpath(whole, start)).as_posix() if inside else path.name


def _packed(wanted: str) -> Path | None:
    """The file of an asset pack with this SHA-256, as the pack states it."""
    for folder in pack_folders():
        for item in read_index(folder).items:
            for file, digest in item.files.items():
                if digest == wanted:
                    return folder / file
    return None
