"""Where the joints of a posed person are, and how they are turned: the handles of the 3D view."""

from dataclasses import dataclass, replace

import numpy as np

from repogen.arrays import Float
from repogen.bodies.rigging import BODY_TO_WORLD
from repogen.bodies.rotations import matrices_to_vectors, vectors_to_matrices
from repogen.bodies.skeleton import BODY_JOINTS, COCO_KEYPOINTS, Angles
from repogen.people.person import Person, world_rotation
from repogen.people.posing import PosedPerson
from repogen.poses.clips import Vector
from repogen.poses.tree import PARENTS

PELVIS = "pelvis"
"""The handle that turns the whole person."""

_TOES = 0.14
"""Metres from an adult's ankle to the ball of the foot."""

_SPINE = {"spine1": 0.15, "spine2": 0.4, "spine3": 0.62, "neck": 1.02}
"""Where joints of the trunk are, as shares of the way from the hips to the shoulders."""


@dataclass(frozen=True)
class Frame:
    """A joint in the world: its position in metres, and where its axes x, y and z point (the
    columns): the person's left, up and front in T-pose."""

    position: Float[np.ndarray, "3"]
    rotation: Float[np.ndarray, "3 3"]


def joint_frames(posed: PosedPerson) -> dict[str, Frame]:
    """The frame of each body joint and of the pelvis. Joints that are no keypoints are placed
    between these: a handle shows which joint it turns, not where exactly that lies."""
    turned = _rotations(posed.person)
    points = _positions(posed, turned)
    return {joint: Frame(points[joint], turned[joint]) for joint in (PELVIS, *BODY_JOINTS)}


def joint_rotation(person: Person, joint: str) -> Float[np.ndarray, "3 3"]:
    """Where the axes of a joint point in the world, as `Frame.rotation`."""
    return _rotations(person)[joint]


def rotation_to_angles(person: Person, joint: str, rotation: Float[np.ndarray, "3 3"]) -> Vector:
    """The rotation vector in degrees of a joint whose frame is turned to `rotation`."""
    before = _rotations(person)[PARENTS[joint]]
    return _degrees(np.einsum("ji,jk->ik", before, rotation))


def rotation_to_orientation(person: Person, rotation: Float[np.ndarray, "3 3"]) -> Vector:
    """The orientation (see `Person`), with any heading, of a person whose pelvis is turned to
    `rotation`."""
    level = world_rotation(_upright(person)) @ BODY_TO_WORLD
    return _degrees(np.einsum("ji,jk->ik", level, rotation))


def _upright(person: Person) -> Person:
    return replace(person, orientation=(0.0, 0.0, 0.0))


def _degrees(rotation: Float[np.ndarray, "3 3"]) -> Vector:
    x, y, z = np.degrees(matrices_to_vectors(rotation[None])[0]).tolist()
    return x, y, z


def _rotations(person: Person) -> dict[str, Float[np.ndarray, "3 3"]]:
    """Where the axes of each joint point in the world."""
    out = {PELVIS: world_rotation(person) @ BODY_TO_WORLD}
    for joint in PARENTS:
        out[joint] = out[PARENTS[joint]] @ _local(person.angles, joint)
    return out


def _local(angles: Angles, joint: str) -> Float[np.ndarray, "3 3"]:
    return vectors_to_matrices(np.radians([angles.get(joint, (0.0, 0.0, 0.0))]))[0]


def _positions(
    posed: PosedPerson, turned: dict[str, Float[np.ndarray, "3 3"]]
) -> dict[str, Float[np.ndarray, "3"]]:
    at = dict(zip(COCO_KEYPOINTS, posed.body.keypoints[:17], strict=True))
    hips, shoulders = at["left_hip"] + at["right_hip"], at["left_shoulder"] + at["right_shoulder"]
    hips, shoulders = hips / 2, shoulders / 2
    out = {joint: at[joint] for joint in BODY_JOINTS if joint in at}
    out[PELVIS] = hips
    out |= {joint: hips + share * (shoulders - hips) for joint, share in _SPINE.items()}
    out["head"] = (at["left_ear"] + at["right_ear"]) / 2
    for side in ("left", "right"):
        out[f"{side}_collar"] = (2 * out["neck"] + at[f"{side}_shoulder"]) / 3
        ankle, rotation = at[f"{side}_ankle"], turned[f"{side}_ankle"]
        out[f"{side}_foot"] = ankle + rotation @ np.array([0.0, -0.05, _TOES])
    return out
