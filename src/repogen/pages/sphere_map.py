"""Maps of the directions from which cameras see people, as SVG, in Mollweide's projection."""

from collections.abc import Callable

import numpy as np

from repogen.arrays import Float
from repogen.messages import html_text
from repogen.pages.scales import sequential

_RADIUS = 100.0
"""Half of the map's height, in units of the drawing; its width is twice its height."""

_ARC = 6
"""Points along the side of a cell; parallels are straight lines in this projection."""


def mollweide(
    azimuth: Float[np.ndarray, " n"], elevation: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n 2"]:
    """x to the right, from -2 to 2, and y down, from -1 to 1, of directions in degrees."""
    target = np.pi * np.sin(np.radians(elevation))
    low, high = np.full_like(target, -np.pi / 2), np.full_like(target, np.pi / 2)
    for _ in range(40):  # 2 t + sin 2 t rises with t, so halving finds it
        middle = (low + high) / 2
        above = 2 * middle + np.sin(2 * middle) > target
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    t = (low + high) / 2
    return np.stack([azimuth / 90 * np.cos(t), -np.sin(t)], axis=1)


def ring_edges(rings: int) -> Float[np.ndarray, " r"]:
    """Elevations in degrees between rings of equal area, from -90 up."""
    return np.degrees(np.arcsin(np.linspace(-1, 1, rings + 1)))


def sphere_svg(
    title: str,
    values: Float[np.ndarray, "r a"],
    highest: float,
    name: Callable[[int, int], str],
    edges: Float[np.ndarray, " e"] | None = None,
) -> str:
    """A map of `values` by ring (from elevation -90 up) and sector (from azimuth -180 on).

    NaN is grey; `highest` has the brightest colour. `name` is the text that is shown when the
    pointer is on a cell (ring, sector). Rings have equal areas unless `edges` (degrees) are given.
    """
    rings, sectors = values.shape
    elevations = ring_edges(rings) if edges is None else edges
    azimuths = np.linspace(-180, 180, sectors + 1)
    colors = iter(sequential(np.nan_to_num(values.ravel()) / highest))
    cells = []
    for ring in range(rings):
        heights = np.linspace(elevations[ring], elevations[ring + 1], _ARC)
        for sector in range(sectors):
            around = [*heights, *heights[::-1]]
            sides = np.repeat(azimuths[sector : sector + 2], _ARC)
            points = _RADIUS * mollweide(sides, np.array(around))
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            color = next(colors)
            fill = "var(--empty)" if np.isnan(values[ring, sector]) else color
            cells.append(
                f'<path d="M{path}Z" style="fill:{fill};stroke:{fill}">'
                f"<title>{html_text(name(ring, sector))}</title></path>"
            )
    return (
        f'<svg viewBox="-232 -122 464 248" width="464" role="img" aria-label="{html_text(title)}" '
        f'font-size="11"><g stroke-width=".4">{"".join(cells)}</g>{_grid()}'
        f'<text x="0" y="-107" text-anchor="middle" font-size="12">{html_text(title)}</text></svg>'
    )


def _grid() -> str:
    out = [f'<ellipse rx="{2 * _RADIUS:g}" ry="{_RADIUS:g}" fill="none" stroke="currentColor"/>']
    for azimuth in (-90, 0, 90):
        points = _RADIUS * mollweide(np.full(25, azimuth), np.linspace(-90, 90, 25))
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        out.append(f'<path d="M{path}" fill="none" stroke="#fff" opacity=".45"/>')
    for elevation in (-60, -30, 0, 30, 60):
        ((x, y),) = _RADIUS * mollweide(np.array([180.0]), np.array([elevation]))
        out.append(f'<path d="M{-x:.1f} {y:.1f}H{x:.1f}" stroke="#fff" opacity=".45"/>')
        out.append(f'<text x="{-x - 5:.1f}" y="{y + 4:.1f}" text-anchor="end">{elevation}°</text>')
    sides = {-190: "back", -100: "right", 0: "front", 100: "left", 190: "back"}
    out += [
        f'<text x="{x}" y="119" text-anchor="middle">{side}</text>' for x, side in sides.items()
    ]
    return "".join(out)
