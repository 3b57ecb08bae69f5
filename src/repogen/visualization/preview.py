"""`repogen preview`: a contact sheet and figures of a dataset, as files and as one page."""

import base64
import io
import json
from pathlib import Path
from typing import Any

from repogen.assets.sources import digest_of
from repogen.config import checked
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import OWN_SCENES, open_dataset, read_run_info, read_scenes
from repogen.errors import UserError
from repogen.extras import can_draw_figures
from repogen.messages import html_text
from repogen.outputs import OutputFolder
from repogen.pictures import encode_jpeg, encode_png
from repogen.visualization.sheet import contact_sheet
from repogen.visualization.summary import Summary, summarize

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px sans-serif;max-width:1200px;margin:2em auto;padding:0 1em}}
img{{max-width:100%}} pre{{background:#f4f4f4;padding:1em;overflow:auto}}</style>
<h1>{title}</h1><p>{summary}</p>
{figures}
<h2>Options</h2><pre>{options}</pre></html>
"""


@checked
def preview(
    dataset: Path | str,
    out: Path | str | None = None,
    images: int = 48,
    columns: int = 8,
    bounds: Path | str | None = None,
) -> Path:
    """Write sheet.png, figures and index.html into `out`, by default DATASET/preview; without
    Matplotlib (the extra `plots`) no figures.

    The sheet shows `images` images at uniform intervals, `columns` side by side. Returns the path
    of the page, which is self-contained. The figure of joint angles shows the distribution of
    random poses, too; for a dataset with joint bounds of its own, `bounds` is their file. Raises
    `UserError` for a folder that is not a finished dataset, for other bounds, and where a
    file in `out` is not of an earlier preview.

    >>> repogen.preview("people")
    PosixPath('people/preview/index.html')
    """
    folder = open_dataset(dataset)
    target = Path(out) if out else folder.root / "preview"
    written = OutputFolder(target, "preview")
    names = ("sheet", "views", "boxes", "visibility", "angles")
    written.check(target / "index.html", *(target / f"{name}.png" for name in names))
    run = read_run_info(folder)
    _check_bounds(folder, run, bounds)
    summary = summarize(folder)
    count = summary.views.total()
    shown = min(images, count)
    ids = sorted({1 + i * count // shown for i in range(shown)})
    sheet = contact_sheet(folder, ids, min(columns, shown), 256)
    written.write(target / "sheet.png", encode_png(sheet))
    pictures = [("Images", "image/jpeg", encode_jpeg(sheet))]
    for name, title, data in _figures(folder, summary, run, bounds):
        written.write(target / f"{name}.png", data)
        pictures.append((title, "image/png", data))
    page = _PAGE.format(
        title=html_text(f"{folder.root.name}: {count} images"),
        summary=html_text(f"{len(summary.people)} people; {run['backgrounds_found']}"),
        figures="\n".join(
            f'<h2>{html_text(title)}</h2><img alt="{html_text(title)}" '
            f'src="data:{kind};base64,{base64.b64encode(data).decode()}">'
            for title, kind, data in pictures
        ),
        options="\n".join(map(html_text, json.dumps(run, indent=1).splitlines())),
    )
    written.write(target / "index.html", page.encode())
    return target / "index.html"


def _check_bounds(folder: DatasetFolder, run: dict[str, Any], bounds: Path | str | None) -> None:
    """Raises `UserError` for a file that is not the one with the bounds of the dataset's poses."""
    if bounds is not None and digest_of(Path(bounds)) != run["files"].get("bounds"):
        raise UserError(f"--bounds {bounds}: {folder.root} was not made with this content")


def _figures(
    folder: DatasetFolder, summary: Summary, run: dict[str, Any], bounds: Path | str | None
) -> list[tuple[str, str, bytes]]:
    if not can_draw_figures("the preview"):
        return []
    from repogen.visualization import plots

    figures = {
        "views": ("Views", plots.views_figure(summary)),
        "boxes": ("Boxes", plots.boxes_figure(summary)),
        "visibility": ("Visibility", plots.visibility_figure(summary)),
    }
    config = run["config"]
    if not config["pose"]["pose"]:
        is_drawn = OWN_SCENES not in run
        poses = plots.random_poses(config, Path(bounds) if bounds else None) if is_drawn else None
        figure = plots.angles_figure(read_scenes(folder), poses)
        figures["angles"] = ("Joint angles", figure)
    out = []
    for name, (title, figure) in figures.items():
        data = io.BytesIO()
        figure.savefig(data, dpi=100)
        out.append((name, title, data.getvalue()))
    return out
