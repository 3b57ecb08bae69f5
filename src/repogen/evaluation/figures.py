"""Figures of an evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.evaluation.results import Report, Score, SetReport, SphereMap
from repogen.evaluation.tables import MAIN_METRICS
from repogen.messages import figure_text

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Okabe and Ito's palette, which colour-blind people can distinguish."""

_CELL_SUBDIVISIONS = 24
"""Pieces that each side of a cell is drawn in, because the projection bends it."""


def scores_figure(report: SetReport) -> Figure:
    """The main metrics of each model with their intervals."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.add_subplot()
    scores = report.total.scores
    _plot_intervals(
        axes, {m: [s[k] for k in MAIN_METRICS] for m, s in scores.items()}, MAIN_METRICS
    )
    _legend(figure, axes)
    return figure


def bands_figure(report: SetReport) -> Figure:
    """AP and mean OKS of each model by elevation of the camera, with the number of persons."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    names = [f"{b.low}° … {b.high}°\nn = {b.comparison.persons}" for b in report.bands]
    for axes, metric in zip(figure.subplots(1, 2), ("AP", "OKS"), strict=True):
        values = {
            model: [band.comparison.scores[model][metric] for band in report.bands]
            for model in report.total.scores
        }
        _plot_intervals(axes, values, names)
        axes.set_title(f"{metric} by elevation of the camera", fontsize=10)
    _legend(figure, axes)
    return figure


def joints_figure(report: SetReport) -> Figure:
    """OKS of each joint and model with its interval."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.add_subplot()
    scores = report.total.scores
    values = {m: [s[f"OKS {k}"] for k in COCO_KEYPOINTS] for m, s in scores.items()}
    _plot_intervals(axes, values, [name.replace("_", "\n") for name in COCO_KEYPOINTS])
    axes.set_ylabel("OKS")
    _legend(figure, axes)
    return figure


def sphere_figure(sphere: SphereMap, metric: str = "mean OKS") -> Figure:
    """Mean OKS, or another `metric`, by direction of the camera, one Mollweide map per model; empty
    cells are grey."""
    count = len(sphere.oks)
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(5.5 * columns + 1, 3.3 * rows), layout="constrained")
    rings, sectors = sphere.persons.shape
    azimuth = np.linspace(-np.pi, np.pi, _CELL_SUBDIVISIONS * sectors + 1)
    elevation = np.arcsin(np.linspace(-1, 1, _CELL_SUBDIVISIONS * rings + 1))
    highest = max(float(np.nanmax(oks)) for oks in sphere.oks.values()) or 1.0
    panels: list[Any] = []
    for i, (model, oks) in enumerate(sphere.oks.items()):
        axes = figure.add_subplot(rows, columns, i + 1, projection="mollweide")
        axes.set_facecolor("#bbbbbb")
        fine = np.ma.masked_invalid(np.kron(oks, np.ones((_CELL_SUBDIVISIONS, _CELL_SUBDIVISIONS))))
        axes.pcolormesh(azimuth, elevation, fine, vmin=0, vmax=highest, cmap="viridis")
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=7)
        for tick in axes.get_xticklabels():
            tick.set_path_effects([withStroke(linewidth=2, foreground="white")])
        axes.set_title(figure_text(model), fontsize=10)
        panels.append(axes)
    bar = figure.colorbar(panels[0].collections[0], ax=panels, shrink=0.8)
    bar.set_label(f"{metric} (grey: no persons)")
    figure.supxlabel(
        "azimuth (0° in front of the subject, 90° at its left) and elevation of the camera",
        fontsize=9,
    )
    return figure


def blend_figure(report: Report) -> Figure:
    """AP and mean OKS against the alpha of the blend with their intervals, a panel per set."""
    count = len(report.sets)
    figure = Figure(figsize=(4.2 * min(count, 3) + 1, 3.4 * -(-count // 3)), layout="constrained")
    order = sorted(report.alphas, key=report.alphas.__getitem__)
    alphas = [report.alphas[model] for model in order]
    for i, set_report in enumerate(report.sets.values()):
        axes = figure.add_subplot(-(-count // 3), min(count, 3), i + 1)
        for metric, color in zip(("AP", "OKS"), COLORS, strict=False):
            scores = [set_report.total.scores[model][metric] for model in order]
            axes.plot(alphas, [s.value for s in scores], "o-", color=color, label=metric)
            axes.fill_between(
                alphas, [s.low for s in scores], [s.high for s in scores],
                color=color, alpha=0.2, linewidth=0,
            )  # fmt: skip
        axes.set_title(figure_text(set_report.name), fontsize=10)
        axes.set_xlabel("alpha (0 = --init, 1 = --weights)")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def _plot_intervals(axes: Any, values: Mapping[str, Sequence[Score]], names: Sequence[str]) -> None:
    """Points with intervals; the models stand side by side above each name."""
    width = 0.7 / len(values)
    for i, (model, scores) in enumerate(values.items()):
        x = np.arange(len(names)) + (i - (len(values) - 1) / 2) * width
        color = COLORS[i % len(COLORS)]
        axes.vlines(x, [s.low for s in scores], [s.high for s in scores], color=color, alpha=0.6)
        axes.plot(x, [s.value for s in scores], "o", color=color, markersize=4, label=model)
    axes.set_xticks(np.arange(len(names)), names, fontsize=7)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3, axis="y")


def _legend(figure: Figure, axes: Any) -> None:
    lines, models = axes.lines, [line.get_label() for line in axes.lines]
    labels = [figure_text(str(model)) for model in models]
    figure.legend(lines, labels, fontsize=8, loc="outside upper center", ncols=5)
