"""The protocol that every parametric body follows, and the data that bodies return."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from repogen.arrays import Bool, Float, Int, UInt8, UInt32
from repogen.bodies.shapes import GENDERS
from repogen.bodies.skeleton import JOINTS, Angles
from repogen.errors import unknown_choice

PARTS = (
    "background",
    "head",
    "torso",
    "left_upper_arm",
    "right_upper_arm",
    "left_lower_arm",
    "right_lower_arm",
    "left_hand",
    "right_hand",
    "left_upper_leg",
    "right_upper_leg",
    "left_lower_leg",
    "right_lower_leg",
    "left_foot",
    "right_foot",
)
"""Body parts; the index is the value in part images."""

LAYERS = ("skin", "eyes", "tights", "skirt", "hair", "cloth", "strands", "occluder")
"""Layer of a face. skin, eyes, tights, skirt and hair belong to the body's own surface; an outfit
may leave out all but skin and eyes. cloth and strands (hair with gaps in it) are garments.
occluder belongs to no person."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The part of a body that does not depend on shape and pose.

    `canonical` is the average adult in T-pose, in the world frame (metres, z up, facing -y):
    painted clothes are functions of it, so they move with the skin.
    """

    faces: Int[np.ndarray, "f 3"]
    face_layers: UInt8[np.ndarray, " f"]
    face_parts: UInt8[np.ndarray, " f"]
    face_keypoints: UInt32[np.ndarray, " f"]
    """Bit k is set where the face lies in the neighbourhood of COCO keypoint k."""
    canonical: Float[np.ndarray, "v 3"]
    occlusion: Float[np.ndarray, " v"]
    """Ambient occlusion in T-pose: 0 fully occluded, 1 open."""
    lips: Float[np.ndarray, " v"]
    """Lip weight of each vertex, 0 to 1."""
    uv: Float[np.ndarray, "t 2"]
    """Texture coordinates, (0, 0) the upper left corner of the picture; a single point for a body
    without any."""
    face_uv: Int[np.ndarray, "f 3"]
    face_extra_keypoints: UInt32[np.ndarray, "f 4"] | None = None
    """Bit k % 32 of word k // 32 is set where the face lies in the neighbourhood of keypoint k of
    `wholebody.EXTRA_KEYPOINTS`; None for a body without these."""

    def faces_of(self, *layers: str) -> Bool[np.ndarray, " f"]:
        """Mask of the faces in any of the named layers."""
        return np.isin(self.face_layers, [LAYERS.index(layer) for layer in layers])


@dataclass(frozen=True, eq=False)
class PosedBody:
    """A posed body in the world frame: metres, z up, the mid-hip at the origin."""

    vertices: Float[np.ndarray, "v 3"]
    keypoints: Float[np.ndarray, "k 3"]
    """The 17 COCO keypoints, at the anatomical joint centres."""
    rest: Float[np.ndarray, "v 3"] | None = None
    """The shaped vertices before posing, metres, to which garments are fitted."""
    bones: tuple[Float[np.ndarray, "b 3 3"], Float[np.ndarray, "b 3"]] | None = None
    """Each bone's transform of `rest`, x → linear x + offset."""


def check_names(
    body: "Body",
    shape: Mapping[str, float],
    face: Mapping[str, float],
    angles: Angles,
) -> None:
    """Raises `UserError` for a label or joint that the body does not have."""
    for label in shape:
        if label not in body.shape_labels:
            raise unknown_choice("body shape label", label, body.shape_labels)
    for label in face:
        if label not in body.face_labels:
            raise unknown_choice("facial action", label, body.face_labels)
    for joint in angles:
        if joint not in JOINTS:
            raise unknown_choice("joint", joint, JOINTS)


class Body(Protocol):
    """A parametric body."""

    name: str
    shape_labels: tuple[str, ...]
    face_labels: tuple[str, ...]

    @property
    def surface(self) -> Surface:
        """The part of the mesh that does not depend on shape and pose."""
        ...

    def __hash__(self) -> int: ...

    def sample_shape(
        self,
        rng: np.random.Generator,
        ages: tuple[str, ...],
        genders: tuple[str, ...] = tuple(GENDERS),
    ) -> dict[str, float]:
        """A random shape of one of the age groups and genders (`shapes`), as `pose` takes it."""
        ...

    def sample_face(self, rng: np.random.Generator) -> dict[str, float]:
        """A random facial expression, as `pose` takes it."""
        ...

    def pose(
        self,
        shape: Mapping[str, float],
        face: Mapping[str, float],
        angles: Angles,
    ) -> PosedBody:
        """The body with this shape and expression, its joints rotated by `angles`."""
        ...
