"""Drawing occluders: objects between the camera and the people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from repogen.assets.sources import Source, source_of
from repogen.bodies.nearest import NearestPoint
from repogen.cameras.camera import Camera, yaw_matrix
from repogen.environment.cutouts import cutout_size
from repogen.environment.occluders import CUTOUT, SHAPES, Occluder
from repogen.people.outfit import sample_fabric
from repogen.picture_checks import check_rgba_once
from repogen.scenes.sample.crowd import sparse
from repogen.usable_files import draw_readable

_TRIES = 40


def sample_occluder(
    rng: np.random.Generator,
    camera: Camera,
    people: Sequence[Float[np.ndarray, "n 3"]],
    floor: float,
    cutouts: Sequence[Path],
    root: Path | None,
) -> Occluder | None:
    """An occluder between the camera and a person, clear of everybody; None where 40 tries find no
    room. `people` are the points that each person can be seen by, `floor` is a height; metres.
    `cutouts` are pictures in the folder `root`."""
    eye = camera.position()
    tree = NearestPoint(np.concatenate([sparse(points) for points in people]))
    for _ in range(_TRIES):
        points = people[int(rng.integers(len(people)))]
        aim = points[int(rng.integers(len(points)))].astype(float)
        at = eye + rng.uniform(0.35, 0.85) * (aim - eye)
        occluder = _occluder_at(rng, camera, at, floor, cutouts, root)
        reach = np.linalg.norm(occluder.size) / 2
        gap = tree.query(np.array([occluder.position]))[0][0]
        if gap > reach + 0.05 and np.linalg.norm(eye - occluder.position) > reach + 0.2:
            return occluder
    return None


def _random_cutout(
    rng: np.random.Generator, cutouts: Sequence[Path], root: Path
) -> tuple[Source, Float[np.ndarray, "2"]]:
    """A cut-out that can be read, and its width and height, pixels."""
    path = cutouts[int(rng.integers(len(cutouts)))]
    size = np.array(cutout_size(path), float)
    check_rgba_once(path)
    return source_of(path, root), size


def _occluder_at(
    rng: np.random.Generator,
    camera: Camera,
    at: Float[np.ndarray, "3"],
    floor: float,
    cutouts: Sequence[Path],
    root: Path | None,
) -> Occluder:
    fabric = sample_fabric(rng, True)
    if root is not None and rng.random() < 0.5:
        picture, sides = draw_readable(lambda: _random_cutout(rng, cutouts, root))
        width, height = (float(v) for v in sides / sides.max() * rng.uniform(0.2, 0.8))
        x, y, z = np.array(camera.rotation)
        # Its x along the picture's, its z up the picture, its front to the camera.
        rotation = np.stack([x, z, -y], axis=1)
        return Occluder(
            CUTOUT, _numbers(at), (width, 0.0, height), _rows(rotation), fabric, picture
        )
    shape = str(rng.choice(SHAPES))
    upright = yaw_matrix(rng.uniform(0, 2 * np.pi))
    if shape == "pole":
        width = float(rng.uniform(0.04, 0.2))
        size = (width, width, float(rng.uniform(0.8, 3.0)))
        if rng.random() < 0.4:
            upright = upright @ np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    else:
        size = _numbers(rng.uniform(0.12, 0.7, 3))
        if shape == "ball":
            size = (size[0], size[0], size[0])
        elif shape != "box" and at[2] - floor < 1.2:
            at = np.array([at[0], at[1], floor + size[2] / 2])
    return Occluder(shape, _numbers(at), size, _rows(upright), fabric)


def _numbers(point: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    return tuple(float(v) for v in point)  # type: ignore[return-value]


def _rows(matrix: Float[np.ndarray, "3 3"]) -> tuple[tuple[float, float, float], ...]:
    return tuple(_numbers(row) for row in matrix)
