"""What models score, as figures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.evaluation.comparison import SetReport, Sphere
from repogen.evaluation.scores import Score
from repogen.evaluation.tables import SHOWN

if TYPE_CHECKING:
    from repogen.evaluation.report import Report

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Okabe and Ito's, which colour-blind people tell apart."""

_FINE = 24
"""Pieces to draw a cell's side in, for the map bends it."""


def scores_figure(report: SetReport) -> Figure:
    """Every measure of every model with its interval."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.add_subplot()
    scores = report.total.scores
    _whiskers(axes, {m: [s[k] for k in SHOWN] for m, s in scores.items()}, SHOWN)
    _legend(figure, axes)
    return figure


def bands_figure(report: SetReport) -> Figure:
    """AP and mean OKS by the camera's elevation, and how many persons there are."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    names = [f"{b.low}° … {b.high}°\nn = {b.comparison.persons}" for b in report.bands]
    for axes, measure in zip(figure.subplots(1, 2), ("AP", "OKS"), strict=True):
        values = {
            model: [band.comparison.scores[model][measure] for band in report.bands]
            for model in report.total.scores
        }
        _whiskers(axes, values, names)
        axes.set_title(f"{measure} by elevation", fontsize=10)
    _legend(figure, axes)
    return figure


def joints_figure(report: SetReport) -> Figure:
    """OKS of every joint of every model."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.add_subplot()
    scores = report.total.scores
    values = {m: [s[f"OKS {k}"] for k in COCO_KEYPOINTS] for m, s in scores.items()}
    _whiskers(axes, values, [name.replace("_", "\n") for name in COCO_KEYPOINTS])
    axes.set_ylabel("OKS")
    _legend(figure, axes)
    return figure


def sphere_figure(sphere: Sphere) -> Figure:
    """Mean OKS over the directions of the camera, a map for each model; grey where nobody is."""
    count = len(sphere.oks)
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(5.5 * columns + 1, 3.3 * rows), layout="constrained")
    rings, sectors = sphere.persons.shape
    azimuth = np.linspace(-np.pi, np.pi, _FINE * sectors + 1)
    elevation = np.arcsin(np.linspace(-1, 1, _FINE * rings + 1))
    highest = max(float(np.nanmax(oks)) for oks in sphere.oks.values()) or 1.0
    panels: list[Any] = []
    for place, (model, oks) in enumerate(sphere.oks.items()):
        axes = figure.add_subplot(rows, columns, place + 1, projection="mollweide")
        axes.set_facecolor("#bbbbbb")
        fine = np.ma.masked_invalid(np.kron(oks, np.ones((_FINE, _FINE))))
        axes.pcolormesh(azimuth, elevation, fine, vmin=0, vmax=highest, cmap="viridis")
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=7)
        for tick in axes.get_xticklabels():
            tick.set_path_effects([withStroke(linewidth=2, foreground="white")])
        axes.set_title(_label(model), fontsize=10)
        panels.append(axes)
    bar = figure.colorbar(panels[0].collections[0], ax=panels, shrink=0.8)
    bar.set_label("mean OKS (grey: nobody)")
    figure.supxlabel(
        "camera's azimuth (0° in front, 90° at the subject's left) and elevation", fontsize=9
    )
    return figure


def blend_figure(report: "Report") -> Figure:
    """AP and mean OKS against alpha with their intervals, a panel for each set."""
    count = len(report.sets)
    figure = Figure(figsize=(4.2 * min(count, 3) + 1, 3.4 * -(-count // 3)), layout="constrained")
    order = sorted(report.alphas, key=report.alphas.__getitem__)
    alphas = [report.alphas[model] for model in order]
    for place, one in enumerate(report.sets.values()):
        axes = figure.add_subplot(-(-count // 3), min(count, 3), place + 1)
        for measure, color in zip(("AP", "OKS"), COLORS, strict=False):
            scores = [one.total.scores[model][measure] for model in order]
            axes.plot(alphas, [s.value for s in scores], "o-", color=color, label=measure)
            axes.fill_between(
                alphas, [s.low for s in scores], [s.high for s in scores],
                color=color, alpha=0.2, linewidth=0,
            )  # fmt: skip
        axes.set_title(_label(one.name), fontsize=10)
        axes.set_xlabel("alpha (0 = --init, 1 = --weights)")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def _whiskers(axes: Any, values: Mapping[str, Sequence[Score]], names: Sequence[str]) -> None:
    """Points with intervals, the models side by side above each name."""
    width = 0.7 / len(values)
    for place, (model, scores) in enumerate(values.items()):
        at = np.arange(len(names)) + (place - (len(values) - 1) / 2) * width
        color = COLORS[place % len(COLORS)]
        axes.vlines(at, [s.low for s in scores], [s.high for s in scores], color=color, alpha=0.6)
        axes.plot(at, [s.value for s in scores], "o", color=color, markersize=4, label=model)
    axes.set_xticks(np.arange(len(names)), names, fontsize=7)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3, axis="y")


def _legend(figure: Figure, axes: Any) -> None:
    lines, models = axes.lines, [line.get_label() for line in axes.lines]
    figure.legend(
        lines, [_label(str(m)) for m in models], fontsize=8, loc="outside upper center", ncols=5
    )


def _label(name: str) -> str:
    """A name as matplotlib shows it: no mathematics in it, and not hidden for its underscore."""
    text = " ".join(name.split()).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text
