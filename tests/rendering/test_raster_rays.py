"""The z-buffer of any lens against the pinhole's and a naive one, and on closed meshes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from repogen.cameras.camera import View, look_at
from repogen.cameras.lens import FISHEYES, max_angle
from repogen.poses.bounds import default_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.sampling import sample_body_pose
from repogen.rendering.gbuffer import key_depth
from repogen.rendering.kernels.codes import CULL_ALL, CULL_BACK, CULL_NONE, SHADOW_ONLY
from repogen.rendering.kernels.lens import Lens, camera_to_lens, depth, project, ray
from repogen.rendering.kernels.modules import PER_THREAD
from repogen.rendering.kernels.raster import EMPTY, FAR, NEAR, rasterize
from repogen.rendering.kernels.raster_rays import rasterize_rays
from repogen.rendering.kernels.windows import Grid, Triangle, triangle_window
from repogen.warp_setup import wp

LENSES = {
    "pinhole": ("pinhole", (), 80),
    "wide": ("pinhole", (), 150),
    "barrel": ("opencv", (-0.31, 0.12, 0.0011, -0.0007, -0.02), 60),
    "pincushion": ("opencv", (0.08, 0.02, -0.002, 0.001, 0.003), 110),
    "rational": ("opencv", (0.52, -2.6, 0.0004, -0.0002, 1.5, 0.4, -2.43, 1.42), 75),
    "wide rational": ("opencv", (9.1, 6.8, 0.0006, -0.0003, 0.3, 9.4, 9.5, 1.9), 120),
    "folding": ("opencv", (-0.3, 0.0, 0.002, 0.001, 0.0), 85),
    "equidistant": ("equidistant", (), 190),
    "all around": ("equidistant", (), 220),
    "kannala-brandt": ("kannala-brandt", (0.05, -0.02, 0.008, -0.0014), 200),
    "folding fisheye": ("kannala-brandt", (-0.1, 0.0, 0.0, 0.0), 200),
}


def camera_of(name, width=60):
    model, distortion, fov = LENSES[name]
    return look_at(View(0, 0, 0, 1.0), (0.0, 0.0, 0.0), 0.0, width, fov, model, distortion)


def samples_of(camera, left, top, width, height, samples):
    """Pixel coordinates of the samples of a window, rows first."""
    y, x = (np.mgrid[: height * samples, : width * samples] + 0.5) / samples
    return np.stack([x + left, y + top], axis=2)


def array(values, dtype):
    return wp.array(np.ascontiguousarray(values), dtype=dtype, device="cpu")


def mesh_arrays(vertices, faces, culling):
    return [
        array(np.asarray(vertices, np.float32), wp.vec3),
        array(np.asarray(faces, np.int32), wp.int32),
        array(np.broadcast_to(culling, len(faces)).astype(np.uint8), wp.uint8),
    ]


def decoded(keys, shape):
    found = keys.numpy().reshape(shape)
    seen = found != np.uint64(EMPTY)
    face = np.where(seen, (found & np.uint64(2**32 - 1)).astype(np.int64), -1)
    return face, np.where(seen, key_depth(found), 0.0)


@wp.kernel
def to_screen(
    lens: Lens, points: wp.array(dtype=wp.vec3), screen_vertices: wp.array(dtype=wp.vec3)
):
    """Pixel and depth of points, as in `transform_vertices`."""
    i = wp.tid()
    pixel = project(lens, points[i])
    screen_vertices[i] = wp.vec3(pixel[0], pixel[1], depth(lens, points[i]))


def fast(vertices, faces, culling, camera, window=None, samples=1):
    """Face (-1 for none) and depth of each sample of a window (left, top, width, height)."""
    left, top, width, height = window or (0, 0, camera.width, camera.height)
    shape = (height * samples, width * samples)
    keys = wp.full(shape[0] * shape[1], EMPTY, dtype=wp.uint64, device="cpu")
    grid = Grid()
    grid.left, grid.top, grid.samples = left, top, samples
    grid.height, grid.width = shape
    points, *mesh = mesh_arrays(vertices, faces, culling)
    lens, screen_vertices = camera_to_lens(camera), wp.empty_like(points)
    wp.launch(to_screen, dim=len(points), inputs=[lens, points, screen_vertices], device="cpu")
    inputs = [points, screen_vertices, *mesh, lens, grid, keys]
    wp.launch(rasterize_rays, dim=-(-len(faces) // PER_THREAD), inputs=inputs, device="cpu")
    return decoded(keys, shape)


def naive(vertices, faces, culling, camera, window=None, samples=1):
    """Naive version of `fast`: every ray against every triangle, in double precision."""
    pixels = samples_of(camera, *(window or (0, 0, camera.width, camera.height)), samples)
    rays = camera.rays(pixels.reshape(-1, 2))
    corners = np.asarray(vertices, np.float32).astype(float)[faces]
    nearest = camera.depth_of(corners.reshape(-1, 3)).reshape(-1, 3).min(axis=1)
    depth, face = np.full(len(rays), np.inf), np.full(len(rays), -1)
    for f in np.flatnonzero(nearest >= NEAR):
        a, b, c = corners[f]
        normal = np.cross(b - a, c - a)
        if culling == CULL_BACK and normal @ a > 0:
            continue
        edges = np.stack([rays @ np.cross(p, q) for p, q in ((b, c), (c, a), (a, b))])
        with np.errstate(divide="ignore", invalid="ignore"):
            along = (normal @ a) / (rays @ normal)
            far = camera.depth_of(rays * along[:, None])
        hit = ((edges >= 0).all(axis=0) | (edges <= 0).all(axis=0)) & (along > 0) & (far < depth)
        depth[hit], face[hit] = far[hit], f
    shape = pixels.shape[:2]
    return face.reshape(shape), np.where(face >= 0, depth, 0.0).reshape(shape)


def assert_equal_but_for_edges(vertices, faces, culling, camera, window=None, samples=1):
    pictures = [f(vertices, faces, culling, camera, window, samples) for f in (fast, naive)]
    (face, depth), (face2, depth2) = pictures
    same = face == face2
    assert (face2 >= 0).mean() > 0.02
    assert same.mean() > 0.997
    assert depth[same] == pytest.approx(depth2[same], rel=1e-4)


def directions(rng, count, least_deg, most_deg):
    """Unit vectors between two angles off the axis."""
    z = np.cos(np.radians(rng.uniform(least_deg, most_deg, count)))
    turn, ring = rng.uniform(0, 2 * np.pi, count), np.sqrt(1 - z * z)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)


@wp.kernel
def lens_there_and_back(
    lens: Lens,
    points: wp.array(dtype=wp.vec3),
    seen: wp.array(dtype=wp.vec2),
    pixels: wp.array(dtype=wp.vec2),
    rays: wp.array(dtype=wp.vec3),
):
    i = wp.tid()
    pixels[i] = project(lens, points[i])
    rays[i] = ray(lens, seen[i][0], seen[i][1])


@pytest.mark.parametrize("name", LENSES)
def test_the_kernels_project_and_unproject_like_the_camera(name):
    camera = camera_of(name, 512)
    seen = np.random.default_rng(0).uniform(-0.5, 512.5, (5000, 2)).astype(np.float32)
    expected = camera.rays(seen)
    nothing = np.isnan(expected[:, 0])
    # Just inside its rim a folding picture hardly moves with the direction.
    axis = np.arctan2(np.hypot(expected[:, 0], expected[:, 1]), expected[:, 2])
    sure = ~nothing & (axis < 0.95 * max_angle(camera.model, camera.distortion))
    points = 2 * expected[sure]
    pixels = wp.zeros(len(seen), dtype=wp.vec2, device="cpu")
    rays = wp.zeros(len(seen), dtype=wp.vec3, device="cpu")
    padded = array(np.resize(points, (len(seen), 3)), wp.vec3)
    inputs = [camera_to_lens(camera), padded, array(seen, wp.vec2), pixels, rays]
    wp.launch(lens_there_and_back, dim=len(seen), inputs=inputs, device="cpu")
    assert pixels.numpy()[: len(points)] == pytest.approx(seen[sure], abs=2e-3)
    found = rays.numpy().astype(float)
    length = np.linalg.norm(found, axis=1)
    across = np.linalg.norm(np.cross(found, expected), axis=1) / np.maximum(length, 1e-9)
    assert across[sure].max() < 2e-6
    assert (length[nothing] == 0).mean() > 0.98 if nothing.any() else (length > 0).all()
    unit = camera.depth_of(found[sure])
    assert unit == pytest.approx(np.ones(len(unit)), abs=1e-6)


@pytest.mark.parametrize("name", ["equidistant", "kannala-brandt"])
def test_the_kernels_rays_end_at_the_image_circle(name):
    camera = replace(camera_of(name, 512), circle_deg=140.0)
    seen = np.random.default_rng(0).uniform(0, 512, (5000, 2)).astype(np.float32)
    away = np.linalg.norm((seen - [camera.cx, camera.cy]) / camera.fx, axis=1)
    pixels = wp.zeros(len(seen), dtype=wp.vec2, device="cpu")
    rays = wp.zeros(len(seen), dtype=wp.vec3, device="cpu")
    inputs = [camera_to_lens(camera), rays, array(seen, wp.vec2), pixels, rays]
    wp.launch(lens_there_and_back, dim=len(seen), inputs=inputs, device="cpu")
    sure = np.abs(away - camera.circle_radius()) > 1e-5
    found = np.linalg.norm(rays.numpy(), axis=1) > 0
    assert (found == (away < camera.circle_radius()))[sure].all()
    assert 0.2 < found.mean() < 0.8


@pytest.mark.parametrize("seed", range(4))
def test_rays_of_a_pinhole_match_the_pinhole_rasterizer(body, seed):
    """Except at edges: under 0.1 % of samples differ in coverage, 0.5 % in the face."""
    rng = np.random.default_rng(seed)
    angles = sample_body_pose(rng, default_bounds(), DISTRIBUTIONS["uniform"], 1.0)
    posed = body.pose({}, {}, angles).vertices
    view = View(*rng.uniform(-80, 80, 3), rng.uniform(1.5, 5))
    camera = look_at(view, tuple(posed.mean(axis=0)), 0.0, 256, 100 / view.distance_m)
    faces = body.surface.faces[body.surface.faces_of("skin")]
    vertices, n = camera.to_camera(posed), 2
    shape = (256 * n, 256 * n)
    keys = wp.full(shape[0] * shape[1], EMPTY, dtype=wp.uint64, device="cpu")
    inputs = [*mesh_arrays(vertices, faces, CULL_BACK), camera.fx * n, camera.fy * n]
    inputs += [camera.cx * n, camera.cy * n, shape[1], shape[0], keys]
    wp.launch(rasterize, dim=len(faces), inputs=inputs, device="cpu")
    face, depth = decoded(keys, shape)
    face2, depth2 = fast(vertices, faces, CULL_BACK, camera, samples=n)
    seen = face >= 0
    assert seen.mean() > 0.05
    assert (seen != (face2 >= 0)).sum() < 0.001 * seen.sum()
    same = seen & (face == face2)
    assert same.sum() > 0.995 * seen.sum()
    assert depth2[same] == pytest.approx(depth[same], rel=1e-5)


@pytest.mark.parametrize("culling", [CULL_BACK, CULL_NONE])
@pytest.mark.parametrize("name", LENSES)
def test_random_triangles_match_the_naive_rasterizer(name, culling):
    """Forty triangles that overlap, intersect, leave the picture and surround the camera."""
    rng = np.random.default_rng(5)
    middles = directions(rng, 40, 0, 180) * rng.uniform(0.5, 3, (40, 1))
    vertices = (middles[:, None] + rng.normal(0, 0.4, (40, 3, 3))).reshape(-1, 3)
    faces = np.arange(120).reshape(-1, 3)
    assert_equal_but_for_edges(vertices, faces, culling, camera_of(name))


@pytest.mark.parametrize("name", LENSES)
def test_small_triangles_match_the_naive_rasterizer(name):
    """Triangles of a few samples, most of them around the border of the lens's view."""
    rng = np.random.default_rng(6)
    camera = camera_of(name)
    rim = np.degrees(camera_to_lens(camera).rim) if "fish" in name else 45.0
    middles = directions(rng, 600, 0, rim) * rng.uniform(1, 3, (600, 1))
    beyond = directions(rng, 400, 0.9 * rim, min(1.1 * rim, 180)) * rng.uniform(1, 3, (400, 1))
    middles = np.concatenate([middles, beyond])
    vertices = (middles[:, None] + rng.normal(0, 0.1, (1000, 3, 3))).reshape(-1, 3)
    faces = np.arange(3000).reshape(-1, 3)
    assert_equal_but_for_edges(vertices, faces, CULL_NONE, camera, (7, 11, 40, 33), samples=2)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("equidistant", 85, 95), ("kannala-brandt", 85, 95), ("equidistant", 120, 180)],
)
def test_triangles_beside_and_behind_a_fisheye_match_the_naive_rasterizer(name, least, most):
    rng = np.random.default_rng(7)
    camera = camera_of(name)
    camera = camera.windowed(-15, -15, 60, 60, 60 / 90)  # wide enough to see straight back
    middles = directions(rng, 300, least, most) * rng.uniform(1, 3, (300, 1))
    vertices = (middles[:, None] + rng.normal(0, 0.15, (300, 3, 3))).reshape(-1, 3)
    assert_equal_but_for_edges(vertices, np.arange(900).reshape(-1, 3), CULL_NONE, camera)


@wp.kernel
def rows_of(lens: Lens, grid: Grid, k: Triangle, rows: wp.array(dtype=int)):
    w = triangle_window(lens, grid, k, True)
    rows[0] = w.last_row - w.first_row + 1


@pytest.mark.parametrize("name", ["barrel", "pincushion", "folding", "equidistant"])
def test_triangles_beside_the_picture_have_no_rows_to_rasterize(name):
    """People next to the camera have thousands of such triangles. Triangles that surround the
    picture, or have an edge across it, keep all rows."""
    camera, grid, k = camera_of(name), Grid(), Triangle()
    grid.samples, grid.width, grid.height = 1, camera.width, camera.height
    lens, wide = camera_to_lens(camera), 60.0
    beside = [[2.0, 0.5, 0.1], [2.0, 0.9, 0.3], [2.0, 0.4, 0.3]]
    if name == "equidistant":
        beside = np.array(beside) - [0, 0, 4.0]
    around = [[0, wide, 1.0], [-wide, -wide, 1.0], [wide, -wide, 1.0]]
    across = [[-wide, 0, 1.0], [wide, 0, 1.0], [0, wide, 1.0]]
    for corners, expected in ((beside, 0), (around, 60), (across, 60)):
        k.a, k.b, k.c = (wp.vec3(*(float(v) for v in corner)) for corner in corners)
        far = camera.depth_of(np.array(corners, float))
        k.p, k.q, k.r = (wp.vec3(0.0, 0.0, float(depth)) for depth in far)
        rows = wp.zeros(1, dtype=int, device="cpu")
        wp.launch(rows_of, dim=1, inputs=[lens, grid, k, rows], device="cpu")
        assert rows.numpy()[0] == expected


def test_triangles_around_the_direction_straight_back_are_drawn_whole():
    """The curves of such triangles' edges do not enclose their visible part."""
    rng = np.random.default_rng(8)
    camera = camera_of("all around").windowed(-30, -30, 60, 60, 0.5)
    for direction in directions(rng, 60, 165, 180):
        vertices = direction + rng.normal(0, 0.15, (3, 3))
        pictures = [f(vertices, np.array([[0, 1, 2]]), CULL_NONE, camera)[0] for f in (fast, naive)]
        assert (pictures[0] != pictures[1]).sum() < 5


@pytest.mark.parametrize("name", ["folding", "folding fisheye"])
def test_points_beyond_the_rim_project_onto_the_rim(name):
    lens, out = camera_to_lens(camera_of(name)), []
    for share in (0.999, 1.001, 1.05, 1.2):
        angle = share * (lens.rim if "fish" in name else np.arctan(lens.rim))
        pixels, rays = (wp.zeros(1, dtype=kind, device="cpu") for kind in (wp.vec2, wp.vec3))
        points = array([[np.sin(angle), 0.0, np.cos(angle)]], wp.vec3)
        inputs = [lens, points, array([[0.0, 0.0]], wp.vec2), pixels, rays]
        wp.launch(lens_there_and_back, dim=1, inputs=inputs, device="cpu")
        out.append(pixels.numpy()[0])
    assert np.array(out) == pytest.approx(np.tile(out[0], (4, 1)), abs=0.01)


def icosphere(level):
    """A closed mesh on the unit sphere, its normals outwards."""
    golden = (1 + 5**0.5) / 2
    a, b = np.array([1, 1, -1, -1, 0, 0, 0, 0]), np.array([golden, -golden] * 2 + [0] * 4)
    pairs = np.stack([a[:4], b[:4], np.zeros(4)], axis=1)
    vertices = np.concatenate([np.roll(pairs, shift, axis=1) for shift in range(3)])
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    faces = ConvexHull(vertices).simplices
    for _ in range(level):
        edges = np.sort(faces[:, [[1, 2], [2, 0], [0, 1]]], axis=2).reshape(-1, 2)
        edges, index = np.unique(edges, axis=0, return_inverse=True)
        middles = vertices[edges].mean(axis=1)
        i = index.reshape(-1, 3) + len(vertices)
        vertices = np.concatenate(
            [vertices, middles / np.linalg.norm(middles, axis=1, keepdims=True)]
        )
        around = [np.stack([faces[:, k], i[:, k - 2], i[:, k - 1]], axis=1) for k in range(3)]
        faces = np.concatenate([*around, i])
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    inward = np.einsum("fi,fi->f", np.cross(b - a, c - a), a) < 0
    faces[inward] = faces[inward][:, ::-1]
    return vertices, faces


@pytest.mark.parametrize("name", LENSES)
@pytest.mark.parametrize("level", [0, 2, 4])
def test_a_closed_mesh_has_no_cracks(name, level):
    """Around a fisheye or before other lenses, with small and with very large triangles."""
    vertices, faces = icosphere(level)
    vertices = vertices @ Rotation.random(rng=np.random.default_rng(level)).as_matrix()
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    inner = (np.einsum("fi,fi->f", normals, a) / np.linalg.norm(normals, axis=1)).min()
    camera = camera_of(name, 200)
    rim = max_angle(camera.model, camera.distortion)
    middle = np.array([0, 0, 0 if camera.model in FISHEYES else 1.1])
    pixels = samples_of(camera, 0, 0, 200, 200, 1).reshape(-1, 2)
    rays, nothing = camera.rays(pixels), np.isnan(camera.rays(100 + 0.999 * (pixels - 100))[:, 0])
    axis = np.arctan2(np.hypot(rays[:, 0], rays[:, 1]), rays[:, 2])
    miss = np.linalg.norm(np.cross(rays, middle), axis=1)
    for culling in (CULL_NONE,) if middle[2] == 0 else (CULL_BACK, CULL_NONE):
        face = fast(vertices + middle, faces, culling, camera)[0].ravel()
        assert (face[(miss < 0.999 * inner) & (axis < 0.99 * rim)] >= 0).all()
        assert (face[(miss > 1.001) | nothing] == -1).all()


def test_a_flat_mesh_has_no_cracks_where_a_fisheye_stretches_most():
    """Near the direction straight back of the widest fisheye, the long edges of small triangles
    around the axis are curved by up to half a pixel."""
    camera = camera_of("all around", 2500).windowed(-530, 1220, 80, 60, 1.0)
    angles = np.arccos(camera.rays(np.array([[1.0, 30.0], [79.0, 30.0]]))[:, 2])
    assert np.degrees(angles) == pytest.approx([156.6, 149.7], abs=0.5)
    rings, around = 100, 20
    ring, step = np.mgrid[:rings, : around + 1]
    theta = np.radians(145) + 0.0024 * ring
    turn = np.pi + (step + 0.5 * (ring % 2) - around / 2) * 0.019 / np.sin(np.radians(152))
    sine = np.sin(theta)
    vertices = np.stack([sine * np.cos(turn), sine * np.sin(turn), np.cos(theta)], axis=2)
    index = (around + 1) * ring + step
    faces = []
    for k in range(rings - 1):  # apexes above the middles of the bases
        (a, b), (c, d) = ((index[n][:-1], index[n][1:]) for n in (k, k + 1))
        faces += [(a, b, c), (b, d, c)] if k % 2 == 0 else [(a, b, d), (a, d, c)]
    faces = np.concatenate([np.stack(face, axis=1) for face in faces])
    face = fast(vertices.reshape(-1, 3), faces, CULL_NONE, camera, samples=2)[0]
    assert (face >= 0).all()


def test_the_inside_of_a_closed_mesh_is_not_drawn_with_back_culling():
    vertices, faces = icosphere(1)
    camera = camera_of("equidistant")
    assert (fast(vertices, faces, CULL_BACK, camera)[0] == -1).all()
    assert (fast(vertices, faces[:, ::-1], CULL_BACK, camera)[0] >= 0).all()


TRIANGLE = np.array([[-1, -1, 2], [1, -1, 2], [0, 1, 2]], float)
TOWARDS = np.array([[0, 2, 1]])  # its normal points to the camera


@pytest.mark.parametrize("name", ["pinhole", "equidistant"])
@pytest.mark.parametrize(
    ("culling", "drawn"),
    [(CULL_ALL, False), (CULL_BACK, True), (CULL_NONE, True), (SHADOW_ONLY, False)],
)
def test_culling_codes_mean_the_same_for_all_lenses(name, culling, drawn):
    assert (fast(TRIANGLE, TOWARDS, culling, camera_of(name))[0] >= 0).any() == drawn


@pytest.mark.parametrize("name", ["pinhole", "barrel", "equidistant"])
@pytest.mark.parametrize(("nearest", "drawn"), [(NEAR * 0.9, False), (NEAR * 1.1, True)])
def test_triangles_nearer_than_the_near_plane_are_not_drawn(name, nearest, drawn):
    triangle = TRIANGLE.copy()
    triangle[0] = [0, 0.001, nearest]
    assert (fast(triangle, TOWARDS, CULL_NONE, camera_of(name))[0] >= 0).any() == drawn


@pytest.mark.parametrize("name", ["pinhole", "barrel", "equidistant"])
@pytest.mark.parametrize(("depth", "drawn"), [(250.0, True), (FAR * 1.2, False)])
def test_triangles_up_to_the_far_plane_are_drawn(name, depth, drawn):
    face, _ = fast(TRIANGLE * depth / 2, TOWARDS, CULL_NONE, camera_of(name))
    assert (face >= 0).any() == drawn


def test_the_first_of_equal_triangles_is_seen():
    faces = np.concatenate([TOWARDS[:, [1, 2, 0]], TOWARDS, TOWARDS])
    face, _ = fast(TRIANGLE, faces, [CULL_ALL, CULL_BACK, CULL_BACK], camera_of("equidistant"))
    assert set(face.ravel()) == {-1, 1}
