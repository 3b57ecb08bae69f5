"""The Warp rasterizer against a naive one, and on closed meshes."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from repogen.rendering.gbuffer import key_depth
from repogen.rendering.kernels.codes import CULL_ALL, CULL_BACK, CULL_NONE
from repogen.rendering.kernels.modules import PER_THREAD
from repogen.rendering.kernels.raster import EMPTY, FAR, NEAR, rasterize
from repogen.warp_setup import wp


@dataclass(frozen=True)
class Lens:
    """A pinhole camera: width, height, fx, fy, cx, cy in pixels."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def rays(self):
        """Through the pixel centres, z = 1."""
        y, x = np.mgrid[: self.height, : self.width] + 0.5
        return np.stack([(x - self.cx) / self.fx, (y - self.cy) / self.fy, np.ones_like(x)], axis=2)


def fast(vertices, faces, culling, lens):
    """Face (-1 for none) and depth of each pixel, from the kernel."""
    keys = wp.full(lens.width * lens.height, EMPTY, dtype=wp.uint64, device="cpu")
    inputs = [
        wp.array(np.asarray(vertices, np.float32), dtype=wp.vec3, device="cpu"),
        wp.array(np.asarray(faces, np.int32), dtype=wp.int32, device="cpu"),
        wp.array(
            np.broadcast_to(culling, len(faces)).astype(np.uint8), dtype=wp.uint8, device="cpu"
        ),
        *(lens.fx, lens.fy, lens.cx, lens.cy, lens.width, lens.height, keys),
    ]
    wp.launch(rasterize, dim=-(-len(faces) // PER_THREAD), inputs=inputs, device="cpu")
    found = keys.numpy().reshape(lens.height, lens.width)
    seen = found != np.uint64(EMPTY)
    face = np.where(seen, (found & np.uint64(2**32 - 1)).astype(np.int64), -1)
    return face, np.where(seen, key_depth(found), 0.0)


def naive(vertices, faces, culling, lens):
    """Naive version of `fast`: triangle by triangle in double precision."""
    rays, size = lens.rays(), (lens.width, lens.height)
    depth = np.full((lens.height, lens.width), np.inf)
    face = np.full(depth.shape, -1)
    corners = np.asarray(vertices, np.float32).astype(float)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    front = np.einsum("fi,fi->f", normals, corners[:, 0]) < 0
    culling = np.broadcast_to(culling, len(faces))
    drawn = (culling == CULL_NONE) | ((culling == CULL_BACK) & front)
    for f in np.flatnonzero(drawn & (corners[..., 2].min(axis=1) >= NEAR)):
        (a, b, c), normal = corners[f], normals[f]
        shown = corners[f, :, :2] / corners[f, :, 2:] * [lens.fx, lens.fy] + [lens.cx, lens.cy]
        x0, y0 = np.clip(np.floor(shown.min(axis=0)).astype(int), 0, size)
        x1, y1 = np.clip(np.ceil(shown.max(axis=0)).astype(int), 0, size)
        ray = rays[y0:y1, x0:x1]
        edges = np.stack([ray @ np.cross(p, q) for p, q in ((b, c), (c, a), (a, b))])
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (normal @ a) / (ray @ normal)
        nearer = ((edges >= 0).all(axis=0) | (edges <= 0).all(axis=0)) & (z < depth[y0:y1, x0:x1])
        depth[y0:y1, x0:x1][nearer] = z[nearer]
        face[y0:y1, x0:x1][nearer] = f
    return face, np.where(face >= 0, depth, 0.0)


def assert_equal_but_for_ties(vertices, faces, culling, lens):
    (face, depth), (face2, depth2) = (f(vertices, faces, culling, lens) for f in (fast, naive))
    same = face == face2
    assert (face2 >= 0).mean() > 0.05
    assert same.mean() > 0.995
    assert np.abs(depth - depth2)[same].max() < 1e-4


LENS = Lens(48, 40, 40.0, 44.0, 25.3, 19.1)


@pytest.mark.parametrize("culling", [CULL_BACK, CULL_NONE])
@pytest.mark.parametrize("seed", range(6))
def test_random_triangles_match_the_naive_rasterizer(seed, culling):
    """Forty triangles that overlap, intersect, leave the picture and reach behind the camera."""
    rng = np.random.default_rng(seed)
    vertices = rng.uniform([-1.5, -1.5, -0.2], [1.5, 1.5, 3], (120, 3))
    assert_equal_but_for_ties(vertices, np.arange(120).reshape(-1, 3), culling, LENS)


def test_small_far_triangles_match_the_naive_rasterizer():
    rng = np.random.default_rng(9)
    middles = rng.uniform([-4, -4, 8], [4, 4, 9], (1500, 1, 3))
    vertices = (middles + rng.normal(0, 0.15, (1500, 3, 3))).reshape(-1, 3)
    assert_equal_but_for_ties(vertices, np.arange(4500).reshape(-1, 3), CULL_NONE, LENS)


def test_a_body_matches_the_naive_rasterizer(body):
    surface = body.surface
    posed = body.pose({}, {}, {"left_hip": (-60, 20, 10), "right_elbow": (0, 80, 0)}).vertices
    turn = Rotation.from_euler("xyz", [70, 20, 40], degrees=True).as_matrix()
    vertices = posed @ turn.T + [0, 0, 2.0]
    faces = surface.faces[surface.faces_of("skin")]
    assert_equal_but_for_ties(vertices, faces, CULL_BACK, Lens(64, 64, 60.0, 60.0, 32.0, 32.0))


def sphere(count=1500):
    """A closed mesh about the origin with its normals outwards, radius 1 (0.995 inside)."""
    i = np.arange(count) + 0.5
    z, turn = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    ring = np.sqrt(1 - z * z)
    vertices = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)
    faces = ConvexHull(vertices).simplices
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    inward = np.einsum("fi,fi->f", np.cross(b - a, c - a), a) < 0
    faces[inward] = faces[inward][:, ::-1]
    return vertices, faces


@pytest.mark.parametrize("size", [25, 400])
@pytest.mark.parametrize("seed", range(3))
def test_a_closed_mesh_has_no_holes(seed, size):
    """From triangles far smaller than a pixel to triangles of many pixels."""
    vertices, faces = sphere()
    turned = vertices @ Rotation.random(rng=np.random.default_rng(seed)).as_matrix().T
    lens = Lens(size, size, 1.2 * size, 1.2 * size, size / 2, size / 2)
    face, depth = fast(turned + np.array([0.1, -0.05, 3]), faces, CULL_BACK, lens)
    rays = lens.rays()
    rays /= np.linalg.norm(rays, axis=2, keepdims=True)
    miss = np.linalg.norm(np.cross(rays, [0.1, -0.05, 3]), axis=2)
    assert (face[miss < 0.99] >= 0).all()
    assert (face[miss > 1.0] == -1).all()
    assert depth[face >= 0].max() < 3  # the near side alone


@pytest.mark.parametrize("seed", range(5))
def test_no_gap_where_edges_run_through_pixel_centres(seed):
    """A sheet of squares 8 pixels wide whose corners project to pixel centres, in any depth."""
    rng, n, lens = np.random.default_rng(seed), 26, Lens(201, 201, 317.3, 309.1, 100.5, 100.5)
    pixels = 8.0 * np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=2).reshape(-1, 2) + 0.5
    z = rng.uniform(1, 3, (n * n, 1))
    xy = (pixels - [lens.cx, lens.cy]) / [lens.fx, lens.fy] * z
    corner = np.arange(n * n).reshape(n, n)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]
    faces = np.concatenate([np.stack(t, axis=2).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    face, _ = fast(np.hstack([xy, z]), rng.permutation(faces), CULL_NONE, lens)
    gap = face < 0
    gap[::8, ::8] = False  # where many triangles meet in the very sample, rounding may lose it
    assert not gap[1:-1, 1:-1].any()


TRIANGLE = np.array([[-1, -1, 2], [1, -1, 2], [0, 1, 2]], float)
TOWARDS = np.array([[0, 2, 1]])  # its normal points to the camera
AWAY = TOWARDS[:, ::-1]


@pytest.mark.parametrize(
    ("faces", "culling", "drawn"),
    [
        (TOWARDS, CULL_ALL, False),
        (TOWARDS, CULL_BACK, True),
        (TOWARDS, CULL_NONE, True),
        (AWAY, CULL_ALL, False),
        (AWAY, CULL_BACK, False),
        (AWAY, CULL_NONE, True),
    ],
)
def test_the_back_of_a_face_is_drawn_only_without_culling(faces, culling, drawn):
    face, _ = fast(TRIANGLE, faces, culling, LENS)
    assert (face >= 0).any() == drawn


@pytest.mark.parametrize(
    ("nearest", "drawn"), [(NEAR * 0.9, False), (NEAR * 1.1, True), (-1, False)]
)
def test_triangles_nearer_than_the_near_plane_are_not_drawn(nearest, drawn):
    triangle = TRIANGLE.copy()
    triangle[0, 2] = nearest
    assert (fast(triangle, TOWARDS, CULL_NONE, LENS)[0] >= 0).any() == drawn


@pytest.mark.parametrize(("depth", "drawn"), [(250.0, True), (FAR * 0.9, True), (FAR * 1.1, False)])
def test_triangles_up_to_the_far_plane_are_drawn(depth, drawn):
    face, seen = fast(TRIANGLE * depth / 2, TOWARDS, CULL_NONE, LENS)
    assert (face >= 0).any() == drawn
    assert seen[face >= 0] == pytest.approx(depth, rel=1e-4)


def test_the_first_of_equal_triangles_is_seen():
    faces = np.concatenate([TOWARDS[:, [1, 2, 0]], TOWARDS, TOWARDS])
    face, _ = fast(TRIANGLE, faces, [CULL_ALL, CULL_BACK, CULL_BACK], LENS)
    assert set(face.ravel()) == {-1, 1}
