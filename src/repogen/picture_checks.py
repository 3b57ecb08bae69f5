"""Pictures of a user's folders: whether a file is complete, and pictures with alpha."""

import re
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from repogen.arrays import Num, UInt8
from repogen.errors import UserError
from repogen.files import cannot_read, read_regular
from repogen.limits import MAX_PICTURE
from repogen.pictures import decode_picture

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_HEAD_BYTES = 4096
"""Bytes at a file's beginning by which OpenCV recognizes its kind."""
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""A marker of JPEG other than restarts, in compressed data."""


def check_complete(path: Path) -> None:
    """Raises `UserError` as `read_complete` does."""
    read_complete(path)


def read_complete(path: Path) -> bytes:
    """The bytes of a picture file. Raises `UserError` for one that cannot be read, or a JPEG, PNG
    or WebP that is truncated. Nothing is decoded; the content counts, not the name."""
    data = _bytes_of(path)
    if data.startswith(_JPEG):
        complete = _jpeg_is_complete(data)
    elif data.startswith(_PNG):
        complete = any(name == b"IEND" for name, _ in _png_chunks(data))
    elif data.startswith(b"RIFF"):
        complete = int.from_bytes(data[4:8], "little") + 8 <= len(data)
    else:
        if not _known_to_opencv(data):
            raise UserError(f"{path} is not a picture")
        return data
    if not complete:
        raise UserError(f"{path} is truncated or damaged")
    return data


def check_picture(path: Path) -> None:
    """`check_complete`; the picture is decoded, too."""
    data = np.frombuffer(read_complete(path), np.uint8)
    if decode_picture(data, cv2.IMREAD_REDUCED_COLOR_8) is None:
        raise UserError(f"{path} cannot be decoded as a picture")


def check_rgba(path: Path) -> None:
    """Raises `UserError` for a picture that is incomplete, or that `read_rgba` refuses."""
    check_complete(path)
    read_rgba(path)


def check_rgba_once(path: Path) -> None:
    """`check_rgba`, without decoding a file again that has not changed since."""
    try:
        status = path.stat()
    except OSError as error:
        raise cannot_read(path, error) from error
    _checked_rgba(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2**16)
def _checked_rgba(path: Path, _size: int, _time: int) -> None:
    check_rgba(path)


def read_rgba(path: Path) -> UInt8[np.ndarray, "h w 4"]:
    """A picture file as RGBA: grey or colour, of 8 or 16 bits, with or without alpha.

    The transparent colour of a PNG counts as alpha. Raises `UserError` for other files.
    """
    data = _bytes_of(path)
    picture = decode_picture(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{path} is not a picture of 8 or 16 bits")
    wide = picture.dtype == np.uint16
    transparent = None if picture.ndim == 3 else _transparent_grey(data)
    opaque = None if transparent is None else picture != transparent
    if wide:
        picture = _to_8_bits(picture)
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    if picture.shape[2] == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA)
    if opaque is not None:
        picture[..., 3] = np.where(opaque, 255, 0)
    return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA)


def _to_8_bits(picture: Num[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    return ((picture.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _transparent_grey(data: bytes) -> int | None:
    """The grey that a grey PNG calls transparent (its chunk tRNS), as OpenCV gives that grey."""
    if not data.startswith(_PNG) or len(data) < 26 or data[25] != 0:  # colour type 0 is grey
        return None
    depth = data[24]
    sample = next((body for name, body in _png_chunks(data) if name == b"tRNS"), None)
    if sample is None or len(sample) != 2 or depth not in (1, 2, 4, 8, 16):
        return None
    value = int.from_bytes(sample, "big")
    return value if depth >= 8 else value * 255 // (2**depth - 1)


def _bytes_of(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_PICTURE)
    except OSError as error:
        raise cannot_read(path, error) from error


def _known_to_opencv(data: bytes) -> bool:
    with TemporaryDirectory(prefix="repogen-") as folder:  # OpenCV looks only at files
        head = Path(folder) / "head"
        head.write_bytes(data[:_HEAD_BYTES])
        return bool(cv2.haveImageReader(str(head)))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of the chunks of a PNG, up to the first that is truncated or damaged."""
    at = len(_PNG)
    while at + 12 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if end > len(data):
            return
        body = data[at + 8 : end - 4]
        if zlib.crc32(name + body) != int.from_bytes(data[end - 4 : end], "big"):
            return
        yield name, body
        at = end


def _jpeg_is_complete(data: bytes) -> bool:
    """Whether the markers of a JPEG lead to its end; bytes after it (a video, say) are ignored."""
    at = 2
    while found := _MARKER.search(data, at):
        at, marker = found.start() + 2, data[found.start() + 1]
        if marker == 0xD9:  # end of image
            return True
        if marker != 0x01:
            at += int.from_bytes(data[at : at + 2], "big")
    return False
