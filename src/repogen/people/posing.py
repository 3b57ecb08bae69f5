"""People posed in the world: their bodies and the garments on them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.anny import AnnyBody
from repogen.bodies.protocol import Body, PosedBody, Surface
from repogen.bodies.surface import layer_vertices
from repogen.cameras.camera import rotate_points
from repogen.errors import UserError
from repogen.people import hanging
from repogen.people.garments import FittedGarment, pose_garments
from repogen.people.hair import hang
from repogen.people.outfit import Outfit, shoe_top
from repogen.people.person import Person, world_rotation
from repogen.people.tailoring import tailored_garment


@dataclass(frozen=True, eq=False)
class PosedGarment:
    """A garment on a posed body."""

    fitted: FittedGarment
    rest: Float[np.ndarray, "v 3"]
    """Vertices on the body before posing, metres."""
    vertices: Float[np.ndarray, "v 3"]
    """Metres, world frame."""


@dataclass(frozen=True, eq=False)
class PosedPerson:
    """A person in the world: the posed body and the garments on it.

    Made once for each person of a scene (`pose_person`), then handed on to sampling, rendering
    and labels.
    """

    person: Person
    body: PosedBody
    """World frame."""
    garments: tuple[PosedGarment, ...]
    at_origin: PosedBody
    """The same body upright, with the hips' middle at the origin and facing -y."""
    surface: Surface
    clearance: float = 0.0
    """Metres between the floor and the lowest point, where there is a floor."""

    @cached_property
    def outer_points(self) -> Float[np.ndarray, "n 3"]:
        """Vertices that the person can be seen by, garments included; metres, world frame."""
        own = self.body.vertices.take(worn_vertices(self.surface, self.person.outfit), axis=0)
        return np.concatenate([own, *(garment.vertices for garment in self.garments)])

    @cached_property
    def lowest(self) -> float:
        """Height of the lowest point that can rest on a floor: of skin, shoes or clothes, but not
        of hair, which gives way. Metres, world frame."""
        outfit = replace(self.person.outfit, hair="bald")
        own = self.body.vertices.take(worn_vertices(self.surface, outfit), axis=0)
        clothes = [
            garment.vertices
            for item, garment in zip(self.person.outfit.worn, self.garments, strict=True)
            if item.kind != "hair"
        ]
        return min(float(points[:, 2].min()) for points in (own, *clothes))

    @property
    def floor(self) -> float:
        """Height of the floor below the person, metres, world frame."""
        return self.lowest - self.clearance


def pose_person(body: Body, person: Person, clearance: float = 0.0) -> PosedPerson:
    """The person's body in their shape and pose, dressed, where they stand; `clearance` is that of
    `PosedPerson`.

    Raises `UserError` for a garment that is not installed, or that does not fit this body.
    """
    posed = body.pose(person.shape, person.face, person.angles)
    return _with_garments(body, person, posed, clearance)


def move_person(
    body: Body, posed: PosedPerson, position: tuple[float, float, float], yaw_deg: float
) -> PosedPerson:
    """The same person elsewhere: `position` in metres, `yaw_deg` in degrees (see `Person`)."""
    person = replace(posed.person, position=position, yaw_deg=yaw_deg)
    return _with_garments(body, person, posed.at_origin, posed.clearance)


def _with_garments(
    body: Body, person: Person, at_origin: PosedBody, clearance: float
) -> PosedPerson:
    world = _body_in_world(at_origin, person)
    return PosedPerson(
        person=person,
        body=world,
        garments=_posed_garments(body, person, world),
        at_origin=at_origin,
        surface=body.surface,
        clearance=clearance,
    )


def _body_in_world(at_origin: PosedBody, person: Person) -> PosedBody:
    """The posed body at the person's position, turned as the person is."""
    position, rotation = person.position, world_rotation(person)
    if not any((person.yaw_deg, *person.orientation, *position)):
        return at_origin
    bones = None
    if at_origin.bones is not None:
        linear, offset = at_origin.bones
        bones = (rotation @ linear, moved_points(offset, position, rotation))
    return PosedBody(
        vertices=moved_points(at_origin.vertices, position, rotation).astype(np.float32),
        keypoints=moved_points(at_origin.keypoints, position, rotation),
        rest=at_origin.rest,
        bones=bones,
    )


def _posed_garments(body: Body, person: Person, posed: PosedBody) -> tuple[PosedGarment, ...]:
    worn = person.outfit.worn
    if not worn:
        return ()
    if not isinstance(body, AnnyBody):
        raise UserError(f"garments of asset packs fit the body anny, not {body.name}")
    fitted = [tailored_garment(body, item) for item in worn]
    garments = [
        PosedGarment(one, rest, vertices)
        for one, (rest, vertices) in zip(fitted, pose_garments(body, fitted, posed), strict=True)
    ]
    lowest = float(posed.vertices[layer_vertices(body.surface, "skin"), 2].min())
    return tuple(
        _falling(one, posed, lowest) if item.kind == "hair" else _hanging(one, posed, lowest)
        for item, one in zip(worn, garments, strict=True)
    )


def _hanging(garment: PosedGarment, posed: PosedBody, lowest: float) -> PosedGarment:
    """Clothes with their free hems as they hang, in the world."""
    fitted = garment.fitted
    if fitted.hanging is None or posed.bones is None:
        return garment
    at = hanging.hang(
        garment.vertices, fitted.hanging, fitted.bones, fitted.weights, posed.bones[0], lowest
    )
    return replace(garment, vertices=at)


def _falling(hair: PosedGarment, posed: PosedBody, lowest: float) -> PosedGarment:
    """Hair as it hangs from the head, in the world."""
    assert posed.bones is not None
    head = int(hair.fitted.bones[hair.rest[:, 2].argmax(), 0])
    linear, offset = posed.bones[0][head], posed.bones[1][head]
    return replace(hair, vertices=hang(hair.rest, hair.vertices, linear, offset, lowest))


def moved_points(
    points: Float[np.ndarray, "n 3"],
    position: tuple[float, float, float],
    rotation: Float[np.ndarray, "3 3"],
) -> Float[np.ndarray, "n 3"]:
    """Points of a body at the origin, moved with it; metres in the world."""
    return rotate_points(points, rotation) + np.array(position)


def worn_vertices(surface: Surface, outfit: Outfit) -> Int[np.ndarray, " n"]:
    """Indices of the body's vertices that a person in this outfit can be seen by.

    The surface has more: skirts and hair that are not worn, and the rig's helper geometry.
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
