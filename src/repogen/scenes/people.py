"""People of a scene, placed in the world."""

from functools import lru_cache

import numpy as np

from repogen.bodies.protocol import Body, PosedBody
from repogen.scenes.scene import Person


def pose_person(body: Body, person: Person) -> PosedBody:
    """The person's body in the world frame, metres. The last few are remembered."""
    return _posed(body, _Key(person))


class _Key:
    """A person as a cache key: its fields hold dicts, which do not hash."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self._text = repr(
            (person.shape, person.face, person.angles, person.position, person.yaw_deg)
        )

    def __hash__(self) -> int:
        return self._text.__hash__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._text == other._text


@lru_cache(maxsize=32)
def _posed(body: Body, key: _Key) -> PosedBody:
    person = key.person
    own = body.pose(person.shape, person.face, person.angles)
    yaw = np.radians(person.yaw_deg)
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    place = np.array(person.position)
    return PosedBody(
        vertices=(np.einsum("ni,ji->nj", own.vertices, turn) + place).astype(np.float32),
        keypoints=np.einsum("ni,ji->nj", own.keypoints, turn) + place,
    )
