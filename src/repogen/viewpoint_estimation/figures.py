"""Figures of the camera directions of a set of people."""

from collections.abc import Mapping
from itertools import pairwise

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from repogen.arrays import Float
from repogen.cameras.viewpoints import BANDS
from repogen.messages import figure_text
from repogen.viewpoint_estimation.sphere import (
    AZIMUTHS,
    CELL_AREAS,
    ELEVATIONS,
    QUADRANTS,
    sum_by_band,
)

_COLORS = ("#0072b2", "#56b4e9", "#999999", "#e69f00")
"""A colour for each quadrant from Okabe and Ito's palette, which colour-blind people can
distinguish."""

_SIDES = ("back", "right", "front", "left", "back")


def sphere_figure(title: str, charts: Mapping[str, Float[np.ndarray, "36 72"]]) -> Figure:
    """A Mollweide heat map for each chart (share of people by cell, by name), on one scale."""
    figure = Figure(figsize=(6.5 * len(charts) + 1, 4.1), layout="constrained")
    density = {name: cells / CELL_AREAS for name, cells in charts.items()}
    highest = max(float(values.max()) for values in density.values())
    panels = []
    for i, (name, values) in enumerate(density.items()):
        axes = figure.add_subplot(1, len(charts), i + 1, projection="mollweide")
        heat = axes.pcolormesh(
            np.radians(AZIMUTHS), np.radians(ELEVATIONS), values,
            vmin=0, vmax=highest, cmap="magma", rasterized=True,
        )  # fmt: skip
        axes.grid(alpha=0.25)
        axes.set_xticks(np.radians([-165, -90, 0, 90, 165]), _SIDES)
        axes.set_yticks(np.radians(BANDS[1:-1]))
        axes.tick_params(labelsize=8)
        for tick in axes.get_xticklabels():
            tick.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
        axes.set_title(figure_text(name), fontsize=10)
        panels.append(axes)
    bar = figure.colorbar(heat, ax=panels, shrink=0.75)
    bar.set_label("people per area (1 = uniform on the sphere)")
    figure.suptitle(figure_text(title), fontsize=12)
    figure.supxlabel("direction of the camera, seen from the subject", fontsize=10)
    return figure


def bands_figure(title: str, charts: Mapping[str, Float[np.ndarray, "36 72"]]) -> Figure:
    """Shares of people by elevation band, stacked by side; marks show the uniform sphere."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.add_subplot()
    ticks, width = np.arange(len(BANDS) - 1), 0.75 / len(charts)
    for i, (name, cells) in enumerate(charts.items()):
        shares, x = 100 * sum_by_band(cells), ticks + (i - (len(charts) - 1) / 2) * width
        bottom = np.zeros(len(ticks))
        for side, color, share in zip(QUADRANTS, _COLORS, shares.T, strict=True):
            axes.bar(
                x, share, 0.92 * width, bottom=bottom, color=color, alpha=1 if i == 0 else 0.5,
                label=figure_text(f"{side}, {name}") if len(charts) > 1 else side,
            )  # fmt: skip
            bottom += share
    uniform = 100 * sum_by_band(CELL_AREAS).sum(axis=1)
    axes.hlines(
        uniform, ticks - 0.45, ticks + 0.45, color="black", linestyle="--", label="uniform sphere"
    )
    axes.set_xticks(ticks, [f"{low}° … {high}°" for low, high in pairwise(BANDS)])
    axes.set_xlabel("elevation of the camera (90° = straight above)")
    axes.set_ylabel("share of people, %")
    figure.suptitle(figure_text(title), fontsize=11)
    figure.legend(fontsize=8, loc="outside right upper")
    return figure
