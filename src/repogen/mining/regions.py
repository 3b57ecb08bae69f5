"""Regions of what a person can look like: views, orientations, joints, sizes, clothes and light."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.rotations import vectors_to_matrices
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.mining.records import JudgedPerson

_QUADRANTS = ("front", "left", "back", "right")

_STEEP_DEG, _LEVEL_DEG = 60.0, 20.0
"""Elevation above which a view is along the trunk, whatever its azimuth, and below which it is
level."""

_ALONG = 0.5
"""Length in the picture of the trunk, over its own, below which it points along the camera's
axis."""

_BENDS = (0, 30, 60, 90, 180)

_JOINTS = (
    ("spine", ("spine1", "spine2", "spine3")), ("neck and head", ("neck", "head")),
    ("left hip", ("left_hip",)), ("right hip", ("right_hip",)),
    ("left knee", ("left_knee",)), ("right knee", ("right_knee",)),
    ("left shoulder", ("left_shoulder",)), ("right shoulder", ("right_shoulder",)),
    ("left elbow", ("left_elbow",)), ("right elbow", ("right_elbow",)),
)  # fmt: skip

_CLOTHES = 12
"""Kinds of clothes with a region of their own, the most frequent ones."""

Rows = Int[np.ndarray, " m"]


@dataclass(frozen=True)
class Region:
    """Some people who are alike."""

    name: str
    rows: Rows


@dataclass(frozen=True)
class Dimension:
    """One way to divide people into regions."""

    title: str
    regions: tuple[Region, ...]


def divide(people: Sequence[JudgedPerson]) -> Iterator[Dimension]:
    """The people divided in each way; regions without anybody are left out."""
    yield _named("Camera, by the person's own axes", [_subject_view(p) for p in people])
    yield _binned("Elevation of the camera", _values(people, lambda p: p.elevation), "°",
                  (-90, -60, -30, 0, 30, 60, 90))  # fmt: skip
    yield _binned("Trunk, off upright in the world", _tilts(people), "°",
                  (0, 30, 60, 90, 120, 150, 180))  # fmt: skip
    yield _named("Head, from the hips in the picture", [_in_picture(p) for p in people])
    bends = np.stack([p.joint_angles for p in people])
    for name, joints in _JOINTS:
        columns = [BODY_JOINTS.index(joint) for joint in joints]
        angles = np.linalg.norm(bends[:, columns].sum(axis=1), axis=1)
        yield _binned(f"Turn of the {name} from the T-pose", angles, "°", _BENDS)
    yield _binned("Longer side of the person's box", _values(people, lambda p: p.side), " px",
                  (0, 64, 128, 192, 256, 384, 512, 8192))  # fmt: skip
    yield _counted("Occluded keypoints", _values(people, _occluded), (0, 2, 4, 6, 8))
    outside = _values(people, lambda p: p.outside)
    yield _counted("Keypoints outside of the picture", outside, (0, 1, 3, 5))
    yield _named("Clothes", _clothes(people))
    yield _binned("Brightness of the person", _values(people, lambda p: 100 * p.light), " %",
                  (0, 15, 30, 45, 60, 100))  # fmt: skip


def _values(
    people: Sequence[JudgedPerson], of: Callable[[JudgedPerson], float]
) -> Float[np.ndarray, " n"]:
    return np.array([of(person) for person in people], dtype=float)


def _occluded(person: JudgedPerson) -> float:
    return 17 - person.visible - person.outside


def _binned(
    title: str, values: Float[np.ndarray, " n"], unit: str, edges: Sequence[float]
) -> Dimension:
    """Regions between edges; a value on an edge is in the upper one, but for the last edge."""
    names = [f"{low:g} to {high:g}{unit}" for low, high in pairwise(edges)]
    return _between(title, values, edges, names)


def _counted(title: str, values: Float[np.ndarray, " n"], starts: Sequence[int]) -> Dimension:
    """Regions of whole numbers up to 17, each from one of the starts."""
    ends = [start - 1 for start in starts[1:]] + [17]
    names = [
        f"{low}" if low == high else f"{low} to {high}"
        for low, high in zip(starts, ends, strict=True)
    ]
    return _between(title, values, [*starts, 18], names)


def _between(
    title: str, values: Float[np.ndarray, " n"], edges: Sequence[float], names: Sequence[str]
) -> Dimension:
    bins = np.searchsorted(edges, values, side="right").clip(1, len(edges) - 1)
    regions = [Region(name, np.flatnonzero(bins == k)) for k, name in enumerate(names, start=1)]
    return Dimension(title, tuple(region for region in regions if len(region.rows)))


def _named(title: str, names: Sequence[str]) -> Dimension:
    """Regions of a name each, in the order of their names."""
    table = np.array(names)
    return Dimension(
        title, tuple(Region(str(name), np.flatnonzero(table == name)) for name in np.unique(table))
    )


def _subject_view(person: JudgedPerson) -> str:
    elevation = person.subject_elevation
    if abs(elevation) > _STEEP_DEG:
        return "at the head" if elevation > 0 else "at the feet"
    level = abs(elevation) <= _LEVEL_DEG
    height = "" if level else "above" if elevation > 0 else "below"
    side = _QUADRANTS[round(person.subject_azimuth / 90) % 4]
    return f"{side}, {height}" if height else side


def _tilts(people: Sequence[JudgedPerson]) -> Float[np.ndarray, " n"]:
    """Angles between each person's own vertical and the world's, degrees."""
    turned = vectors_to_matrices(np.radians([person.orientation for person in people]))
    return np.degrees(np.arccos(np.clip(turned[:, 1, 1], -1, 1)))


def _in_picture(person: JudgedPerson) -> str:
    x, y = person.descriptor[-2:]
    if np.hypot(x, y) < _ALONG:
        return "along the line of sight"
    return ("right", "below", "left", "above")[round(np.degrees(np.arctan2(y, x)) / 90) % 4]


def _clothes(people: Sequence[JudgedPerson]) -> list[str]:
    counts = Counter(person.clothes for person in people)
    known = sorted(counts, key=lambda name: (-counts[name], name))[:_CLOTHES]
    return [person.clothes if person.clothes in known else "other" for person in people]
