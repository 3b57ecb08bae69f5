"""Unpack untrusted archives."""

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
from repogen.files import open_regular, read_regular
from repogen.limits import MAX_ARCHIVE

_MAX_UNPACKED_BYTES = 4 << 30

_DAMAGED = (
    EOFError, RuntimeError, ValueError, gzip.BadGzipFile,
    lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

_Member = tuple[str, int, bool, Callable[[], IO[bytes] | None]]
"""Name, size in bytes, whether it is a regular file, and a function that opens it."""


def unpack(archive: Path, out: Path, wanted: Callable[[str], bool]) -> None:
    """Write the regular files of a .zip, .deb or (compressed) .tar that `wanted` accepts to `out`.

    `wanted` gets each path inside the archive. Raises `UserError` for an archive that is truncated
    or damaged, has absolute paths, `..`, wanted links or devices, or unpacks to more than 4 GiB;
    then `out` may hold a part of it.
    """
    total = 0
    try:
        for name, size, is_file, open_member in _members(archive):
            path = name.removeprefix("./")
            if _leaves_folder(path):
                raise UserError(f"{archive.name} is refused: its member {name!r} leaves the folder")
            if not path or path.endswith("/") or not wanted(path):
                continue
            if not is_file:
                raise UserError(f"{archive.name} is refused: its member {name!r} is a link")
            total += size
            if total > _MAX_UNPACKED_BYTES:
                raise UserError(f"{archive.name} is refused: it unpacks to more than 4 GiB")
            _write(open_member, out / path)
    except UserError:
        raise
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise UserError(
            f"{archive.name} is refused: it holds a file and a folder of the same name"
        ) from error
    except _DAMAGED as error:
        raise UserError(
            f"{archive} is truncated or damaged ({type(error).__name__}); download it again"
        ) from error


def _write(open_member: Callable[[], IO[bytes] | None], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = open_member()
    if source is None:
        raise ValueError(path.name)
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file)


def _leaves_folder(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]


def _members(archive: Path) -> Iterator[_Member]:
    if archive.suffix.lower() == ".zip":
        yield from _zip_members(archive)
    elif archive.suffix == ".deb":
        with io.BytesIO(_debian_data(archive)) as data:
            yield from _tar_members(data)
    else:
        with open_regular(archive, MAX_ARCHIVE) as data:
            yield from _tar_members(data)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with open_regular(archive, MAX_ARCHIVE) as data, zipfile.ZipFile(data) as file:
        for info in file.infolist():
            if info.flag_bits & 1:
                raise UserError(f"{archive.name} is encrypted; unpack it and give its folder")
            mode = info.external_attr >> 16
            is_file = stat.S_IFMT(mode) in (0, stat.S_IFREG)
            yield info.filename, info.file_size, is_file, partial(file.open, info)


def _tar_members(data: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=data) as file:
        for member in file:
            name = member.name + "/" * member.isdir()
            yield name, member.size, member.isreg(), partial(file.extractfile, member)


def _debian_data(archive: Path) -> bytes:
    """The member data.tar.* of a Debian package, an `ar` archive (deb(5), ar(5))."""
    data = read_regular(archive, MAX_ARCHIVE)
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
