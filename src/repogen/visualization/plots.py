"""What a dataset holds, as figures: views, joint angles, box sizes, visibility."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.poses.bounds import SHOULDER_DROP_DEG, Bounds, default_bounds, load_bounds
from repogen.poses.distributions import DISTRIBUTIONS, AngleDistribution
from repogen.scenes.scene import Scene
from repogen.visualization.summary import Summary

_SHOWN = (
    ("left_hip", "x"), ("right_hip", "z"), ("left_knee", "x"), ("spine2", "y"),
    ("neck", "x"), ("head", "y"), ("left_shoulder", "y"), ("left_shoulder", "z"),
    ("right_shoulder", "z"), ("left_elbow", "y"), ("right_elbow", "y"), ("right_wrist", "z"),
)  # fmt: skip


_STRAIGHT = (0.0, 0.0, 0.0)


def views_figure(summary: Summary) -> Figure:
    """Where the camera stands for each person: azimuth across, elevation up, equal areas."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot(projection="mollweide")
    names = list(summary.views)
    for name in sorted(names):
        chosen = summary.people[summary.people["view"] == names.index(name)]
        angles = np.radians(chosen["azimuth_deg"]), np.radians(chosen["elevation_deg"])
        axes.scatter(*angles, s=8, label=name, alpha=0.7)
    axes.grid(alpha=0.4)
    axes.set_title("the camera from each person (0 = in front, 90 = at the subject's left)")
    axes.legend(loc="lower right", fontsize=8)
    return figure


@dataclass(frozen=True)
class RandomPoses:
    """What random poses are drawn from, and what share of all poses is random."""

    bounds: Bounds
    distribution: AngleDistribution
    variance: float
    share: float

    def limits(self, joint: str, axis: int) -> tuple[float, float]:
        """The lowest and highest angle, degrees."""
        drop = {"left_shoulder": -SHOULDER_DROP_DEG, "right_shoulder": SHOULDER_DROP_DEG}
        shift = drop.get(joint, 0.0) if axis == 2 else 0.0
        low, high = self.bounds[joint][axis] * self.variance
        return low + shift, high + shift

    def density(self, joint: str, axis: int, x: Float[np.ndarray, " k"]) -> np.ndarray:
        """That of all poses, as far as the random ones make it up, per degree."""
        low, high = self.bounds[joint][axis] * self.variance
        shift = self.limits(joint, axis)[0] - low
        return self.share * self.distribution.pdf(x - shift, (low, high))


def random_poses(config: dict[str, Any]) -> RandomPoses | None:
    """What the options in a run.json say of them; None where all poses are measured, or the file
    of the bounds is gone."""
    share = 1.0 - config["pose"]["poses_share"] if config["pose"]["poses"] else 1.0
    path = Path(config["pose"]["bounds"]) if config["pose"]["bounds"] else None
    if share == 0 or (path and not path.exists()):
        return None
    return RandomPoses(
        load_bounds(path) if path else default_bounds(),
        DISTRIBUTIONS[config["pose"]["pose_distribution"]],
        config["pose"]["pose_variance"],
        share,
    )


def angles_figure(scenes: Iterable[Scene], random: RandomPoses | None) -> Figure:
    """Histograms of a dozen joint angles in the scenes, with the density of the random poses
    among them where it is known."""
    shown = [(joint, "xyz".index(name)) for joint, name in _SHOWN]
    angles = [
        [person.angles.get(joint, _STRAIGHT)[axis] for joint, axis in shown]
        for scene in scenes
        for person in scene.people
    ]
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    for place, ((joint, axis), drawn) in enumerate(zip(shown, np.transpose(angles), strict=True)):
        low, high = random.limits(joint, axis) if random else (drawn.min(), drawn.max())
        edges = np.linspace(min(drawn.min(), low), max(drawn.max(), high, low + 1), 31)
        axes = figure.add_subplot(3, 4, place + 1)
        axes.hist(drawn, bins=edges.tolist(), density=True, color="#8fb3d9")
        if random and high > low:
            at = np.linspace(edges[0], edges[-1], 801)
            axes.plot(at, random.density(joint, axis, at), color="#b03030", linewidth=1)
        axes.set_title(f"{joint} {'xyz'[axis]}", fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_yticks([])
    title = "joint angles, degrees"
    if random:
        title += ", and the density of random ones (a bound of 0 holds half the mass)"
    figure.suptitle(title)
    return figure


def boxes_figure(summary: Summary) -> Figure:
    """Sizes of the boxes: the longer side as a share of the image, and the aspect."""
    boxes, sides = summary.people["box"], summary.people["side"]
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.hist(
        boxes[:, 2:].max(axis=1) / sides, bins=np.linspace(0, 1.001, 31).tolist(), color="#8fb3d9"
    )
    left.set_xlabel("longer side of the box / of the image")
    right.hist(np.log2(boxes[:, 2] / boxes[:, 3]), bins=31, color="#8fb3d9")
    right.set_xlabel("log2 width / height")
    return figure


def visibility_figure(summary: Summary) -> Figure:
    """Share of visible, occluded and outside keypoints for each joint."""
    flags = summary.people["flags"]
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
