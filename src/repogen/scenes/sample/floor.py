"""People on the floor that fixed cameras see."""

from collections.abc import Sequence

import numpy as np

from repogen.bodies import Body
from repogen.cameras.camera import Camera, yaw_matrix
from repogen.errors import UserError
from repogen.people.posing import PosedPerson, move_person, moved_points
from repogen.scenes.sample.crowd import sparse

_TRIES = 400

_NEAREST = 0.4
"""Metres between a camera and the first person, at least."""

_FARTHEST = 20.0
"""Metres between a camera and the first person, at most: the rim of a panorama's floor."""

_SHOWN = 0.5
"""Share of the first person's surface that is inside the picture, at least."""

_SMALLEST = 48.0
"""Pixels in the picture's middle that a metre of the first person has, at least, unless the camera
hangs too high for that."""

_STEEPEST = 1.5
"""Distance of the first person, in heights of the camera, up to which they may be smaller."""


def stand_in_view(
    rng: np.random.Generator,
    body: Body,
    people: tuple[PosedPerson, ...],
    cameras: Sequence[Camera],
) -> tuple[PosedPerson, ...]:
    """The people moved as a group onto the floor z = 0, the first one at a random pixel of one of
    the cameras, and turned at random.

    The pixel sees a random height of the first person. Raises `UserError` where 400 tries find no
    floor in the picture.
    """
    points = sparse(people[0].outer_points)
    low, high = people[0].floor, float(people[0].outer_points[:, 2].max())
    for _ in range(_TRIES):
        camera = cameras[int(rng.integers(len(cameras)))]
        pixel = rng.uniform(0, [camera.width, camera.height])
        height, yaw = float(rng.uniform(0, high - low)), float(rng.uniform(-180, 180))
        ray = camera.rays(pixel[None])[0] @ np.array(camera.rotation)
        eye = camera.position()
        away = (height - eye[2]) / ray[2] if ray[2] else np.inf
        far = min(_FARTHEST, max(camera.fx / _SMALLEST, _STEEPEST * eye[2]))
        if not 0 < away < far:  # NaN outside of the image circle
            continue
        x, y, _ = eye + away * ray
        moved = moved_points(points, (float(x), float(y), -low), yaw_matrix(np.radians(yaw)))
        gaps = [np.linalg.norm(moved - one.position(), axis=1).min() for one in cameras]
        shown = camera.shows(camera.to_camera(moved)).mean()
        if min(gaps) > _NEAREST and shown > _SHOWN:
            return tuple(_moved(body, posed, yaw, float(x), float(y), -low) for posed in people)
    raise UserError(
        "--camera: nobody on the floor within 20 m is in the picture; hang the camera elsewhere "
        "(--camera-mount HEIGHT TILT ROLL)"
    )


def _moved(
    body: Body, posed: PosedPerson, yaw_deg: float, x: float, y: float, z: float
) -> PosedPerson:
    """A person turned about the origin, then moved; degrees and metres."""
    person = posed.person
    turn = yaw_matrix(np.radians(yaw_deg))
    at = moved_points(np.array([person.position]), (x, y, z), turn)[0].tolist()
    yaw = (person.yaw_deg + yaw_deg + 180.0) % 360.0 - 180.0
    return move_person(body, posed, (at[0], at[1], at[2]), yaw)
