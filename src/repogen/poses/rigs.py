"""Match the joints of a foreign skeleton to ours, by name, else by the skeleton's shape."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import FINGERS
from repogen.errors import UserError
from repogen.poses.bvh import Skeleton
from repogen.poses.kinematics import ancestors
from repogen.poses.rig_shape import limbs_by_shape

_ALIASES = {
    # The order matters: where CMU's and Mixamo's LeftShoulder is a collar, there is a LeftArm too.
    "hip": ("upleg", "upperleg", "upperleg01", "thigh", "hip"),
    "knee": ("knee", "lowerleg", "lowerleg01", "lowleg", "calf", "shin", "leg"),
    "ankle": ("ankle", "foot"),
    "foot": ("toebase", "toe", "toes", "ball"),
    "shoulder": ("arm", "upperarm", "upperarm01", "uparm", "shldr", "shoulder"),
    "elbow": ("elbow", "forearm", "lowerarm", "lowerarm01", "lowarm"),
    "wrist": ("wrist", "hand"),
}
"""Names of joints, without the side, in rigs of CMU, Mixamo, Biovision, MakeHuman, Blender, Unreal,
Poser and SMPL."""

_MAX_NAME = 200
_OPTIONAL = ("ankle", "foot", "wrist")
_LIMBS = (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist"))
_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_NUMBERED_FINGERS = {1: "thumb", 2: "index", 3: "middle", 4: "ring", 5: "pinky"}  # MakeHuman's


@dataclass(frozen=True)
class Rig:
    """The indices of our joints in a foreign skeleton."""

    pelvis: int
    joints: dict[str, int]
    """By our name, without joints that the skeleton lacks."""


def find_joints(
    skeleton: Skeleton, where: str, positions: Float[np.ndarray, "frames joints 3"]
) -> Rig:
    """The rig of a skeleton with its joints' positions in the motion; errors begin with `where`.

    Joints of arms and legs are found by name, those of the trunk by their order from the pelvis,
    where the legs branch off, to the head: the last three before the arms branch off are the
    spine. If a name is unknown, the skeleton's shape shows arms, legs and head. Raises `UserError`
    if hips, knees, shoulders, elbows or head are missing or have the wrong parents.
    """
    words = _without_common_prefix([_words(name) for name in skeleton.names])
    fingers = _fingers(words)
    try:
        limbs = _limbs_by_name(words, skeleton, where)
        _check_limbs(limbs, skeleton, where)
    except UserError:
        found = limbs_by_shape(skeleton, positions)
        if found is None:
            raise
        limbs = found
    hands = {
        finger: joint
        for finger, joint in fingers.items()
        if limbs.get(finger.partition("_")[0] + "_wrist") in ancestors(skeleton, joint)
    }
    return _with_trunk(limbs | hands, skeleton, where)


def _limbs_by_name(words: list[list[str]], skeleton: Skeleton, where: str) -> dict[str, int]:
    sided: dict[tuple[str, str], int] = {}
    found: dict[str, int] = {}
    for index, parts in enumerate(words):
        side = next((_SIDES[word] for word in parts if word in _SIDES), None)
        rest = [word for word in parts if word not in _SIDES]
        if side is None:
            if rest == ["head"]:
                found.setdefault("head", index)
            continue
        sided.setdefault((side, "".join(rest)), index)
    for side in ("left", "right"):
        for joint, aliases in _ALIASES.items():
            matches = [sided[side, alias] for alias in aliases if (side, alias) in sided]
            if matches:
                found[f"{side}_{joint}"] = matches[0]
            elif joint not in _OPTIONAL:
                raise _missing(f"{side} {joint}", skeleton, where)
    if "head" not in found:
        raise _missing("head", skeleton, where)
    return found


def _fingers(words: list[list[str]]) -> dict[str, int]:
    """The finger joints that names show."""
    out: dict[str, int] = {}
    for index, parts in enumerate(words):
        side = next((_SIDES[word] for word in parts if word in _SIDES), None)
        finger = _finger([word for word in parts if word not in _SIDES])
        if side and finger:
            out.setdefault(f"{side}_{finger}", index)
    return out


def _words(name: str) -> list[str]:
    """`mixamorig:LeftUpLeg` → left up leg; `upperleg01.L` → upperleg 01 l."""
    plain = name.rsplit(":", 1)[-1][:_MAX_NAME]
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", plain)]


def _without_common_prefix(names: list[list[str]]) -> list[list[str]]:
    """The names without first words that 80 % of them share (Bip01, mixamorig)."""
    while True:
        firsts = [words[0] for words in names if words]
        common = max(set(firsts), key=firsts.count, default="")
        if firsts.count(common) < 0.8 * len(names) or common in _SIDES:
            return names
        names = [words[1:] if words[:1] == [common] else words for words in names]


def _finger(words: list[str]) -> str | None:
    numbers = [int(word) for word in words if word.isdigit()]
    if words[:1] == ["finger"] and len(numbers) == 2:
        finger, knuckle = _NUMBERED_FINGERS.get(numbers[0]), numbers[1]
    else:
        finger = next((f for f in FINGERS if f in words), None)
        knuckle = numbers[-1] if numbers else 0
    return f"{finger}{knuckle}" if finger and 1 <= knuckle <= 3 else None


def _missing(joint: str, skeleton: Skeleton, where: str) -> UserError:
    names = ", ".join(skeleton.names[:40])
    return UserError(f"{where}: no joint has a known name for {joint}; its joints are {names}")


def _check_limbs(found: dict[str, int], skeleton: Skeleton, where: str) -> None:
    for side in ("left", "right"):
        for limb in _LIMBS:
            chain = [found[name] for joint in limb if (name := f"{side}_{joint}") in found]
            for upper, lower in pairwise(chain):
                if upper not in ancestors(skeleton, lower)[1:]:
                    raise UserError(
                        f"{where}: {skeleton.names[lower]} must be below {skeleton.names[upper]} "
                        "in the hierarchy"
                    )


def _with_trunk(found: dict[str, int], skeleton: Skeleton, where: str) -> Rig:
    """The rig of the limbs found, completed by the pelvis, spine, neck and collars."""
    head = ancestors(skeleton, found["head"])
    arms = [ancestors(skeleton, found[f"{side}_shoulder"]) for side in ("left", "right")]
    legs = [ancestors(skeleton, found[f"{side}_hip"]) for side in ("left", "right")]
    pelvis = _first_common(*legs)
    chest = _first_common(head, *arms)
    if pelvis is None or chest is None or _first_common(head, legs[0]) is None:
        raise UserError(f"{where}: head, arms and legs have no common parent joint")
    below = ancestors(skeleton, pelvis)
    spine = [joint for joint in reversed(head[head.index(chest) :]) if joint not in below]
    if len(spine) < 3:
        joints = dict(zip(("spine1", "spine3"), spine, strict=False))
    else:
        joints = dict(zip(("spine1", "spine2", "spine3"), spine[-3:], strict=True))
    neck = head[1 : head.index(chest)][::-1]
    if neck:
        joints["neck"] = neck[len(neck) // 2]
    for side, arm in zip(("left", "right"), arms, strict=True):
        if arm[1] != chest:
            joints[f"{side}_collar"] = arm[1]
    return Rig(pelvis, found | joints)


def _first_common(first: list[int], *others: Iterable[int]) -> int | None:
    return next((joint for joint in first if all(joint in other for other in others)), None)
