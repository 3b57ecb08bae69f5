"""The figure of a run."""

from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.figure import Figure

from repogen.messages import figure_text


def training_figure(log: list[dict[str, Any]], losses: list[float]) -> Figure:
    """The loss of every step and its mean over each epoch; AP and OKS of validation sets, if any.

    `log` holds the entries of log.jsonl, `losses` one loss per step.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    names = list(log[-1].get("val", {}))
    panels = figure.subplots(1, 2 if names else 1, squeeze=False)[0]
    left, right = panels[0], panels[-1]
    epochs = [entry["epoch"] for entry in log]
    steps = np.arange(1, len(losses) + 1) * len(log) / len(losses)
    left.plot(steps, losses, color="#8fb3d9", linewidth=0.8, label="step")
    left.plot(epochs, [entry["loss"] for entry in log], color="#b03030", label="epoch mean")
    left.set_yscale("log")
    left.set_title("loss")
    left.legend(fontsize=8)
    for index, name in enumerate(names):
        scores = [entry["val"][name] for entry in log]
        color = f"C{index}"
        for metric, line in (("AP", "-"), ("OKS", ":")):
            values = [s[metric] for s in scores]
            label = figure_text(f"{name} {metric}")
            right.plot(epochs, values, color=color, linestyle=line, label=label)
    if names:
        right.set_title("validation")
        right.set_ylim(bottom=0)
        right.legend(fontsize=8)
    for axes in panels:
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.4)
    return figure
