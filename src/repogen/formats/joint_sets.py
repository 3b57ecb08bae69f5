"""The joints of CrowdPose, MPII and LSP, as COCO files.

Names and order: CrowdPose https://github.com/Jeff-sjtu/CrowdPose (its images also have a
`crowdIndex`), MPII http://human-pose.mpi-inf.mpg.de/#download, LSP
https://github.com/axelcarlier/lsp. Joints that COCO lacks follow from a person's joints in space.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cameras.camera import Camera
from repogen.coco.names import CATEGORY
from repogen.formats.coco import coco_annotation, coco_file
from repogen.formats.geometry import (
    HEAD,
    HIPS,
    SHOULDERS,
    head_top,
    image_camera,
    joints_in_space,
    middle,
    neck,
    skull_base,
)
from repogen.formats.labelled import LabelledImage, LabelledPerson, LabelledSet
from repogen.formats.output import Output

_InSpace = Callable[[Float[np.ndarray, "17 3"]], Float[np.ndarray, "3"]]


@dataclass(frozen=True)
class _Further:
    """A joint that COCO's 17 do not have."""

    place: _InSpace
    """From a person's joints in space to this one."""
    near: tuple[int, ...]
    """COCO's joints whose largest v it gets."""
    halves: tuple[int, int] | None = None
    """The two joints that it is half-way between, also in a picture without space."""


_FURTHER: Mapping[str, _Further] = {
    "head_top": _Further(head_top, HEAD),
    "neck": _Further(neck, (*SHOULDERS, *HEAD)),
    "upper_neck": _Further(skull_base, HEAD),
    "thorax": _Further(lambda points: middle(points, SHOULDERS), SHOULDERS, SHOULDERS),
    "pelvis": _Further(lambda points: middle(points, HIPS), HIPS, HIPS),
}


@dataclass(frozen=True)
class JointSet:
    """The joints of a dataset in its order, and the limbs between them."""

    names: Mapping[str, str]
    """The name in the file of each joint, by COCO's name or one of `_FURTHER`."""
    limbs: tuple[tuple[str, str], ...]
    crowd_index: bool = False


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _pairs(*names: str) -> dict[str, str]:
    return _same(*(f"{side}_{name}" for name in names for side in ("left", "right")))


_LEGS = ("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle")
_ARMS = ("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
         "left_wrist")  # fmt: skip
_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("ankle", "knee"), ("knee", "hip"), ("wrist", "elbow"), ("elbow", "shoulder"))
)

CROWDPOSE = JointSet(
    _pairs("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    | {"head_top": "head", "neck": "neck"},
    (*_LIMBS, ("left_hip", "right_hip"), ("left_hip", "left_shoulder"),
     ("right_hip", "right_shoulder"), ("head_top", "neck"), ("neck", "left_shoulder"),
     ("neck", "right_shoulder")),
    crowd_index=True,
)  # fmt: skip
MPII = JointSet(
    _same(*_LEGS, "pelvis", "thorax", "upper_neck", "head_top", *_ARMS),
    (*_LIMBS, ("left_hip", "pelvis"), ("right_hip", "pelvis"), ("pelvis", "thorax"),
     ("thorax", "upper_neck"), ("upper_neck", "head_top"), ("thorax", "left_shoulder"),
     ("thorax", "right_shoulder")),
)  # fmt: skip
LSP = JointSet(
    _same(*_LEGS, *_ARMS, "neck", "head_top"),
    (*_LIMBS, ("left_hip", "right_hip"), ("left_hip", "left_shoulder"),
     ("right_hip", "right_shoulder"), ("head_top", "neck"), ("neck", "left_shoulder"),
     ("neck", "right_shoulder")),
)  # fmt: skip


def joint_set_writer(
    joints: JointSet,
) -> Callable[[LabelledSet, Iterator[LabelledImage], Output], None]:
    """A function that writes annotations.json with these joints, and images/."""
    names = list(joints.names)
    category = CATEGORY | {
        "keypoints": list(joints.names.values()),
        "skeleton": [[names.index(a) + 1, names.index(b) + 1] for a, b in joints.limbs],
    }

    def write(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
        with coco_file(out, "annotations.json", source, category) as file:
            for image in images:
                out.place(image, f"images/{image.name}")
                annotations = [
                    coco_annotation(person, _joints(person, image, names))
                    for person in image.people
                ]
                more = {"crowdIndex": crowd_index(image)} if joints.crowd_index else {}
                file.add(image, annotations, **more)

    return write


def _joints(
    person: LabelledPerson, image: LabelledImage, names: list[str]
) -> Float[np.ndarray, "k 3"]:
    """x, y, v of the named joints; pixel centres are whole numbers."""
    points = joints_in_space(person, image)
    camera = image_camera(image) if points is not None else None
    return np.array(
        [
            person.keypoints[COCO_KEYPOINTS.index(name)]
            if name in COCO_KEYPOINTS
            else _further(_FURTHER[name], person.keypoints, points, camera)
            for name in names
        ]
    )


def _further(
    joint: _Further,
    keypoints: Float[np.ndarray, "17 3"],
    points: Float[np.ndarray, "17 3"] | None,
    camera: Camera | None,
) -> Float[np.ndarray, "3"]:
    v = keypoints[list(joint.near), 2].max()
    if points is not None and camera is not None:
        point = joint.place(points)[None]
        if v > 0 and camera.shows(point)[0]:
            return np.append(camera.to_pixels(point)[0] - 0.5, v)
    elif joint.halves is not None and (keypoints[list(joint.halves), 2] > 0).all():
        return np.append(middle(keypoints, joint.halves)[:2], v)
    return np.zeros(3)


def crowd_index(image: LabelledImage) -> float:
    """CrowdPose's Crowd Index: the mean over the people of the number of others' labelled joints in
    their box, relative to the number of their own (Li et al., CVPR 2019), at most 1."""
    shares = []
    for person in image.people:
        low, high = person.box[:2], person.box[:2] + person.box[2:]
        own = int((person.keypoints[:, 2] > 0).sum())
        others = [p.keypoints[p.keypoints[:, 2] > 0, :2] for p in image.people if p is not person]
        inside = sum(int(((o >= low) & (o <= high)).all(axis=1).sum()) for o in others)
        if own:
            shares.append(min(inside / own, 1.0))
    return round(float(np.mean(shares)), 4) if shares else 0.0
