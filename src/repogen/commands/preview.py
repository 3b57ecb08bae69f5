"""`repogen preview`: draw a contact sheet and figures of a dataset."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands
from repogen.errors import UserError


def commands(_words: list[str]) -> Commands:
    return command


def command(
    dataset: Positional[Path],
    out: Path | None = None,
    images: int = 48,
    columns: int = 8,
    bounds: Path | None = None,
) -> int:
    """Write a contact sheet, figures and one HTML page of a dataset.

    Args:
        dataset: A finished dataset.
        out: Folder to write to; by default DATASET/preview.
        images: Number of images on the sheet, at least 1, at equal steps through the dataset.
        columns: Images in a row, at least 1.
        bounds: The file of joint bounds that the dataset was made with, to plot its poses' range.
    """
    if images < 1 or columns < 1:
        raise UserError(f"--images {images} and --columns {columns} must be at least 1")
    from repogen.visualization import preview

    print(preview(dataset, out, images, columns, bounds))
    return 0
