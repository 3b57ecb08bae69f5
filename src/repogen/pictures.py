"""Decoding untrusted pictures, with a limit on their pixels, and encoding our own.

OpenCV reads its limit when it is imported, so `repogen/__init__.py` sets it.
"""

import re
import struct
import zlib
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import cv2
import numpy as np

from repogen.arrays import UInt8
from repogen.errors import first_line
from repogen.files import open_regular, read_regular
from repogen.limits import MAX_PICTURE, MAX_PIXELS

if TYPE_CHECKING:
    from PIL import Image

JPEG_QUALITY = 92
"""JPEG quality without the jpeg effect."""


_ORIENTATION = 0x0112
"""EXIF's tag; values above 4 turn the picture by 90 degrees."""

_END_BYTES = 2**16
"""Bytes to read from a file's end."""

_REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}

_OTHER_KINDS = {
    rb".{4}ftyp(hei|hev|mif1|msf1)": "a HEIC picture; save it as JPEG or PNG",
    rb".{4}ftyp": "a video or another MP4 file",
    rb"version https://git-lfs": "a Git LFS pointer; fetch the file with git lfs pull",
    rb"\s*(<!doctype|<html|<\?xml)": "a web page or another XML file",
    rb"%PDF": "a PDF file",
}
"""The beginning of files that often have an image's suffix, and what they are."""


@dataclass(frozen=True)
class PictureHeader:
    """What a picture's header says."""

    kind: str
    """Pillow's name of the format, such as JPEG; MPO counts as JPEG."""
    stored: tuple[int, int]
    """Width and height of the pixels in the file, before EXIF orientation."""
    orientation: int
    """EXIF orientation from 1 to 8; 1 leaves the picture as it is stored."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as the picture is shown, after EXIF orientation."""
        return self.stored[::-1] if self.orientation > 4 else self.stored


def read_header(file: Path | BinaryIO) -> PictureHeader | None:
    """The header of a picture file; None for other files and for more than `MAX_PIXELS`."""
    if isinstance(file, Path):
        try:
            with open_regular(file, MAX_PICTURE) as opened:
                return read_header(opened)
        except OSError:
            return None
    from PIL import Image  # slow to import, and seldom needed

    try:
        with Image.open(file) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None
            kind = "JPEG" if picture.format == "MPO" else str(picture.format)
            return PictureHeader(kind, picture.size, _orientation(picture))
    except Exception:  # Pillow's decoders raise many kinds
        return None


def _orientation(picture: "Image.Image") -> int:
    """The orientation that OpenCV and browsers apply: EXIF's, not XMP's, and none in AVIF."""
    from PIL import Image

    try:
        if picture.format == "TIFF":
            exif = picture.getexif()
        else:
            exif = Image.Exif()
            exif.load(b"" if picture.format == "AVIF" else picture.info.get("exif") or b"")
        value = exif.get(_ORIENTATION, 1)
    except Exception:  # a damaged EXIF block
        return 1
    return value if value in range(1, 9) else 1


def has_picture_header(path: Path) -> bool:
    """Whether a file has the header of a picture of at most `MAX_PIXELS`."""
    return read_header(path) is not None


def picture_problem(path: Path, header: PictureHeader | None = None) -> str:
    """Why a file cannot be used as a picture, in words that follow its name; empty if it can.

    `header` is the file's if it has been read. Only the beginning and the end of an intact file
    are read.
    """
    try:
        with open_regular(path, MAX_PICTURE) as file:
            start = file.read(64)
            if header is None:
                file.seek(0)
                header = read_header(file)
            if header is not None:
                return "" if _is_whole(file, header.kind) else "is cut short"
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        return "is missing" if missing else f"cannot be read: {first_line(error)}"
    if not start:
        return "is empty"
    kinds = (
        words for begins, words in _OTHER_KINDS.items() if re.match(begins, start, re.I | re.S)
    )
    return f"is {next(kinds, 'not an image, broken, or too large')}"


def _is_whole(file: BinaryIO, kind: str) -> bool:
    """Whether the end of a JPEG or PNG is there; data may follow it. True for other kinds."""
    if kind not in ("JPEG", "PNG"):
        return True
    file.seek(max(0, file.seek(0, SEEK_END) - _END_BYTES))
    end = file.read()
    if kind == "PNG":
        return b"IEND" in end or b"IEND" in _all(file)
    # The end marker must follow the last scan. A video after the picture (Motion Photos) may hold
    # both by chance: then the markers are followed from the start.
    return end.rfind(b"\xff\xd9") > end.rfind(b"\xff\xda") or _jpeg_ends(_all(file))


def _all(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _jpeg_ends(data: bytes) -> bool:
    """Whether the first picture of a JPEG file has its end marker (ITU-T T.81, annex B)."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xD9:
            return True
        if marker == 0xFF:
            at += 1
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # the scan's data ends at the next marker but restarts and FF 00
            found = _MARKER.search(data, at)
            if found is None:
                return False
            at = found.start()
    return data[at : at + 2] == b"\xff\xd9"


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def read_picture(path: str, flags: int = cv2.IMREAD_COLOR) -> np.ndarray | None:
    """The picture as it is shown, after EXIF orientation, and as `cv2.imread` gives it.

    None for other files and for more than `MAX_PIXELS`. OpenCV applies no orientation to
    `IMREAD_UNCHANGED`.
    """
    try:
        return decode_picture(np.frombuffer(read_regular(path, MAX_PICTURE), np.uint8), flags)
    except OSError:
        return None


def decode_picture(
    data: UInt8[np.ndarray, " n"], flags: int = cv2.IMREAD_COLOR
) -> np.ndarray | None:
    """The picture as `cv2.imdecode` gives it; None as in `read_picture`."""
    try:
        return cv2.imdecode(data, flags) if data.size else None
    except cv2.error:
        return None


def decode_reduced(
    data: UInt8[np.ndarray, " n"], factor: int, as_stored: bool = False
) -> UInt8[np.ndarray, "h w 3"] | None:
    """The picture (BGR) `factor` times smaller in each direction; None as in `read_picture`.

    EXIF orientation is applied, except with `as_stored`. Whatever the format and the sides, pixel
    i is the mean of the pixels i * factor to (i + 1) * factor - 1; the right and lower edges are
    repeated to fill the last pixels.
    """
    flags = cv2.IMREAD_IGNORE_ORIENTATION if as_stored else 0
    # Only JPEG is decoded in blocks from the upper left corner, which must stay there.
    if factor in _REDUCED and bytes(data[:2]) == b"\xff\xd8":
        header = read_header(BytesIO(data.tobytes()))
        if header is not None and (as_stored or header.orientation == 1):
            return decode_picture(data, _REDUCED[factor] | flags)
    picture = decode_picture(data, cv2.IMREAD_COLOR | flags)
    return picture if picture is None or factor == 1 else downsample(picture, factor)


def downsample(picture: UInt8[np.ndarray, "h w 3"], factor: int) -> UInt8[np.ndarray, "a b 3"]:
    """The picture, `factor` times smaller; its right and lower edges are repeated to fill the last
    pixels."""
    height, width = (-(-side // factor) for side in picture.shape[:2])
    below, right = height * factor - picture.shape[0], width * factor - picture.shape[1]
    padded = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return cv2.resize(padded, (width, height), interpolation=cv2.INTER_AREA)


def encode_jpeg(picture: np.ndarray, quality: int = JPEG_QUALITY) -> bytes:
    """A BGR picture as JPEG of a quality from 1 to 100."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f"OpenCV cannot encode {picture.shape} {picture.dtype} as JPEG")
    return data.tobytes()


def encode_png(picture: np.ndarray) -> bytes:
    """A BGR or one-channel picture of 8 or 16 bits as PNG.

    Rows are not predicted and zlib runs at its fastest level: on masks and depth this is much
    faster than OpenCV's writer, and hardly larger (PNG specification, third edition, 2025).
    """
    height, width = picture.shape[:2]
    color = 2 if picture.ndim == 3 else 0
    samples = picture[..., ::-1] if picture.ndim == 3 else picture
    big_endian = np.ascontiguousarray(samples, dtype=picture.dtype.newbyteorder(">"))
    rows = big_endian.view(np.uint8).reshape(height, -1)
    filtered = np.pad(rows, ((0, 0), (1, 0)))  # filter type 0 before every row
    header = struct.pack(">IIBBBBB", width, height, 8 * picture.itemsize, color, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
