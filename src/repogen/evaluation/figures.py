"""Figures of an evaluation."""

import matplotlib

matplotlib.use("Agg")
from matplotlib.figure import Figure

from repogen.evaluation.results import Report
from repogen.messages import figure_text

_COLORS = ("#56b4e9", "#e69f00")
"""Two colours of Okabe and Ito's palette, which colour-blind people can distinguish."""


def blend_figure(report: Report) -> Figure:
    """AP and mean OKS against the alpha of the blend with their intervals, a panel per set."""
    count = len(report.sets)
    figure = Figure(figsize=(4.2 * min(count, 3) + 1, 3.4 * -(-count // 3)), layout="constrained")
    order = sorted(report.alphas, key=report.alphas.__getitem__)
    alphas = [report.alphas[model] for model in order]
    for i, set_report in enumerate(report.sets.values()):
        axes = figure.add_subplot(-(-count // 3), min(count, 3), i + 1)
        for metric, color in zip(("AP", "OKS"), _COLORS, strict=True):
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
