"""`repogen preview`: a contact sheet and figures of a dataset, as files and as one page."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repogen.assets.sources import digest_of
from repogen.config import checked
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import OWN_SCENES, open_dataset, read_run_info, read_scenes
from repogen.errors import UserError
from repogen.extras import can_draw_figures
from repogen.outputs import OutputFolder
from repogen.pictures import encode_jpeg, encode_png
from repogen.visualization.browse import browse_html, browsed_ids, uniform_ids
from repogen.visualization.page import summary_html
from repogen.visualization.sheet import contact_sheet
from repogen.visualization.summary import Summary, summarize

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checked
def preview(
    dataset: Path | str,
    out: Path | str | None = None,
    images: int = 48,
    columns: int = 8,
    bounds: Path | str | None = None,
) -> Path:
    """Write sheet.png, figures, index.html and browse.html into `out`, by default DATASET/preview;
    without Matplotlib (the extra `plots`) no figures.

    The sheet shows `images` images at uniform intervals, `columns` side by side. Returns the path
    of index.html, which is self-contained. browse.html shows the dataset's pictures (at most
    10,000; of shards small copies of at most 1,000), to be paged and filtered. The figure of joint
    angles shows the distribution of random poses, too; for a dataset with joint bounds of its own,
    `bounds` is their file. Raises `UserError` for a folder that is not a finished dataset, for
    other bounds, and where a file in `out` is not of an earlier preview.

    >>> repogen.preview("people")
    PosixPath('people/preview/index.html')
    """
    folder = open_dataset(dataset)
    target = Path(out) if out else folder.root / "preview"
    written = OutputFolder(target, "preview")
    names = ("sheet", "views", "boxes", "visibility", "angles")
    pages = ("index.html", "browse.html")
    written.check(*(target / name for name in pages), *(target / f"{name}.png" for name in names))
    run = read_run_info(folder)
    _check_bounds(folder, run, bounds)
    summary = summarize(folder)
    count = summary.views.total()
    shown = min(images, count)
    sheet = contact_sheet(folder, uniform_ids(count, images), min(columns, shown), 256)
    written.write(target / "sheet.png", encode_png(sheet))
    figures = _figures(folder, summary, run, bounds)
    for name, one in figures.items():
        written.write(target / f"{name}.png", _png(one))
    browsed = browsed_ids(folder, count)
    written.write(target / "browse.html", browse_html(folder, browsed, target).encode())
    text = summary_html(folder.root.name, summary, run, encode_jpeg(sheet), figures, browsed)
    written.write(target / "index.html", text.encode())
    return target / "index.html"


def _check_bounds(folder: DatasetFolder, run: dict[str, Any], bounds: Path | str | None) -> None:
    """Raises `UserError` for a file that is not the one with the bounds of the dataset's poses."""
    if bounds is not None and digest_of(Path(bounds)) != run["files"].get("bounds"):
        raise UserError(f"--bounds {bounds}: {folder.root} was not made with this content")


def _figures(
    folder: DatasetFolder, summary: Summary, run: dict[str, Any], bounds: Path | str | None
) -> dict[str, "Figure"]:
    """Figures by the names of their files; empty without Matplotlib."""
    if not can_draw_figures("the preview"):
        return {}
    from repogen.visualization import plots

    figures = {
        "views": plots.views_figure(summary),
        "boxes": plots.boxes_figure(summary),
        "visibility": plots.visibility_figure(summary),
    }
    config = run["config"]
    if not config["pose"]["pose"]:
        is_drawn = OWN_SCENES not in run
        poses = plots.random_poses(config, Path(bounds) if bounds else None) if is_drawn else None
        figures["angles"] = plots.angles_figure(read_scenes(folder), poses)
    return figures


def _png(figure: "Figure") -> bytes:
    data = io.BytesIO()
    figure.savefig(data, dpi=100)
    return data.getvalue()
