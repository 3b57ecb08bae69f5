"""`repogen preview`: contact sheet and figures of a dataset."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands
from repogen.errors import UserError


def commands(_words: list[str]) -> Commands:
    return command


def command(
    dataset: Positional[Path], out: Path | None = None, images: int = 48, columns: int = 8
) -> int:
    """Write a contact sheet, figures and one HTML page of a dataset.

    Args:
        dataset: A finished dataset.
        out: Where to write; by default DATASET/preview.
        images: How many pictures to show, evenly spread.
        columns: Pictures in a row.
    """
    if images < 1 or columns < 1:
        raise UserError(f"--images {images} and --columns {columns} must be at least 1")
    from repogen.visualization import preview

    print(preview(dataset, out, images, columns))
    return 0
