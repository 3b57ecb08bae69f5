"""Cut-outs: pictures with alpha that stand as occluders before people."""

from io import BytesIO
from pathlib import Path

from repogen.errors import UserError
from repogen.files import cannot_read, read_regular
from repogen.limits import MAX_PICTURE, MAX_PIXELS
from repogen.picture_checks import check_rgba
from repogen.usable_files import find_usable, report_bad


def find_cutouts(folder: Path) -> tuple[Path, ...]:
    """Pictures with alpha in a folder, in order; one warning counts the files left out.

    Raises `UserError` where there are none.
    """
    if not folder.is_dir():
        raise UserError(f"--cutouts {folder}: no such folder")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".webp"))
    if not paths:
        raise UserError(f"--cutouts {folder}: no .png or .webp files in it")
    found = find_usable([path.absolute() for path in paths], check_cutout, str(folder))
    if not found.files:
        raise UserError(
            f"--cutouts {folder}: none of its {len(paths)} .png and .webp files is a picture with "
            f"alpha, the first because {found.bad[0]}"
        )
    report_bad(f"--cutouts {folder}", found)
    return found.files


def check_cutout(path: Path) -> None:
    """Raises `UserError` for a file that is not a whole picture with alpha."""
    cutout_size(path)
    check_rgba(path)


def cutout_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture with alpha, pixels. Raises `UserError` for other files."""
    try:
        data = BytesIO(read_regular(path, MAX_PICTURE))
    except OSError as error:
        raise cannot_read(path, error) from error
    from PIL import Image  # slow to import, and seldom needed

    try:
        with Image.open(data) as picture:
            width, height = picture.size
            alpha = "A" in picture.getbands() or "transparency" in picture.info
    except Exception as error:  # Pillow's decoders raise many kinds
        raise UserError(f"{path} cannot be read as a picture") from error
    if width * height > MAX_PIXELS:
        raise UserError(f"{path} has {width} x {height} pixels; the limit is {MAX_PIXELS:,}")
    if not alpha:
        raise UserError(f"{path} has no alpha")
    return width, height
