"""Textures of clothes, hair and skin: read, combined and written for the renderer."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from repogen.arrays import UInt8
from repogen.errors import UserError, first_line
from repogen.files import read_regular
from repogen.limits import MAX_PICTURE

LONGEST_SIDE = 1024
"""Pixels of a written texture's longer side, at most."""

_PLAIN_SIZE = (8, 8)
"""Pixels of the texture of one colour."""

_MAX_PIXELS = Image.MAX_IMAGE_PIXELS


@dataclass(frozen=True)
class TextureSource:
    """The picture files of a texture, or its one colour, and how to use its alpha."""

    picture: Path | tuple[int, int, int]
    """A file, or sRGB from 0 to 255."""
    occlusion: Path | None
    """Ambient occlusion, multiplied into the colour."""
    transparent: bool
    """Whether the picture's alpha is used; otherwise the surface is opaque."""
    opacity: float
    """0 to 1, multiplied into the alpha."""


def write_texture(path: Path, source: TextureSource) -> None:
    """Write a texture as lossless 8-bit RGBA WebP of at most 1,024 px a side.

    It is a third smaller than PNG. The colours of transparent pixels are kept.

    Raises `UserError` for a picture that is missing, too large or cannot be read.
    """
    colours = _read(source.picture)
    width, height = colours.size
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = _resized(colours, size).astype(np.float32)
    if source.occlusion is not None:
        occlusion = _read(source.occlusion).convert("L").resize(size, Image.Resampling.BOX)
        pixels[..., :3] *= np.asarray(occlusion, np.float32)[..., None] / 255
    if source.transparent:
        pixels[..., 3] *= source.opacity
    else:
        pixels[..., 3] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(pixels).astype(np.uint8)).save(path, "WEBP", lossless=True, exact=True)


def parse_color(numbers: Sequence[object]) -> tuple[int, int, int]:
    """sRGB from 0 to 255 of three numbers from 0 to 1, or in words; clamped to that range.

    Raises `UserError` for anything else.
    """
    try:
        red, green, blue = (
            round(255 * min(max(float(str(number)), 0.0), 1.0)) for number in numbers
        )
    except ValueError as error:
        raise UserError(f"the colour {numbers!r} must be three numbers from 0 to 1") from error
    return red, green, blue


def _read(path: Path | tuple[int, int, int]) -> Image.Image:
    if not isinstance(path, Path):
        return Image.new("RGBA", _PLAIN_SIZE, (*path, 255))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            data = BytesIO(read_regular(path, MAX_PICTURE))
            with Image.open(data) as picture:
                return picture.convert("RGBA")
    except FileNotFoundError as error:
        raise UserError(f"texture {path} is missing") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UserError(f"texture {path} is larger than {_MAX_PIXELS:,} pixels") from error
    except Exception as error:  # Pillow's decoders raise many kinds
        raise UserError(f"texture {path} cannot be read: {first_line(error)}") from error


def _resized(picture: Image.Image, size: tuple[int, int]) -> UInt8[np.ndarray, "h w 4"]:
    """The picture resized with colours weighted by alpha. Where alpha is 0, the file's colours are
    kept, which avoids dark rims."""
    if picture.size == size:
        return np.asarray(picture)
    out = np.array(picture.resize(size, Image.Resampling.BOX))
    plain = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX))
    empty = out[..., 3] == 0
    out[empty, :3] = plain[empty]
    return out
