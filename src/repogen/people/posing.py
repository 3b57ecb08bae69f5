"""People of a scene, placed in the world."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from repogen.assets import assets_dir, read_garment
from repogen.bodies.anny import AnnyBody
from repogen.bodies.protocol import Body, PosedBody, Surface
from repogen.cameras.camera import rotate_points, yaw_matrix
from repogen.errors import UserError
from repogen.people.garments import FittedGarment, fit_garment, pose_garment
from repogen.people.outfit import Outfit, WornGarment, shoe_top
from repogen.people.person import Person

_TRUNK, _CHEST, _HIPS = 0.15, (0.15, 0.42), (-0.08, 0.04)
"""Metres in the T-pose: how wide the trunk is to either side, and from where to where up."""


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


def seen_points(body: Body, person: Person) -> Float[np.ndarray, "n 3"]:
    """Vertices a person can be seen by, garments included; metres in the world."""
    posed = pose_person(body, person)
    own = posed.vertices[worn_vertices(body.surface, person.outfit)]
    garments = worn_pieces(body, posed, person.outfit.worn)
    return np.concatenate([own, *(vertices for _, vertices in garments)])


def decent(body: AnnyBody, dressed: Outfit, painted: Outfit) -> Outfit:
    """The outfit with `painted`'s clothes where its garments leave more than half of the chest or
    of the hips bare: not every garment of a pack is a whole suit."""
    at = body.surface.canonical
    skin = layer_vertices(body.surface, "skin")
    covered = np.zeros(len(at), dtype=bool)
    for item in dressed.worn:
        covered |= fitted(body, item.pack, item.kind, item.name).covered
    trunk = skin[np.abs(at[skin, 0]) < _TRUNK]
    height = at[trunk, 2]
    chest, hips = (trunk[(low < height) & (height < high)] for low, high in (_CHEST, _HIPS))
    keep = []
    if covered[chest].mean() < 0.5:
        keep += ["top", "top_fabric", "sleeve", "waist", "neckline"]
    if covered[hips].mean() < 0.5:
        keep += ["bottom", "bottom_fabric", "hem"]
    return replace(dressed, **{name: getattr(painted, name) for name in keep})


@lru_cache(maxsize=32)
def worn_pieces(
    body: Body, posed: PosedBody, worn: tuple[WornGarment, ...]
) -> tuple[tuple[FittedGarment, Float[np.ndarray, "v 3"]], ...]:
    """Garments and their vertices on a posed body. The last few are remembered.

    Raises `UserError` for a garment that is not installed, or a body they do not fit.
    """
    if not worn:
        return ()
    if not isinstance(body, AnnyBody):
        raise UserError(f"garments of asset packs fit the body anny, not {body.name}")
    out = []
    for item in worn:
        garment = fitted(body, item.pack, item.kind, item.name)
        out.append((garment, pose_garment(body, garment, posed)))
    return tuple(out)


@lru_cache(maxsize=256)
def fitted(body: AnnyBody, pack: str, kind: str, name: str) -> FittedGarment:
    """An installed garment on a body model. Raises `UserError` where it cannot be read."""
    path = assets_dir() / pack / kind / f"{name}.safetensors"
    return fit_garment(body, read_garment(path), path.with_suffix(".png"))


@lru_cache(maxsize=16)
def layer_vertices(surface: Surface, layer: str) -> Int[np.ndarray, " n"]:
    """Indices of the vertices that faces of a layer use."""
    return np.unique(surface.faces[surface.faces_of(layer)])


def pose_person(body: Body, person: Person) -> PosedBody:
    """The person's body in the world frame, metres. The last few are remembered."""
    own = (person.shape, person.face, person.angles)
    return _placed(body, _Key(person, repr((own, person.position, person.yaw_deg))))


class _Key:
    """A person as a cache key, by what of it matters: its fields hold dicts, which do not hash."""

    def __init__(self, person: Person, text: str) -> None:
        self.person = person
        self._text = text

    def __hash__(self) -> int:
        return self._text.__hash__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._text == other._text


@lru_cache(maxsize=32)
def _placed(body: Body, key: _Key) -> PosedBody:
    person = key.person
    own = _posed(body, _Key(person, repr((person.shape, person.face, person.angles))))
    if person.yaw_deg == 0 and not any(person.position):
        return own
    bones = own.bones and (_turn(person) @ own.bones[0], moved_points(own.bones[1], person))
    return PosedBody(
        vertices=moved_points(own.vertices, person).astype(np.float32),
        keypoints=moved_points(own.keypoints, person),
        rest=own.rest,
        bones=bones,
    )


@lru_cache(maxsize=32)
def _posed(body: Body, key: _Key) -> PosedBody:
    person = key.person
    return body.pose(person.shape, person.face, person.angles)


def moved_points(points: Float[np.ndarray, "n 3"], person: Person) -> Float[np.ndarray, "n 3"]:
    """Points of a body in its own frame, where the person stands in the world."""
    return rotate_points(points, _turn(person)) + np.array(person.position)


def _turn(person: Person) -> Float[np.ndarray, "3 3"]:
    return yaw_matrix(np.radians(person.yaw_deg))
