"""What a dataset holds, as figures: views, joint angles, box sizes, visibility."""

from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.figure import Figure

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.poses.bounds import SHOULDER_DROP_DEG, Bounds
from repogen.poses.distributions import AngleDistribution
from repogen.scenes.scene import Scene

_SHOWN = (
    ("left_hip", "x"), ("right_hip", "z"), ("left_knee", "x"), ("spine2", "y"),
    ("neck", "x"), ("head", "y"), ("left_shoulder", "y"), ("left_shoulder", "z"),
    ("right_shoulder", "z"), ("left_elbow", "y"), ("right_elbow", "y"), ("right_wrist", "z"),
)  # fmt: skip


def views_figure(coco: dict[str, Any]) -> Figure:
    """Camera directions on the sphere: azimuth across, elevation up, equal areas."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot(projection="mollweide")
    views = [image["view"] for image in coco["images"]]
    for name in sorted({view["name"] for view in views}):
        chosen = [view for view in views if view["name"] == name]
        axes.scatter(
            np.radians([view["azimuth_deg"] for view in chosen]),
            np.radians([view["elevation_deg"] for view in chosen]),
            s=8, label=name, alpha=0.7,
        )  # fmt: skip
    axes.grid(alpha=0.4)
    axes.set_title("camera directions (0 = in front, 90 = at the subject's left)")
    axes.legend(loc="lower right", fontsize=8)
    return figure


def angles_figure(
    scenes: list[Scene], bounds: Bounds, distribution: AngleDistribution, variance: float
) -> Figure:
    """Histograms of a dozen joint angles against the density they were drawn from."""
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    for place, (joint, axis) in enumerate(_SHOWN):
        index = "xyz".index(axis)
        low, high = bounds[joint][index] * variance
        shift = {"left_shoulder": -1.0, "right_shoulder": 1.0}.get(joint, 0.0) * SHOULDER_DROP_DEG
        shift *= axis == "z"
        drawn = np.array([p.angles[joint][index] - shift for s in scenes for p in s.people])
        axes = figure.add_subplot(3, 4, place + 1)
        span = max(float(np.abs(drawn).max()), high - low, 1.0) * 1.05
        edges = np.linspace(min(drawn.min(), low), max(drawn.max(), high, low + 1), 31)
        axes.hist(drawn, bins=edges.tolist(), density=True, color="#8fb3d9")
        at = np.linspace(-span, span, 801)
        at = at[(at >= edges[0]) & (at <= edges[-1])]
        if high > low:
            axes.plot(at, distribution.pdf(at, (low, high)), color="#b03030", linewidth=1)
        axes.set_title(f"{joint} {axis}", fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_yticks([])
    figure.suptitle("joint angles, degrees, and their density (a bound of 0 holds half the mass)")
    return figure


def boxes_figure(coco: dict[str, Any]) -> Figure:
    """Sizes of the boxes: the longer side as a share of the image, and the aspect."""
    sizes = {image["id"]: max(image["width"], image["height"]) for image in coco["images"]}
    boxes = np.array([a["bbox"] for a in coco["annotations"]]).reshape(-1, 4)
    sides = np.array([sizes[a["image_id"]] for a in coco["annotations"]])
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.hist(
        boxes[:, 2:].max(axis=1) / sides, bins=np.linspace(0, 1.001, 31).tolist(), color="#8fb3d9"
    )
    left.set_xlabel("longer side of the box / of the image")
    right.hist(np.log2(boxes[:, 2] / boxes[:, 3]), bins=31, color="#8fb3d9")
    right.set_xlabel("log2 width / height")
    return figure


def visibility_figure(coco: dict[str, Any]) -> Figure:
    """Share of visible, occluded and outside keypoints for each joint."""
    flags = np.array([a["keypoints"][2::3] for a in coco["annotations"]]).reshape(-1, 17)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    start = np.zeros(17)
    for value, name, color in (
        (2, "visible", "#5aa469"), (1, "occluded", "#e0b050"), (0, "outside or dropped", "#999999")
    ):  # fmt: skip
        share = (flags == value).mean(axis=0)
        axes.barh(COCO_KEYPOINTS, share, left=start, label=name, color=color)
        start += share
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=3)
    return figure
