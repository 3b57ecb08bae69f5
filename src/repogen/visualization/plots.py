"""Figures of a dataset: views, joint angles, box sizes, keypoint visibility."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.figure import Figure

from repogen.arrays import Float
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.messages import figure_text
from repogen.poses.bounds import SHOULDER_DROP_DEG, Bounds, default_bounds, load_bounds
from repogen.poses.distributions import DISTRIBUTIONS, AngleDistribution
from repogen.poses.sampling import SIMPLICITY
from repogen.scenes.scene import Scene
from repogen.visualization.summary import Summary

_PLOTTED_ANGLES = (
    ("left_hip", "x"), ("right_hip", "z"), ("left_knee", "x"), ("spine2", "y"),
    ("neck", "x"), ("head", "y"), ("left_shoulder", "y"), ("left_shoulder", "z"),
    ("right_shoulder", "z"), ("left_elbow", "y"), ("right_elbow", "y"), ("right_wrist", "z"),
)  # fmt: skip


_STRAIGHT = (0.0, 0.0, 0.0)


def views_figure(summary: Summary) -> Figure:
    """The camera direction of each person on a Mollweide map: azimuth across, elevation up."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot(projection="mollweide")
    names = list(summary.views)
    for name in sorted(names):
        chosen = summary.people[summary.people["view"] == names.index(name)]
        angles = np.radians(chosen["azimuth_deg"]), np.radians(chosen["elevation_deg"])
        axes.scatter(*angles, s=8, label=figure_text(name), alpha=0.7)
    axes.grid(alpha=0.4)
    axes.set_title("direction of the camera (azimuth 0 = in front, 90 = at the subject's left)")
    axes.legend(loc="lower right", fontsize=8)
    return figure


@dataclass(frozen=True)
class RandomPoses:
    """The distribution that random poses are drawn from, and the share of poses that is random."""

    bounds: Bounds
    distribution: AngleDistribution
    variances: tuple[float, ...]
    """Pose variances, each equally likely."""
    share: float

    def limits(self, joint: str, axis: int) -> tuple[float, float]:
        """The lowest and highest angle of a joint's axis (0 to 2: x, y, z), in degrees."""
        drop = {"left_shoulder": -SHOULDER_DROP_DEG, "right_shoulder": SHOULDER_DROP_DEG}
        shift = drop.get(joint, 0.0) if axis == 2 else 0.0
        low, high = self.bounds[joint][axis] * max(self.variances)
        return low + shift, high + shift

    def density(self, joint: str, axis: int, x: Float[np.ndarray, " k"]) -> np.ndarray:
        """The random poses' part of the density of all poses at angles `x`, per degree."""
        low, high = self.bounds[joint][axis]
        shift = self.limits(joint, axis)[0] - low * max(self.variances)
        densities = [self.distribution.pdf(x - shift, (low * v, high * v)) for v in self.variances]
        return self.share * np.mean(densities, axis=0)


def random_poses(config: dict[str, Any], bounds: Path | None) -> RandomPoses | None:
    """The random poses that the options in a run.json describe, within the bounds of the file
    `bounds`; None where all poses are measured or acrobatic, where a sampler draws them, or where
    the run had bounds and none are given."""
    if config["pose"].get("sampler"):
        return None
    share = 1.0 - config["pose"]["poses_share"] if config["pose"]["poses"] else 1.0
    variance = config["pose"]["pose_variance"]
    distribution = DISTRIBUTIONS.get(config["pose"]["pose_distribution"])  # acrobatic has none
    if share == 0 or distribution is None or (config["pose"]["bounds"] and bounds is None):
        return None
    return RandomPoses(
        load_bounds(bounds) if bounds else default_bounds(),
        distribution,
        tuple(1 / np.linspace(*SIMPLICITY, 21)) if variance == "random" else (variance,),
        share,
    )


def angles_figure(scenes: Iterable[Scene], random: RandomPoses | None) -> Figure:
    """Histograms of twelve joint angles in the scenes, with the density of the random poses."""
    shown = [(joint, "xyz".index(name)) for joint, name in _PLOTTED_ANGLES]
    angles = [
        [person.angles.get(joint, _STRAIGHT)[axis] for joint, axis in shown]
        for scene in scenes
        for person in scene.people
    ]
    columns = np.array(angles).reshape(-1, len(shown)).T
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    for i, ((joint, axis), sampled) in enumerate(zip(shown, columns, strict=True)):
        low, high = random.limits(joint, axis) if random else (sampled.min(), sampled.max())
        edges = np.linspace(min(sampled.min(), low), max(sampled.max(), high, low + 1), 31)
        axes = figure.add_subplot(3, 4, i + 1)
        axes.hist(sampled, bins=edges.tolist(), density=True, color="#8fb3d9")
        if random and high > low:
            at = np.linspace(edges[0], edges[-1], 801)
            axes.plot(at, random.density(joint, axis, at), color="#b03030", linewidth=1)
        axes.set_title(f"{joint} {'xyz'[axis]}", fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_yticks([])
    title = "joint angles, degrees"
    if random:
        title += ", with the density of the random poses (half of it at a bound of 0)"
    figure.suptitle(title)
    return figure


def boxes_figure(summary: Summary) -> Figure:
    """Histograms of the boxes' longer side, as a share of the image's, and of their aspect."""
    boxes, sides = summary.people["box"], summary.people["side"]
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.hist(
        boxes[:, 2:].max(axis=1) / sides, bins=np.linspace(0, 1.001, 31).tolist(), color="#8fb3d9"
    )
    left.set_xlabel("longer side of the box / longer side of the image")
    right.hist(np.log2(boxes[:, 2] / boxes[:, 3]), bins=31, color="#8fb3d9")
    right.set_xlabel("log2 width / height")
    return figure


def visibility_figure(summary: Summary) -> Figure:
    """The shares of visible, occluded and outside keypoints of each joint."""
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
