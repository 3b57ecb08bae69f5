"""The page of `repogen preview`: a dataset in words, a contact sheet, maps and figures."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.messages import html_text
from repogen.pages.frame import figure, folded, page, paragraph, picture, section, side_by_side
from repogen.pages.scales import scale_html
from repogen.pages.sphere_map import ring_edges, sphere_svg
from repogen.pages.tables import Cell, Table, table_html
from repogen.visualization.summary import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RINGS, _SECTORS = 9, 18
"""Cells of equal area of the map of views."""

_STATES = (
    (2, "visible", "#3a9a5b"),
    (1, "occluded", "#e0a838"),
    (0, "outside or dropped", "#8a939f"),
)
"""v of a keypoint, what it means, and its colour."""


def summary_html(
    name: str,
    summary: Summary,
    run: Mapping[str, Any],
    sheet: bytes,
    figures: Mapping[str, "Figure"],
    browsed: list[int],
) -> str:
    """The page of the dataset `name` with its run.json, the JPEG of its contact sheet, Matplotlib's
    figures by name, and the ids of the images on browse.html."""
    count = summary.views.total()
    every = "all" if len(browsed) == count else f"{len(browsed):,} of"
    words = f"Page through {every} {count:,} images, by view, visibility and size"
    link = f'<p><a href="browse.html">{html_text(words)}</a></p>'
    body = [
        section("Images", link, picture("contact sheet", sheet)),
        section("Views", side_by_side(_views_table(summary), _views_map(summary))),
        section("Visibility", _visibility(summary)),
    ]
    charts = {"boxes": "Boxes", "angles": "Joint angles"}
    if figures:
        from repogen.pages.charts import chart_svg

        body += [
            section(title, figure("", chart_svg(title, figures[name]), wide=True))
            for name, title in charts.items()
            if name in figures
        ]
    options = "\n".join(map(html_text, json.dumps(run, indent=1).splitlines()))
    body.append(section("Options", folded("run.json", f"<pre>{options}</pre>")))
    return page("preview", f"{name}: {count:,} images", list(_lead(summary, run)), body)


def _lead(summary: Summary, run: Mapping[str, Any]) -> Iterator[str]:
    people, flags = summary.people, summary.people["flags"]
    views = ", ".join(
        f"{name} {images / summary.views.total():.0%}"
        for name, images in summary.views.most_common(6)
    )
    yield f"{summary.views.total():,} images show {len(people):,} people; views: {views}."
    if len(people):
        low, middle, high = np.quantile(people["box"][:, 2:].max(axis=1), [0.1, 0.5, 0.9])
        yield (
            f"Half of the people are larger than {middle:.0f} px on their longer side; four of "
            f"five have {low:.0f} to {high:.0f} px."
        )
        yield (
            f"Of the keypoints {(flags == 2).mean():.0%} are visible, {(flags == 1).mean():.0%} "
            f"occluded, {(flags == 0).mean():.0%} outside of the picture or dropped."
        )
        rare = int((np.abs(people["elevation_deg"]) >= 60).sum())
        yield f"{rare / len(people):.0%} of the people are seen from 60° or more above or below."
    yield (
        f"Backgrounds: {run['backgrounds_found']}. Seed {run['config']['seed']}, repogen "
        f"{run['versions'].get('repogen', 'unknown')}."
    )


def _views_table(summary: Summary) -> str:
    rows = tuple(
        (name, (Cell(str(images), value=images), Cell(f"{images / summary.views.total():.1%}")))
        for name, images in summary.views.most_common()
    )
    return table_html(Table("Views", ("view", "images", "share"), rows))


def _views_map(summary: Summary) -> str:
    """People by the camera's direction, in cells of equal area."""
    people = summary.people
    counts, _, _ = np.histogram2d(
        np.sin(np.radians(people["elevation_deg"])),
        (people["azimuth_deg"] + 180) % 360,
        bins=[np.linspace(-1, 1, _RINGS + 1), np.linspace(0, 360, _SECTORS + 1)],
    )
    edges, width = ring_edges(_RINGS), 360 / _SECTORS

    def name(ring: int, sector: int) -> str:
        return (
            f"elevation {edges[ring]:.0f}° to {edges[ring + 1]:.0f}°, azimuth "
            f"{width * sector - 180:.0f}° to {width * (sector + 1) - 180:.0f}°: "
            f"{counts[ring, sector]:.0f} people"
        )

    highest = max(float(counts.max()), 1.0)
    values = np.where(counts > 0, counts, np.nan)
    return figure(
        "Direction of the camera: azimuth 0° in front of the person, 90° at their left; elevation "
        "90° straight above. Cells have equal areas.",
        sphere_svg("people", values, highest, name),
        scale_html("0", f"{highest:.0f}", "people", empty="nobody"),
    )


def _visibility(summary: Summary) -> str:
    """The shares of visible, occluded and other keypoints of each joint."""
    flags = summary.people["flags"]
    if not len(flags):
        return paragraph("Nobody is labelled.")
    legend = " ".join(
        f'<i class="swatch" style="background:{color}"></i>{name}' for _, name, color in _STATES
    )
    rows = []
    for k, joint in enumerate(COCO_KEYPOINTS):
        shares = {value: float((flags[:, k] == value).mean()) for value, _, _ in _STATES}
        bar = "".join(
            f'<i style="width:{shares[value]:.1%};background:{color}"></i>'
            for value, _, color in _STATES
        )
        cells = "".join(f"<td>{shares[value]:.1%}</td>" for value, _, _ in _STATES)
        name = joint.replace("_", " ")
        rows.append(f'<tr><td>{name}</td><td><div class="stack">{bar}</div></td>{cells}</tr>')
    head = "".join(f"<th>{name}</th>" for _, name, _ in _STATES)
    return (
        f'<p class="note">{legend}</p><div class="scroll"><table><thead><tr><th>joint</th><th></th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
