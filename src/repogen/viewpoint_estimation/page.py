"""The page of `repogen views`: from where the people of a file are seen."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.pages.frame import figure, page, paragraph, section, side_by_side
from repogen.pages.scales import scale_html
from repogen.pages.sphere_map import sphere_svg
from repogen.pages.tables import Cell, Table, table_html
from repogen.viewpoint_estimation.sphere import AZIMUTHS, CELL_AREAS, ELEVATIONS, QUADRANTS

_STEEP_DEG = 60

_UNCUT = 0.95
"""Share of the sphere whose density has a colour of its own."""

_COARSER = 2
"""Cells of the map along a side of one on the page, which keeps the page small."""


def views_html(
    title: str, report: Mapping[str, Any], charts: Mapping[str, Float[np.ndarray, "36 72"]]
) -> str:
    """The page of views.json's content, and of the shares of people by cell that `charts` name."""
    body = [section("Directions of the camera", _maps(charts)), section("Shares", _shares(report))]
    if "shares_in_file" in report:
        table = _share_table(report["shares_in_file"])
        body.append(section("Shares by the views in the file", table))
    body.append(
        section(
            "Errors",
            paragraph(
                "Angles in degrees between the estimated and the true direction of held-out "
                "generated people, by the labelled joints and by elevation."
            ),
            _errors(report["held_out_error_deg"]),
        )
    )
    return page("views", title, list(_lead(report)), body)


def _lead(report: Mapping[str, Any]) -> Iterator[str]:
    rows = report["shares"]
    yield (
        f"{report['persons']:,} persons; {report['left_out']:,} are left out (crowds, fewer than "
        f"{report['min_joints']} labelled joints)."
    )
    steep = [r for r in rows if _STEEP_DEG in map(abs, r["elevation_deg"])]
    steep = [r for r in steep if max(map(abs, r["elevation_deg"])) > _STEEP_DEG]
    share, sphere = (sum(row[key] for row in steep) for key in ("all", "even_sphere"))
    yield (
        f"{share:.1%} are seen from {_STEEP_DEG}° or more above or below; cameras all over the "
        f"sphere would see {sphere:.1%} so."
    )
    sides = {side: sum(row[side] for row in rows) for side in QUADRANTS}
    most, least = max(sides, key=sides.__getitem__), min(sides, key=sides.__getitem__)
    yield (
        f"Most are seen from their {most} ({sides[most]:.0%}), the fewest from their {least} "
        f"({sides[least]:.0%})."
    )
    yield f"Each direction is off by {report['expected_error_deg']:.0f}° on average, as estimated."
    if "error_deg" in report:
        median = report["error_deg"]["median"]
        yield f"Against the views in the file the estimate is off by {median:.0f}° in the median."


def _maps(charts: Mapping[str, Float[np.ndarray, "36 72"]]) -> str:
    density = {name: _coarser(cells) / _coarser(CELL_AREAS) for name, cells in charts.items()}
    highest = max(1.0, *(_upper_end(values) for values in density.values()))
    edges = ELEVATIONS[::_COARSER]
    azimuths = AZIMUTHS[::_COARSER]

    def name(ring: int, sector: int) -> str:
        shares = ", ".join(f"{n} {v[ring, sector]:.2f}" for n, v in density.items())
        return (
            f"elevation {edges[ring]}° to {edges[ring + 1]}°, azimuth {azimuths[sector]}° to "
            f"{azimuths[sector + 1]}°: {shares}"
        )

    return figure(
        "By the person's own axes: azimuth 0° in front, 90° at their left; elevation 90° above the "
        "head. 1 is the density of cameras all over the sphere.",
        side_by_side(*(sphere_svg(n, v, highest, name, edges) for n, v in density.items())),
        scale_html("0", f"{highest:.1f} and more", "people per area"),
    )


def _upper_end(density: Float[np.ndarray, "r a"]) -> float:
    """The density above which are 5 % of the sphere: few cells, at the poles, may be far above."""
    order = np.argsort(density, axis=None)
    below = np.cumsum(_coarser(CELL_AREAS).ravel()[order])
    return float(density.ravel()[order][np.searchsorted(below, _UNCUT)])


def _coarser(cells: Float[np.ndarray, "36 72"]) -> Float[np.ndarray, "r a"]:
    rings, sectors = cells.shape[0] // _COARSER, cells.shape[1] // _COARSER
    return cells.reshape(rings, _COARSER, sectors, _COARSER).sum(axis=(1, 3))


def _shares(report: Mapping[str, Any]) -> str:
    return _share_table(report["shares"]) + paragraph(
        '"sphere" is the share that cameras all over the sphere would have.', "note"
    )


def _share_table(rows: list[dict[str, Any]]) -> str:
    columns = (*QUADRANTS, "all", "even_sphere")
    return table_html(
        Table(
            "Shares",
            ("elevation", *QUADRANTS, "all", "sphere"),
            tuple(
                (
                    f"{row['elevation_deg'][0]}° … {row['elevation_deg'][1]}°",
                    tuple(Cell(f"{row[key]:.1%}", value=row[key]) for key in columns),
                )
                for row in reversed(rows)
            ),
        )
    )


def _errors(rows: list[dict[str, Any]]) -> str:
    keys = ("median", "mean", "lower_quartile", "upper_quartile", "persons")
    names = ("median", "mean", "lower quartile", "upper quartile", "persons")
    return table_html(
        Table(
            "Errors",
            ("labelled joints", "elevation", *names),
            tuple(
                (
                    row["joints"],
                    (
                        Cell(
                            f"{row['elevation_deg'][0]}° … {row['elevation_deg'][1]}°",
                            value=row["elevation_deg"][0],
                        ),
                        *(Cell(f"{row[key]:g}", value=row[key]) for key in keys),
                    ),
                )
                for row in rows
            ),
        )
    )
