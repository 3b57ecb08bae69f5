"""A sampler fitted to hard people: the cross-entropy method's step.

The elite, the hardest plausible people so far, are split into small groups of people alike in pose,
orientation and view; each group becomes a component with the group's mean and spread. What few
people say of a spread is pulled towards that of a kernel around each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.rotations import matrices_to_vectors, vectors_to_matrices
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.cameras.camera import angles_to_direction, direction_to_angles
from repogen.mining.choice import k_centres
from repogen.mining.records import JudgedPerson
from repogen.poses.orientation import without_heading
from repogen.poses.sampler import Component, Sampler

_TURN_DEG, _VIEW_DEG, _ROLL_DEG = 12.0, 10.0, 8.0
"""Spreads of a kernel around one person."""

_POSE_SHARE = 0.4
"""The same of a joint's angle, over its spread among all of the elite."""

_DOUBT = 4
"""People who must agree on a spread for it to count as much as the kernel's."""

_JOINTS = 36
"""Numbers of the pose at the start of a descriptor."""

_STEPS = 10
"""Steps of Lloyd's algorithm."""

_LEAST_DEG, _MOST_DEG = 3.0, 30.0
"""Limits of a spread: wide enough to go on searching, narrow enough to be one kind of people."""

_STILL_DEG = 0.5
"""A spread below this is none: what the options hold still stays still."""


def fit(
    elite: Sequence[JudgedPerson],
    hardness: Sequence[float],
    components: int,
    explore: float,
    max_excess: float,
) -> Sampler:
    """The sampler of at most `components` components for the elite, at least one person.

    A component's weight is the sum of its members' `hardness`, above 0.
    """
    weights = np.array(hardness)
    groups = _groups(_features(elite), weights, min(components, len(elite)))
    kernel = _Kernel.of(elite, weights)
    made = [_component([elite[i] for i in rows], weights[rows], kernel) for rows in groups]
    total = sum(one.weight for one in made)
    shares = [round(one.weight / total, 6) for one in made]
    return Sampler(
        explore=explore,
        max_excess=max_excess,
        components=tuple(
            replace(one, weight=share) for one, share in zip(made, shares, strict=True)
        ),
    )


@dataclass(frozen=True)
class _Kernel:
    """The spreads around one person of the elite, degrees; 0 for what does not vary in it."""

    angles: Float[np.ndarray, "21 3"]
    orientation: float
    view: float
    roll: float

    @classmethod
    def of(cls, elite: Sequence[JudgedPerson], weights: Float[np.ndarray, " n"]) -> "_Kernel":
        whole = _component(elite, weights, None)
        still = (0.0, 0.0, 0.0)
        spread = np.array([whole.spread.get(joint, still) for joint in BODY_JOINTS])
        return cls(
            angles=_POSE_SHARE * spread,
            orientation=_TURN_DEG if whole.orientation_spread else 0.0,
            view=_VIEW_DEG if whole.view_spread else 0.0,
            roll=_ROLL_DEG if whole.roll_spread else 0.0,
        )


def _features(elite: Sequence[JudgedPerson]) -> Float[np.ndarray, "n 48"]:
    """What groups are alike in: the pose, the orientation as a matrix, the camera's direction."""
    poses = np.array([person.descriptor[:_JOINTS] for person in elite])
    turned = vectors_to_matrices(np.radians([person.orientation for person in elite]))
    views = np.array([angles_to_direction(person.azimuth, person.elevation) for person in elite])
    return np.hstack([poses, turned.reshape(-1, 9), views])


def _groups(
    table: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"], count: int
) -> list[Int[np.ndarray, " m"]]:
    """Rows of alike people: k-means from centres far apart."""
    centres = table[k_centres(table, weights, count, 1.0)]
    nearest = np.zeros(len(table), dtype=int)
    for _ in range(_STEPS):
        away = np.linalg.norm(table[:, None] - centres[None], axis=2)
        nearest = away.argmin(axis=1)
        for k in range(len(centres)):
            rows = nearest == k
            if rows.any():
                centres[k] = np.average(table[rows], axis=0, weights=weights[rows])
    return [np.flatnonzero(nearest == k) for k in range(len(centres)) if (nearest == k).any()]


def _component(
    members: Sequence[JudgedPerson], weights: Float[np.ndarray, " m"], kernel: _Kernel | None
) -> Component:
    """The component of a group; its spreads are pulled towards the kernel's, if given."""
    angles = np.stack([person.joint_angles for person in members])
    mean = np.average(angles, axis=0, weights=weights)
    spread = np.sqrt(np.average((angles - mean) ** 2, axis=0, weights=weights))
    rotation, turn = _mean_rotation([person.orientation for person in members], weights)
    directions = [angles_to_direction(person.azimuth, person.elevation) for person in members]
    azimuth, elevation, away = _mean_direction(np.stack(directions), weights)
    roll, rolling = _mean_angle(np.array([person.roll for person in members]), weights)
    if kernel is not None:
        trust = len(members) / (len(members) + _DOUBT)
        turn, away, rolling = (
            _pulled(own, wanted, trust)
            for own, wanted in (
                (turn, kernel.orientation), (away, kernel.view), (rolling, kernel.roll)
            )
        )  # fmt: skip
        spread = np.sqrt(trust * spread**2 + (1 - trust) * kernel.angles**2)
    return Component(
        weight=float(weights.sum()),
        orientation=rotation,
        orientation_spread=_limited(turn),
        azimuth=azimuth,
        elevation=elevation,
        view_spread=_limited(away),
        roll=roll,
        roll_spread=_limited(rolling),
        angles=_by_joint(mean),
        spread=_by_joint(np.vectorize(_limited)(spread)),
    )


def _pulled(own: float, kernel: float, trust: float) -> float:
    return float(np.sqrt(trust * own**2 + (1 - trust) * kernel**2))


def _limited(spread: float) -> float:
    """A spread in degrees within its limits; 0 where what it is of does not vary."""
    if spread < _STILL_DEG:
        return 0.0
    return round(float(np.clip(spread, _LEAST_DEG, _MOST_DEG)), 3)


def _by_joint(table: Float[np.ndarray, "21 3"]) -> dict[str, tuple[float, float, float]]:
    """The vectors of the joints that have one other than zero."""
    rows = (table.round(3) + 0.0).tolist()
    return {j: (x, y, z) for j, (x, y, z) in zip(BODY_JOINTS, rows, strict=True) if any((x, y, z))}


def _mean_rotation(
    vectors: Sequence[tuple[float, float, float]], weights: Float[np.ndarray, " m"]
) -> tuple[tuple[float, float, float], float]:
    """The chordal mean of rotation vectors in degrees, without heading, and the standard deviation
    of the turns from it about each axis."""
    matrices = vectors_to_matrices(np.radians(np.array(vectors)))
    u, _, v = np.linalg.svd(np.einsum("m,mij->ij", weights, matrices))
    mean = u @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ v)))]) @ v
    turns = np.degrees(matrices_to_vectors(np.einsum("mij,kj->mik", matrices, mean)))
    spread = np.sqrt(np.average((turns**2).mean(axis=1), weights=weights))
    return without_heading(mean), float(spread)


def _mean_direction(
    directions: Float[np.ndarray, "m 3"], weights: Float[np.ndarray, " m"]
) -> tuple[float, float, float]:
    """Azimuth and elevation of the mean of unit vectors, and their standard deviation along each of
    two axes; degrees."""
    mean = np.average(directions, axis=0, weights=weights)
    if np.linalg.norm(mean) < 1e-9:
        mean = directions[0]
    mean /= np.linalg.norm(mean)
    off = np.degrees(np.arccos(np.clip(np.einsum("mi,i->m", directions, mean), -1, 1)))
    spread = np.sqrt(np.average(off**2, weights=weights) / 2)
    azimuth, elevation = direction_to_angles(mean)
    return round(azimuth, 3), round(elevation, 3), float(spread)


def _mean_angle(
    degrees: Float[np.ndarray, " m"], weights: Float[np.ndarray, " m"]
) -> tuple[float, float]:
    """The circular mean of angles, and their standard deviation from it; degrees."""
    turned = np.exp(1j * np.radians(degrees))
    mean = float(np.degrees(np.angle(np.average(turned, weights=weights))))
    off = (degrees - mean + 180) % 360 - 180
    return round(mean, 3), float(np.sqrt(np.average(off**2, weights=weights)))
