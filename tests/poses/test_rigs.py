"""Matching joints by the names used in common skeletons."""

import numpy as np
import pytest

from repogen.poses.bvh import Skeleton
from repogen.poses.rigs import find_joints

LIMBS = [
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
]

# A trunk, then an arm and a leg, each a chain of names; {S} and {s} are the side.
RIGS = {
    "cmu": (
        ["Hips", "LowerBack", "Spine", "Spine1", "Neck", "Neck1", "Head"],
        "Spine1",
        ["{Side}Shoulder", "{Side}Arm", "{Side}ForeArm", "{Side}Hand", "{Side}FingerBase",
         "{Side}HandIndex1"],
        ["{S}HipJoint", "{Side}UpLeg", "{Side}Leg", "{Side}Foot", "{Side}ToeBase"],
    ),
    "biovision": (
        ["Hips", "Chest", "Neck", "Head"],
        "Chest",
        ["{Side}Collar", "{Side}Shoulder", "{Side}Elbow", "{Side}Wrist"],
        ["{Side}Hip", "{Side}Knee", "{Side}Ankle"],
    ),
    "3ds max": (
        ["Bip01", "Bip01 Spine", "Bip01 Spine1", "Bip01 Neck", "Bip01 Head"],
        "Bip01 Spine1",
        ["Bip01 {S} Clavicle", "Bip01 {S} UpperArm", "Bip01 {S} Forearm", "Bip01 {S} Hand"],
        ["Bip01 {S} Thigh", "Bip01 {S} Calf", "Bip01 {S} Foot", "Bip01 {S} Toe0"],
    ),
    "unreal": (
        ["root", "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"],
        "spine_03",
        ["clavicle_{s}", "upperarm_{s}", "lowerarm_{s}", "hand_{s}", "index_01_{s}"],
        ["thigh_{s}", "calf_{s}", "foot_{s}", "ball_{s}"],
    ),
    "smpl": (
        ["m_avg_Pelvis", "m_avg_Spine1", "m_avg_Spine2", "m_avg_Spine3", "m_avg_Neck",
         "m_avg_Head"],
        "m_avg_Spine3",
        ["m_avg_{S}_Collar", "m_avg_{S}_Shoulder", "m_avg_{S}_Elbow", "m_avg_{S}_Wrist",
         "m_avg_{S}_Hand"],
        ["m_avg_{S}_Hip", "m_avg_{S}_Knee", "m_avg_{S}_Ankle", "m_avg_{S}_Foot"],
    ),
    "poser": (
        ["hip", "abdomen", "chest", "neck", "head"],
        "chest",
        ["{s}Collar", "{s}Shldr", "{s}ForeArm", "{s}Hand", "{s}Thumb1", "{s}Index1"],
        ["{s}Buttock", "{s}Thigh", "{s}Shin", "{s}Foot", "{s}Toe"],
    ),
    "makehuman": (
        ["root", "spine05", "spine04", "spine03", "spine02", "spine01", "neck01", "neck02",
         "neck03", "head"],
        "spine01",
        ["clavicle.{S}", "shoulder01.{S}", "upperarm01.{S}", "upperarm02.{S}", "lowerarm01.{S}",
         "lowerarm02.{S}", "wrist.{S}", "finger1-1.{S}"],
        ["pelvis.{S}", "upperleg01.{S}", "upperleg02.{S}", "lowerleg01.{S}", "lowerleg02.{S}",
         "foot.{S}", "toe1-1.{S}"],
    ),
}  # fmt: skip


def build(rig):
    trunk, chest, arm, leg = RIGS[rig]
    names, parents = list(trunk), [-1, *range(len(trunk) - 1)]
    hips = "pelvis" if "pelvis" in trunk else trunk[0]
    for side in ("Left", "Right"):
        for chain, base in ((arm, chest), (leg, hips)):
            above = names.index(base)
            for name in chain:
                names.append(name.format(Side=side, S=side[0], s=side[0].lower()))
                parents.append(above)
                above = len(names) - 1
    return Skeleton(tuple(names), tuple(parents), np.zeros((len(names), 3)))


def found(rig):
    skeleton = build(rig)
    result = find_joints(skeleton, "a.bvh", np.zeros((1, len(skeleton.names), 3)))
    names = {joint: skeleton.names[index] for joint, index in result.joints.items()}
    return names | {"pelvis": skeleton.names[result.pelvis]}


@pytest.mark.parametrize("rig", RIGS)
def test_joints_of_limbs_are_found_on_both_sides(rig):
    names = found(rig)
    assert set(LIMBS) <= set(names)
    assert len(set(names.values())) == len(names)
    _, _, arm, leg = RIGS[rig]
    for joint in LIMBS:
        side = joint.partition("_")[0].title()
        chain = [n.format(Side=side, S=side[0], s=side[0].lower()) for n in arm + leg]
        assert names[joint] in chain


@pytest.mark.parametrize(
    ("rig", "expected"),
    [
        ("cmu", {"pelvis": "Hips", "spine1": "LowerBack", "spine2": "Spine", "spine3": "Spine1",
                 "neck": "Neck1", "head": "Head", "left_collar": "LeftShoulder",
                 "left_shoulder": "LeftArm", "left_hip": "LeftUpLeg", "left_index1":
                 "LeftHandIndex1", "left_foot": "LeftToeBase"}),
        ("biovision", {"spine1": "Chest", "right_collar": "RightCollar", "right_shoulder":
                       "RightShoulder", "right_elbow": "RightElbow", "right_hip": "RightHip"}),
        ("3ds max", {"pelvis": "Bip01", "spine1": "Bip01 Spine", "spine3": "Bip01 Spine1",
                     "left_knee": "Bip01 L Calf"}),
        ("unreal", {"pelvis": "pelvis", "spine1": "spine_01", "left_index1": "index_01_l"}),
        ("poser", {"pelvis": "hip", "spine1": "abdomen", "spine3": "chest", "left_collar":
                   "lCollar", "left_shoulder": "lShldr", "right_knee": "rShin", "right_thumb1":
                   "rThumb1"}),
        ("smpl", {"left_ankle": "m_avg_L_Ankle", "left_wrist": "m_avg_L_Wrist"}),
        ("makehuman", {"pelvis": "root", "spine1": "spine03", "spine2": "spine02", "spine3":
                       "spine01", "neck": "neck02", "left_hip": "upperleg01.L", "left_elbow":
                       "lowerarm01.L", "left_collar": "shoulder01.L", "left_thumb1":
                       "finger1-1.L"}),
    ],
)  # fmt: skip
def test_joints_are_matched_by_name(rig, expected):
    names = found(rig)
    assert {joint: names.get(joint) for joint in expected} == expected
