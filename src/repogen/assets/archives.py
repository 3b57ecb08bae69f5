"""Archives from elsewhere, unpacked without trusting them."""

import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from repogen.errors import UserError

_LIMIT = 4 << 30
"""Bytes that one archive may unpack to: more is a mistake or an attack."""

_BROKEN = (
    EOFError, RuntimeError, ValueError, gzip.BadGzipFile,
    lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

_Member = tuple[str, int, bool, Callable[[], IO[bytes] | None]]
"""Name, bytes, whether it is a plain file, and how to open it."""


def unpack(archive: Path, out: Path, wanted: Callable[[str], bool]) -> None:
    """Write the wanted plain files of a .zip, .deb or (compressed) .tar into a folder.

    `wanted` is asked with each path inside the archive. Raises `UserError` where the archive is
    cut short or damaged, and where it tries tricks: absolute paths, `..`, links and devices
    among what is wanted, more than 4 GiB. Then `out` may hold a part of it.
    """
    total = 0
    try:
        for name, size, plain, opened in _members(archive):
            path = name.removeprefix("./")
            if _leaves(path):
                raise UserError(f"{archive.name} is refused: its member {name!r} leaves the folder")
            if not path or path.endswith("/") or not wanted(path):
                continue
            if not plain:
                raise UserError(f"{archive.name} is refused: its member {name!r} is a link")
            total += size
            if total > _LIMIT:
                raise UserError(f"{archive.name} is refused: it unpacks to more than 4 GiB")
            _write(opened, out / path)
    except UserError:
        raise
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise UserError(
            f"{archive.name} is refused: it holds a file and a folder of the same name"
        ) from error
    except _BROKEN as error:
        raise UserError(
            f"{archive} is cut short or damaged ({type(error).__name__}); fetch it again"
        ) from error


def _write(opened: Callable[[], IO[bytes] | None], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = opened()
    if source is None:
        raise ValueError(path.name)
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file)


def _leaves(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]


def _members(archive: Path) -> Iterator[_Member]:
    if archive.suffix.lower() == ".zip":
        yield from _zip_members(archive)
    elif archive.suffix == ".deb":
        with io.BytesIO(_debian_data(archive)) as data:
            yield from _tar_members(data)
    else:
        with archive.open("rb") as data:
            yield from _tar_members(data)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.flag_bits & 1:
                raise UserError(f"{archive.name} is encrypted; unpack it and give its folder")
            mode = info.external_attr >> 16
            plain = stat.S_IFMT(mode) in (0, stat.S_IFREG)
            yield info.filename, info.file_size, plain, partial(file.open, info)


def _tar_members(data: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=data) as file:
        for member in file:
            name = member.name + "/" * member.isdir()
            yield name, member.size, member.isreg(), partial(file.extractfile, member)


def _debian_data(archive: Path) -> bytes:
    """The files of a Debian package: the member data.tar.* of an `ar` archive (deb(5), ar(5))."""
    data = archive.read_bytes()
    if not data.startswith(b"!<arch>\n"):
        raise ValueError("no ar archive")
    start = 8
    while start < len(data):
        header = data[start : start + 60]
        size = int(header[48:58])
        body = data[start + 60 : start + 60 + size]
        if len(body) < size:
            raise EOFError
        if header.startswith(b"data.tar"):
            return body
        start += 60 + size + size % 2
    raise ValueError("no data.tar")
