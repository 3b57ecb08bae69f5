"""Drawing all people of a scene, and where they stand."""

from collections.abc import Mapping, Sequence

import numpy as np

from repogen.arrays import Float
from repogen.bodies import Body
from repogen.bodies.nearest import NearestPoint
from repogen.cameras.camera import Camera, yaw_matrix
from repogen.people.person import Given
from repogen.people.posing import PosedPerson, move_person, moved_points, pose_person
from repogen.scenes.config import SceneConfig
from repogen.scenes.rng import Streams
from repogen.scenes.sample.person import sample_person

_APART = 0.06
"""Metres between the compared points of two people, at least. Of 900 pairs in the air 1 % came
nearer than 3 cm with what lies between those points, and none touched."""

_FROM_CAMERA = 0.4
"""Metres between the camera and people beside the first, at least."""

_TRIES = 40
_EVERY = 12

Points = Float[np.ndarray, "n 3"]


def sample_crowd(
    config: SceneConfig, streams: Streams, body: Body, given: Mapping[int, Given] | None = None
) -> tuple[PosedPerson, ...]:
    """The first person, at the origin, and the others around, where there is free space. `given`
    is what is not drawn of people, by number from 0."""
    given = given or {}
    first = pose_person(body, *sample_person(config, streams, body, given.get(0)))
    rng = streams.rng("crowd")
    count = int(rng.integers(config.people.people[0], config.people.people[1] + 1))
    on_floor = config.people.ground == "floor" or bool(config.camera.fixed)
    floor = first.floor if on_floor else None
    people, taken = [first], [sparse(first.outer_points)]
    for person_index in range(1, count):
        own = streams.of_person(person_index)
        posed = pose_person(body, *sample_person(config, own, body, given.get(person_index)))
        placed = place_person(rng, body, posed, taken, floor, config.people.spread)
        if placed is not None:
            people.append(placed)
            taken.append(sparse(placed.outer_points))
    return tuple(people)


def place_person(
    rng: np.random.Generator,
    body: Body,
    posed: PosedPerson,
    others: Sequence[Points],
    floor: float | None,
    spread: float,
) -> PosedPerson | None:
    """A person moved clear of the others; None where 40 tries find no room.

    `others` are the `sparse` points of the people already placed. The person stands on the height
    `floor` (metres), or anywhere around the first where that is None; `spread` is the distance
    from the first, metres, and grows by half over the tries.
    """
    tree = NearestPoint(np.concatenate(others))
    own = sparse(posed.outer_points).astype(np.float64)
    for attempt in range(_TRIES):
        yaw = float(rng.uniform(-180, 180))
        away = spread * (1 + 0.5 * attempt / _TRIES) * np.sqrt(rng.random())
        heading = rng.uniform(0, 2 * np.pi)
        height = float(rng.uniform(-0.4, 0.4))
        if floor is not None:
            height = floor - posed.floor
        position = (float(away * np.cos(heading)), float(away * np.sin(heading)), height)
        points = moved_points(own, position, yaw_matrix(np.radians(yaw)))
        if tree.query(points)[0].min() > _APART:
            return move_person(body, posed, position, yaw)
    return None


def sparse(points: Points) -> Points:
    """Every twelfth of a person's points, 1 to 7 cm apart: enough to find who is near."""
    return points[::_EVERY]


def clear_of_cameras(
    people: Sequence[PosedPerson], cameras: Sequence[Camera]
) -> tuple[PosedPerson, ...]:
    """The first person, and the others who do not stand in a camera's way."""
    return (
        people[0],
        *(p for p in people[1:] if min(_distance(p, c) for c in cameras) > _FROM_CAMERA),
    )


def _distance(posed: PosedPerson, camera: Camera) -> float:
    return float(np.linalg.norm(posed.outer_points - camera.position(), axis=1).min())
