"""Cut-outs: pictures with alpha that stand as occluders before people."""

from pathlib import Path

from PIL import Image

from repogen.errors import UserError
from repogen.pictures import MOST_PIXELS


def find_cutouts(folder: Path) -> tuple[Path, ...]:
    """Pictures with alpha in a folder, in order. Raises `UserError` where there are none."""
    if not folder.is_dir():
        raise UserError(f"--cutouts {folder}: no such folder")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".webp"))
    good = tuple(path.resolve() for path in paths if _has_alpha(path))
    if not good:
        raise UserError(
            f"--cutouts {folder}: none of its {len(paths)} .png and .webp files is a picture with "
            "alpha"
        )
    return good


def _has_alpha(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            alpha = "A" in picture.getbands() or "transparency" in picture.info
            return alpha and picture.width * picture.height <= MOST_PIXELS
    except Exception:  # Pillow's decoders raise many kinds
        return False
