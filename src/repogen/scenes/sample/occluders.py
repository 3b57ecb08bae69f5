"""Drawing occluders: objects between the camera and the people."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from repogen.arrays import Float
from repogen.assets.sources import Source, source_of
from repogen.bodies.rotations import vectors_to_matrices
from repogen.cameras.camera import Camera, yaw_matrix
from repogen.environment.cutouts import cutout_size
from repogen.environment.occluder_kinds import (
    KINDS,
    Kind,
    sample_cutout_length,
    sample_finish,
    sample_size,
)
from repogen.environment.occluders import (
    CUTOUT,
    Occluder,
    distance_to_box,
    hides,
    occluder_vertices,
)
from repogen.people.posing import PosedPerson
from repogen.picture_checks import check_rgba_once
from repogen.scenes.sample.crowd import sparse
from repogen.usable_files import draw_readable

_TRIES = 12
"""Positions drawn for one kind of object, at most."""

_FROM_CAMERA = 0.2
"""Metres between the camera and an occluder, at least."""

_FROM_PEOPLE = 0.02
"""Metres between an occluder and people or other occluders, at least."""

_BETWEEN_POINTS = 0.03
"""Metres by which `sparse` points miss the nearest one, about."""

_WRISTS = (9, 10)
"""COCO keypoints."""

_STEEP = np.sin(np.radians(45))
"""Sine of the elevation above which cut-outs face the lens and do not stand."""


def sample_occluder(
    rng: np.random.Generator,
    camera: Camera,
    people: Sequence[PosedPerson],
    others: Sequence[Occluder],
    floor: float | None,
    cutouts: Sequence[Path],
    root: Path | None,
) -> Occluder | None:
    """An occluder that hides a part of a person and touches neither people nor the others; None
    where there is no room for any. It stands on the floor, at the height `floor` (metres), or is at
    somebody's hand; without a floor always at a hand. `cutouts` are pictures in the folder
    `root`."""
    eye = camera.position()
    few = np.concatenate([sparse(posed.outer_points) for posed in people])
    kinds: list[Kind | None] = [k for k in KINDS.values() if floor is not None or not k.stands]
    order = [kinds[i] for i in rng.permutation(len(kinds))]
    if root is not None and rng.random() < 0.5:
        order.insert(0, None)
    for kind, _ in product(order, range(_TRIES)):
        posed = people[int(rng.integers(len(people)))]
        points = posed.outer_points
        aim = points[int(rng.integers(len(points)))].astype(float)
        wrist = posed.body.keypoints[_WRISTS[int(rng.integers(2))]]
        if kind is not None:
            occluder = _object(rng, kind, eye, aim, wrist, floor)
        else:
            assert root is not None
            occluder = _cutout(rng, camera, aim, wrist, floor, cutouts, root)
        if (
            distance_to_box(occluder, few).min() > _FROM_PEOPLE + _BETWEEN_POINTS
            and distance_to_box(occluder, eye[None])[0] > _FROM_CAMERA
            and hides(occluder, eye, few).any()
            and not any(_touch(occluder, other) for other in others)
            and min(distance_to_box(occluder, one.outer_points).min() for one in people)
            > _FROM_PEOPLE
        ):
            return occluder
    return None


def _touch(one: Occluder, other: Occluder) -> bool:
    """Whether a vertex of either is in the box of the other, or within 2 cm of it."""
    return (
        min(
            distance_to_box(one, occluder_vertices(other)).min(),
            distance_to_box(other, occluder_vertices(one)).min(),
        )
        < _FROM_PEOPLE
    )


def _object(
    rng: np.random.Generator,
    kind: Kind,
    eye: Float[np.ndarray, "3"],
    aim: Float[np.ndarray, "3"],
    wrist: Float[np.ndarray, "3"],
    floor: float | None,
) -> Occluder:
    """An object of a kind: on the floor below a point of the line from the camera to `aim`, or
    before the wrist; metres, world frame."""
    fabric, size = sample_finish(rng), sample_size(rng, kind)
    if kind.stands and floor is not None:
        x, y, _ = eye + rng.uniform(0.35, 0.95) * (aim - eye)
        turn = yaw_matrix(rng.uniform(0, 2 * np.pi))
        at = np.array([x, y, floor + size[2] / 2])
    else:
        axis = rng.normal(size=3)
        turn = vectors_to_matrices(rng.uniform(0, np.pi) * axis[None] / np.linalg.norm(axis))[0]
        at = _before(rng, wrist, eye, turn, size)
    return Occluder(kind.shape, _numbers(at), size, _rows(turn), fabric)


def _before(
    rng: np.random.Generator,
    wrist: Float[np.ndarray, "3"],
    eye: Float[np.ndarray, "3"],
    turn: Float[np.ndarray, "3 3"],
    size: tuple[float, float, float],
) -> Float[np.ndarray, "3"]:
    """The centre of an object between the camera and a wrist, 5 to 20 cm away from it."""
    towards = (eye - wrist) / np.linalg.norm(eye - wrist)
    # From the centre to the surface of the object's box.
    depth = float((np.array(size) / np.maximum(np.abs(towards @ turn), 1e-9)).min()) / 2
    return wrist + (depth + float(rng.uniform(0.05, 0.2))) * towards


def _cutout(
    rng: np.random.Generator,
    camera: Camera,
    aim: Float[np.ndarray, "3"],
    wrist: Float[np.ndarray, "3"],
    floor: float | None,
    cutouts: Sequence[Path],
    root: Path,
) -> Occluder:
    """A cut-out that faces the camera: upright on the floor, or before the wrist."""
    fabric, eye = sample_finish(rng), camera.position()
    picture, sides = draw_readable(lambda: _random_cutout(rng, cutouts, root))
    longest = sample_cutout_length(rng, Path(picture.name).stem)
    width, height = (float(v) for v in sides / sides.max() * longest)
    size = (width, 0.0, height)
    right, down, forward = np.array(camera.rotation)
    if floor is not None and abs(forward[2]) < _STEEP:
        x, y, _ = eye + rng.uniform(0.35, 0.95) * (aim - eye)
        # Its front, -y, to the camera.
        turn = yaw_matrix(np.arctan2(-forward[0], forward[1]))
        at = np.array([x, y, floor + height / 2])
    else:
        # Its x along the picture's, its z up the picture, its front to the camera.
        turn = np.stack([right, forward, -down], axis=1)
        at = _before(rng, wrist, eye, turn, size)
    return Occluder(CUTOUT, _numbers(at), size, _rows(turn), fabric, picture)


def _random_cutout(
    rng: np.random.Generator, cutouts: Sequence[Path], root: Path
) -> tuple[Source, Float[np.ndarray, "2"]]:
    """A cut-out that can be read, and its width and height, pixels."""
    path = cutouts[int(rng.integers(len(cutouts)))]
    size = np.array(cutout_size(path), float)
    check_rgba_once(path)
    return source_of(path, root), size


def _numbers(point: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    return tuple(float(v) for v in point)  # type: ignore[return-value]


def _rows(matrix: Float[np.ndarray, "3 3"]) -> tuple[tuple[float, float, float], ...]:
    return tuple(_numbers(row) for row in matrix)
