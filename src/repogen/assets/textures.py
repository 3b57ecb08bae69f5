"""Pictures of clothes, hair and skin, made ready for the renderer."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from repogen.errors import UserError

LONGEST_SIDE = 1024

_MOST_PIXELS = Image.MAX_IMAGE_PIXELS


@dataclass(frozen=True)
class Material:
    """Where a surface's pictures lie, and how its alpha is to be read."""

    picture: Path
    occlusion: Path | None
    """Ambient occlusion, multiplied into the colour."""
    transparent: bool
    """Whether the picture's alpha cuts holes; without it the surface is opaque."""
    opacity: float


def write_texture(path: Path, material: Material) -> None:
    """Write the picture of a material as RGBA PNG, 8 bit, at most 1,024 px long.

    Raises `UserError` for a file that is no picture.
    """
    colours = _read(material.picture)
    width, height = colours.size
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = _resized(colours, size).astype(np.float32)
    if material.occlusion is not None:
        shade = _read(material.occlusion).convert("L").resize(size, Image.Resampling.BOX)
        pixels[..., :3] *= np.asarray(shade, np.float32)[..., None] / 255
    if material.transparent:
        pixels[..., 3] *= material.opacity
    else:
        pixels[..., 3] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(pixels).astype(np.uint8)).save(path)


def _read(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return picture.convert("RGBA")
    except FileNotFoundError as error:
        raise UserError(f"texture {path} is missing") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UserError(f"texture {path} is larger than {_MOST_PIXELS:,} pixels") from error
    except Exception as error:  # Pillow's decoders raise many kinds
        why = str(error) or type(error).__name__
        raise UserError(f"texture {path} is no picture that can be read: {why}") from error


def _resized(picture: Image.Image, size: tuple[int, int]) -> UInt8[np.ndarray, "h w 4"]:
    """Averaged by coverage; where nothing covers, the colour stays that of the file, so that no
    dark rim shows."""
    if picture.size == size:
        return np.asarray(picture)
    out = np.array(picture.resize(size, Image.Resampling.BOX))
    plain = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX))
    empty = out[..., 3] == 0
    out[empty, :3] = plain[empty]
    return out
