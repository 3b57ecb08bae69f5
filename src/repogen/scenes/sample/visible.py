"""Which keypoints a camera sees, without rendering: so that sampling can draw another one."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from repogen.arrays import Bool, Float, Int
from repogen.bodies.protocol import Surface
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cameras.camera import Camera
from repogen.environment.occluders import Occluder, hides
from repogen.people.posing import PosedPerson

_POINTS = 4000
"""Points of a person that go into the depth buffer, at least, if there are so many."""

_CELL = 2.4
"""The side of a cell of the depth buffer over the points' mean distance, so that few cells on a
person are empty."""

_SKIN = 1.8
"""Square metres of an adult's skin, over which the points are spread."""

_BEHIND = 0.05
"""Metres by which a vertex may lie behind another one of its cell and count as visible: more than
clothes are thick, less than a limb."""

_MOST_CELLS = 1024
"""Cells along a side of the depth buffer, at most."""

Points = Float[np.ndarray, "n 3"]


def visible_keypoints_about(
    camera: Camera, people: Sequence[PosedPerson], occluders: Sequence[Occluder]
) -> Bool[np.ndarray, "17"]:
    """The first person's COCO keypoints that are in the picture and not occluded.

    From the vertices alone: the number may differ by one or two from that of the labels.
    """
    first = people[0]
    vertices, keypoint = _neighbourhoods(first.surface)
    near = first.body.vertices.take(vertices, axis=0).astype(np.float64)
    step = max(len(first.outer_points) // _POINTS, 1)
    points = np.concatenate([posed.outer_points[::step] for posed in people])
    cell = _CELL * np.sqrt(_SKIN * step / len(first.outer_points))
    shown = _unoccluded(camera, near, points, cell)
    for occluder in occluders:
        shown &= ~hides(occluder, camera.position(), near)
    seen = np.zeros(len(COCO_KEYPOINTS), dtype=bool)
    seen[keypoint[shown]] = True
    return seen & camera.shows(camera.to_camera(first.body.keypoints))


@lru_cache(maxsize=4)
def _neighbourhoods(surface: Surface) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Indices of skin vertices, and the keypoint in whose neighbourhood each lies."""
    faces, bits = surface.faces[surface.faces_of("skin", "eyes")], surface.face_keypoints
    bits = bits[surface.faces_of("skin", "eyes")]
    found = [np.unique(faces[bits >> k & 1 > 0]) for k in range(len(COCO_KEYPOINTS))]
    return np.concatenate(found), np.repeat(np.arange(len(found)), [len(one) for one in found])


def _unoccluded(
    camera: Camera, points: Points, others: Points, cell_m: float
) -> Bool[np.ndarray, " n"]:
    """Whether none of the others lies in front of each point, in a depth buffer with cells of
    `cell_m` metres at the points' distance; those outside the lens's view do not count."""
    own, others = camera.to_camera(points), camera.to_camera(others)
    in_view = camera.in_view(own)
    if not in_view.any():
        return in_view
    others = others[camera.in_view(others)]
    distance = float(np.median(np.linalg.norm(own, axis=1)))
    pixels = camera.to_pixels(np.where(in_view[:, None], own, [0.0, 0.0, 1.0]))
    x, y = pixels[in_view].T
    left, top, right, bottom = x.min(), y.min(), x.max(), y.max()
    cell = max(cell_m * camera.fx / distance, max(right - left, bottom - top) / _MOST_CELLS)
    columns, rows = int((right - left) / cell) + 1, int((bottom - top) / cell) + 1
    nearest = np.full(rows * columns, np.inf)

    def cells(
        pixels: Float[np.ndarray, "n 2"],
    ) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        x, y = ((pixels - [left, top]) / cell).T
        inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        x, y = (np.where(inside, v, 0).astype(int) for v in (x, y))
        return y * columns + x, inside

    index, inside = cells(camera.to_pixels(others))
    np.minimum.at(nearest, index[inside], camera.depth_of(others)[inside])
    index, inside = cells(pixels)
    return in_view & inside & (camera.depth_of(own) <= nearest[index] + _BEHIND)
