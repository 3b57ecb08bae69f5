"""How a person rests on a floor: which way the weight tips, and tipped until it is carried."""

import numpy as np

from repogen.arrays import Bool, Float, Int
from repogen.bodies.protocol import PosedBody, Surface
from repogen.bodies.rotations import vectors_to_matrices
from repogen.bodies.surface import layer_vertices
from repogen.people.person import orientation_to_world, world_to_orientation
from repogen.poses.clips import Vector

_TOUCHING = 0.015
"""Metres above the lowest point up to which a point is on the floor: soles and flesh give way."""

_DIRECTIONS = 72
_STEP_DEG = 1.0
MAX_TILT_DEG = 25.0
"""How far a person is tipped, at most."""

CARRIED = 0.02
"""Metres that the centre of mass may overhang what carries it."""

LOW_TRUNK = 0.12
"""Metres that the trunk of a person who lies may be above the floor, at most."""

RAISED_FOOT = 0.3
"""Metres that an ankle of somebody in bed may be above the mattress, at most."""

_TRUNK = (-0.15, -0.08), (0.15, 0.42)
"""Least and most metres of the trunk's points to the left and up from the hips, canonical."""
_LEVEL = np.sin(np.radians(30.0))

Matrix = Float[np.ndarray, "3 3"]
Points = Float[np.ndarray, "n 3"]


def centre_of_mass(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], skin: Bool[np.ndarray, " f"]
) -> Float[np.ndarray, "3"]:
    """The centre of the volume that the faces of the skin enclose."""
    middle = vertices.mean(axis=0)
    a, b, c = (vertices[faces[skin, corner]] - middle for corner in range(3))
    volumes = np.einsum("fi,fi->f", a, np.cross(b, c))
    return middle + np.einsum("f,fi->i", volumes, a + b + c) / (4 * volumes.sum())


def overhang(points: Points, centre: Float[np.ndarray, "3"]) -> Float[np.ndarray, "2"]:
    """Where, and how far in metres, a centre of mass overhangs the points on the floor: zeros if
    it is above their convex hull. z is up."""
    carrying = points[points[:, 2] < points[:, 2].min() + _TOUCHING, :2] - centre[:2]
    angles = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    outwards = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    reach = np.einsum("di,ni->dn", outwards, carrying).max(axis=1)
    worst = int(np.argmin(reach))
    return -min(float(reach[worst]), 0.0) * outwards[worst]


def settle(
    points: Points, centre: Float[np.ndarray, "3"], rotation: Matrix
) -> tuple[Matrix, float]:
    """The rotation of a body, tipped until the floor carries it, and the overhang that remains,
    metres.

    `points` and `centre` are of the body before the rotation. It is tipped the way its weight falls
    (who lies, until it lies flat) or against it (who stands on hands), whichever takes less, by
    `MAX_TILT_DEG` at most; where neither is enough, the rotation is returned as it was, with the
    least overhang on both ways.
    """
    ways = {1.0: rotation, -1.0: rotation}
    least = np.inf
    for _ in range(int(MAX_TILT_DEG / _STEP_DEG) + 1):
        for sign, turned in ways.items():
            height = np.einsum("ni,i->n", points, turned[2])
            low = points[height < height.min() + 2 * _TOUCHING]  # few, and all that touch the floor
            at = np.einsum("ni,ji->nj", low, turned)
            over = overhang(at, np.einsum("i,ji->j", centre, turned))
            size = float(np.linalg.norm(over))
            least = min(least, size)
            if size <= CARRIED:
                return turned, size
            x, y = sign * over / size
            tip = np.radians(_STEP_DEG) * np.array([[-y, x, 0.0]])
            ways[sign] = vectors_to_matrices(tip)[0] @ turned
    return rotation, least


def settled(surface: Surface, at_origin: PosedBody, orientation: Vector) -> tuple[Vector, float]:
    """The orientation of a person (see `Person`) who rests on a floor, and the overhang that
    remains, metres. `at_origin` is the body upright."""
    skin = surface.faces_of("skin")
    points = at_origin.vertices[layer_vertices(surface, "skin")].astype(float)
    centre = centre_of_mass(at_origin.vertices.astype(float), surface.faces, skin)
    rotation, over = settle(points, centre, orientation_to_world(orientation))
    return world_to_orientation(rotation), over


def trunk_height(surface: Surface, at_origin: PosedBody, orientation: Vector) -> float:
    """Metres between a floor and the trunk of a person who lies on it, propped up on an arm or a
    leg; 0 for a trunk that is more than 30 degrees off the horizontal.

    `at_origin` is the body upright, `orientation` as in `Person`.
    """
    turned = orientation_to_world(orientation)
    skin = layer_vertices(surface, "skin")
    heights = at_origin.vertices[skin] @ turned[2]
    across, up = surface.canonical[skin][:, [0, 2]].T
    (left, low), (right, high) = _TRUNK
    trunk = (left < across) & (across < right) & (low < up) & (up < high)
    shoulders, hips = at_origin.keypoints[5:7].mean(axis=0), at_origin.keypoints[11:13].mean(axis=0)
    axis = (shoulders - hips) @ turned[2] / np.linalg.norm(shoulders - hips)
    return float(heights[trunk].min() - heights.min()) if abs(axis) < _LEVEL else 0.0


def foot_height(surface: Surface, at_origin: PosedBody, orientation: Vector) -> float:
    """Metres between what a person lies on and the higher ankle.

    `at_origin` is the body upright, `orientation` as in `Person`.
    """
    up = orientation_to_world(orientation)[2]
    lowest = (at_origin.vertices[layer_vertices(surface, "skin")] @ up).min()
    return float((at_origin.keypoints[15:17] @ up).max() - lowest)
