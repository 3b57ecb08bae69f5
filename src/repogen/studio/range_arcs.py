"""The range of a joint's rotation, drawn as arcs around it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import viser

from repogen.arrays import Float
from repogen.people.person import Person
from repogen.poses.bounds import SHOULDER_DROP_DEG, Bounds
from repogen.poses.clips import Vector
from repogen.poses.tree import SIDES, tpose_direction
from repogen.studio.frames import PELVIS, joint_rotation

Limits = Sequence[tuple[float, float]]
"""Lowest and highest angle about each axis, degrees."""

AXIS_COLORS = ((225, 40, 80), (60, 160, 70), (45, 110, 225))
"""RGB of what is about x, y and z, near to those of the rings that turn a joint."""

AXIS_NAMES = ("red", "green", "blue")

_STEP_DEG = 5.0
_RADII = (0.34, 0.3, 0.26)
"""Metres, of the arcs about x, y and z."""

_TWIST = 0.75
"""Cosine between axis and limb above which the angle turns the limb about itself."""

_OPACITY = 0.22
_THICKNESS = 0.006


def joint_limits(bounds: Bounds, joint: str) -> list[tuple[float, float]]:
    """The lowest and highest angle of each axis, degrees, as `Person` has them: shoulders are
    lowered after they are drawn."""
    if joint == PELVIS:
        return [(-180.0, 180.0)] * 3
    limits = [(float(low), float(high)) for low, high in bounds[joint]]
    drop = {"left_shoulder": -SHOULDER_DROP_DEG, "right_shoulder": SHOULDER_DROP_DEG}.get(joint, 0)
    low, high = limits[2]
    return [*limits[:2], (low + drop, high + drop)]


@dataclass(frozen=True)
class Arc:
    """Where a point on the limb goes while one angle runs between its bounds and the others stay:
    from the joint, metres, by the world's axes."""

    axis: int
    points: Float[np.ndarray, "n 3"]
    now: Float[np.ndarray, "3"]
    """The point as the joint is turned now."""


def range_arcs(person: Person, joint: str, limits: Limits) -> list[Arc]:
    """The arc of each axis about which a joint turns; none for the pelvis, which turns freely.

    Where an angle turns the limb about itself, the point is beside the limb.
    """
    if joint == PELVIS:
        return []
    own: Vector = person.angles.get(joint, (0.0, 0.0, 0.0))
    arcs = []
    for axis, (low, high) in enumerate(limits):
        if low == high:
            continue
        point = _RADII[axis] * _pointer(joint, axis)
        angles = np.linspace(low, high, 2 + int((high - low) / _STEP_DEG))
        points = [_turned(person, joint, own, axis, float(angle)) @ point for angle in angles]
        now = _turned(person, joint, own, axis, own[axis]) @ point
        arcs.append(Arc(axis, np.array(points), now))
    return arcs


def _turned(
    person: Person, joint: str, vector: Vector, axis: int, angle: float
) -> Float[np.ndarray, "3 3"]:
    """The joint's frame with another angle about an axis."""
    x, y, z = (angle if k == axis else vector[k] for k in range(3))
    return joint_rotation(replace(person, angles=person.angles | {joint: (x, y, z)}), joint)


def _pointer(joint: str, axis: int) -> Float[np.ndarray, "3"]:
    """The direction, by the joint's axes, whose way shows an angle: along the limb, or where the
    angle turns that about itself, to the front or up."""
    limb = _limb(joint)
    if abs(limb[axis]) < _TWIST:
        return limb
    return np.eye(3)[1 if axis == 2 else 2]


def _limb(joint: str) -> Float[np.ndarray, "3"]:
    """Where what a joint turns points in T-pose: x left, y up, z front."""
    along = tpose_direction(joint)
    if along is not None:
        return along
    side, _, name = joint.partition("_")
    if name == "foot":
        return np.array([0.0, 0.0, 1.0])
    return np.array([SIDES[side], 0.0, 0.0]) if name else np.array([0.0, 1.0, 0.0])


class RangeArcs:
    """The arcs in the 3D view, of one joint at a time."""

    def __init__(self, scene: viser.SceneApi) -> None:
        self._scene = scene
        self._nodes: list[viser.SceneNodeHandle] = []
        self._drawn: list[Arc] = []

    def show(self, arcs: list[Arc], position: Float[np.ndarray, "3"]) -> None:
        """Draw arcs about a joint at `position`, in place of others."""
        if not _same(arcs, self._drawn):
            self._draw(arcs)
        for node in self._nodes:
            node.position = position

    def _draw(self, arcs: list[Arc]) -> None:
        for node in self._nodes:
            node.remove()
        self._nodes, self._drawn = [], arcs
        for arc in arcs:
            name, color = f"/range/{AXIS_NAMES[arc.axis]}", AXIS_COLORS[arc.axis]
            centre = np.zeros((1, 3))
            vertices = np.concatenate([centre, arc.points]).astype(np.float32)
            first = np.arange(1, len(arc.points), dtype=np.uint32)
            faces = np.stack([np.zeros_like(first), first, first + 1], axis=1)
            ends = np.stack([arc.points[:-1], arc.points[1:]], axis=1)
            spokes = np.stack([np.zeros(3), arc.now])[None]
            lines = np.concatenate([ends, spokes]).astype(np.float32)
            self._nodes += [
                self._scene.add_mesh_simple(
                    f"{name}/fan", vertices, faces, color=color, side="double", opacity=_OPACITY
                ),
                self._scene.add_line_segments(
                    f"{name}/line", lines, colors=color, thickness=_THICKNESS
                ),
                self._scene.add_icosphere(
                    f"{name}/now", 2 * _THICKNESS, color=color, position=arc.now
                ),
            ]


def _same(some: list[Arc], others: list[Arc]) -> bool:
    return len(some) == len(others) and all(
        a.axis == b.axis
        and a.points.shape == b.points.shape
        and np.allclose(a.points, b.points)
        and np.allclose(a.now, b.now)
        for a, b in zip(some, others, strict=True)
    )
