"""The attributes of a body's `Surface`, from its T-pose: parts, keypoint neighbourhoods, ambient
occlusion."""

from functools import cache, lru_cache

import numpy as np

from repogen.arrays import Float, Int, UInt8, UInt32
from repogen.bodies.mesh_kernels import share_of_free_rays
from repogen.bodies.protocol import LAYERS, PARTS, PosedBody, Surface
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.warp_setup import wp

NEIGHBOURHOOD_CM2 = {
    "nose": 60.0,
    "eye": 30.0,
    "ear": 50.0,
    "shoulder": 500.0,
    "elbow": 300.0,
    "wrist": 130.0,
    "hip": 700.0,
    "knee": 400.0,
    "ankle": 200.0,
}
"""Skin area in cm² around each keypoint that makes it visible when seen, on an adult of 1.8 m².

The paper's release counts SMPL-X vertices (nose 300, eyes 700, ... of 10,475; docs/method.md),
whose density varies twentyfold between trunk and face, so these areas are the counts divided by
the density at the body part (about 2,400 per m² on trunk and limbs, 33,000 on the face; most of
an eye's 700 lie on the eyeball)."""

_PART_OF_BONE = (
    ("upperleg", "upper_leg"),
    ("pelvis", "upper_leg"),
    ("lowerleg", "lower_leg"),
    ("foot", "foot"),
    ("toe", "foot"),
    ("upperarm", "upper_arm"),
    ("lowerarm", "lower_arm"),
    ("wrist", "hand"),
    ("finger", "hand"),
    ("metacarpal", "hand"),
)
_HEAD_BONES = ("neck02", "neck03", "head", "eye")
_OCCLUSION_RAYS = 64
_OCCLUSION_REACH = 0.35
"""Length of the rays, metres."""


def face_parts(faces: Int[np.ndarray, "f 3"], vertex_bones: list[str]) -> UInt8[np.ndarray, " f"]:
    """The number of each face's body part, from the name of each vertex's main bone in MakeHuman's
    rig."""
    corners = np.array([_part_of_bone(bone) for bone in vertex_bones], dtype=np.uint8)[faces]
    return np.where(corners[:, 1] == corners[:, 2], corners[:, 1], corners[:, 0])


@cache
def _part_of_bone(bone: str) -> int:
    base, _, side = bone.partition(".")
    if base.startswith(_HEAD_BONES):
        return PARTS.index("head")
    for prefix, part in _PART_OF_BONE:
        if base.startswith(prefix) and side:
            return PARTS.index(f"{'left' if side == 'L' else 'right'}_{part}")
    return PARTS.index("torso")


def keypoint_neighbourhoods(
    tpose: PosedBody, faces: Int[np.ndarray, "f 3"], face_layers: UInt8[np.ndarray, " f"]
) -> UInt32[np.ndarray, " f"]:
    """Bit k is set for the skin faces nearest to keypoint k and for cloth as near as these."""
    corners = tpose.vertices[faces].astype(np.float64)
    centres = corners.mean(axis=1)
    areas = 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    on_skin = face_layers == LAYERS.index("skin")
    cloth = np.isin(face_layers, [LAYERS.index("tights"), LAYERS.index("skirt")])
    bits = np.zeros(len(faces), dtype=np.uint32)
    for k, name in enumerate(COCO_KEYPOINTS):
        distance = np.linalg.norm(centres - tpose.keypoints[k], axis=1)
        order = np.argsort(np.where(on_skin, distance, np.inf), kind="stable")
        area = NEIGHBOURHOOD_CM2[name.split("_")[-1]] * 1e-4
        count = int(np.searchsorted(np.cumsum(areas[order]), area)) + 1
        near = order[:count]
        bits[near] |= np.uint32(1 << k)
        bits[cloth & (distance <= 1.15 * distance[near[-1]])] |= np.uint32(1 << k)
    eyes = face_layers == LAYERS.index("eyes")
    left = centres[:, 0] > 0
    bits[eyes & left] |= np.uint32(1 << COCO_KEYPOINTS.index("left_eye"))
    bits[eyes & ~left] |= np.uint32(1 << COCO_KEYPOINTS.index("right_eye"))
    return bits


def ambient_occlusion(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    face_layers: UInt8[np.ndarray, " f"],
) -> Float[np.ndarray, " v"]:
    """Cosine-weighted share of directions without skin within 35 cm, for each vertex."""
    i = np.arange(_OCCLUSION_RAYS) + 0.5  # a Fibonacci sphere
    z, azimuth = 1 - 2 * i / _OCCLUSION_RAYS, np.pi * (1 + 5**0.5) * i
    radius = np.sqrt(1 - z * z)
    directions = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=1)
    out = wp.zeros(len(vertices), dtype=wp.float32, device="cpu")
    mesh = wp.Mesh(
        wp.array(vertices, dtype=wp.vec3, device="cpu"),
        wp.array(faces[face_layers == LAYERS.index("skin")].ravel(), dtype=wp.int32, device="cpu"),
    )
    wp.launch(
        share_of_free_rays,
        dim=len(vertices),
        inputs=[
            mesh.id,
            wp.array(vertices, dtype=wp.vec3, device="cpu"),
            wp.array(vertex_normals(vertices, faces), dtype=wp.vec3, device="cpu"),
            wp.array(directions, dtype=wp.vec3, device="cpu"),
            _OCCLUSION_REACH,
        ],
        outputs=[out],
        device="cpu",
    )
    return out.numpy()


def vertex_normals(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> Float[np.ndarray, "v 3"]:
    """Area-weighted unit normals of the vertices; zero for a vertex without faces."""
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    cross = np.cross(b - a, c - a)
    out = np.zeros((len(vertices), 3))
    for i in range(3):
        np.add.at(out, faces[:, i], cross)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


@lru_cache(maxsize=16)
def layer_vertices(surface: Surface, layer: str) -> Int[np.ndarray, " n"]:
    """Indices of the vertices that the faces of a layer use."""
    return np.unique(surface.faces[surface.faces_of(layer)])
