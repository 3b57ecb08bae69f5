"""People of a scene, placed in the world."""

from functools import lru_cache

import numpy as np
from jaxtyping import Int

from repogen.appearance.outfit import Outfit, shoe_top
from repogen.bodies.protocol import Body, PosedBody, Surface
from repogen.scenes.scene import Person
from repogen.views.camera import rotated


def worn_vertices(surface: Surface, outfit: Outfit) -> Int[np.ndarray, " n"]:
    """Indices of the vertices a person in this outfit can be seen by.

    The surface has more: skirts and hair that are not worn, the rig's own helpers.
    """
    out = [layer_vertices(surface, "skin")]
    heights = surface.canonical[:, 2]
    shoes = layer_vertices(surface, "tights")
    out.append(shoes[heights[shoes] < shoe_top(outfit)])
    if outfit.bottom == "skirt":
        skirt = layer_vertices(surface, "skirt")
        out.append(skirt[heights[skirt] > outfit.hem])
    if outfit.hair == "long":
        out.append(layer_vertices(surface, "hair"))
    return np.concatenate(out)


@lru_cache(maxsize=16)
def layer_vertices(surface: Surface, layer: str) -> Int[np.ndarray, " n"]:
    """Indices of the vertices that faces of a layer use."""
    return np.unique(surface.faces[surface.faces_of(layer)])


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
    if person.yaw_deg == 0 and not any(person.position):
        return own
    yaw = np.radians(person.yaw_deg)
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    place = np.array(person.position)
    return PosedBody(
        vertices=(rotated(own.vertices, turn) + place).astype(np.float32),
        keypoints=rotated(own.keypoints, turn) + place,
    )
