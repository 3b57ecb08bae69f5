"""People throw shadows on the floor in photographs of a mounted camera, which stay as they are
elsewhere."""

import json

import cv2
import numpy as np
import pytest

from repogen.colors import to_linear
from repogen.environment.photo_light import floor_points
from repogen.scenes import SceneConfig, sample_scene

GREY = 150
SIZE = (320, 240)


@pytest.fixture(scope="module")
def rendering(body, renderer, tmp_path_factory):
    """One person before a uniform photograph of a camera 2.6 m above the floor."""
    root = tmp_path_factory.mktemp("photos")
    cv2.imwrite(str(root / "a.png"), np.full((SIZE[1], SIZE[0], 3), GREY, np.uint8))
    camera = root.parent / "camera.json"
    matrix = [[150, 0, 159.5], [0, 150, 119.5], [0, 0, 1]]
    camera.write_text(json.dumps({"K": matrix, "width": SIZE[0], "height": SIZE[1]}))
    config = SceneConfig(
        camera=str(camera), camera_mount=(2.6, 50, 0), backgrounds=str(root), pose="stand",
        background_fit="exact", wardrobe="painted",
    )  # fmt: skip
    return renderer.render(sample_scene(config, 5, 27, body))


@pytest.fixture(scope="module")
def floor(rendering):
    """The factor of the light, and the place on the floor (x, y), of pixels without people."""
    covered = rendering.gbuffer.to_image((rendering.gbuffer.counts > 0).astype(np.uint8))
    rows, columns = np.nonzero(covered == 0)
    linear = to_linear(rendering.image[rows, columns, 1] / 255)
    pixels = np.column_stack([columns, rows]) + 0.5
    return linear / to_linear(GREY / 255), floor_points(rendering.scene.camera, pixels, 0.0)


def world(rendering):
    camera = rendering.scene.camera
    return (rendering.vertices - camera.translation) @ np.array(camera.rotation)


def is_blocked(points, direction, corners):
    """Whether the ray from each point meets a triangle (n, 3, 3), by Möller and Trumbore."""
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = np.cross(direction, ac)
    det = np.einsum("ni,ni->n", ab, p)
    det = np.where(np.abs(det) < 1e-12, np.inf, det)
    out = []
    for point in points:
        t = point - a
        q = np.cross(t, ab)
        u, v = np.einsum("ni,ni->n", t, p) / det, q @ direction / det
        away = np.einsum("ni,ni->n", ac, q) / det
        out.append(((u >= 0) & (v >= 0) & (u + v <= 1) & (away > 0)).any())
    return np.array(out)


def test_the_strongest_lamps_shadow_is_where_rays_meet_the_person(rendering, floor):
    factor, places = floor
    lamp = rendering.scene.lights[0]
    corners = world(rendering)[rendering.mesh.faces]
    rng = np.random.default_rng(0)
    near = np.hypot(*(places - rendering.scene.people[0].position[:2]).T) < 2.5
    chosen = rng.choice(np.flatnonzero(near), 1200, replace=False)
    around = 0.06 * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    points = np.column_stack([
        (places[chosen][:, None] + around).reshape(-1, 2), np.full(5 * len(chosen), 0.001)
    ])  # fmt: skip
    blocked = is_blocked(points, np.array(lamp.direction), corners).reshape(-1, 5)
    inside, outside = factor[chosen][blocked.all(axis=1)], factor[chosen][~blocked.any(axis=1)]
    assert len(inside) > 10
    assert np.median(inside) < 0.78
    assert inside.max() < 0.92
    assert np.median(outside) > 0.95


def test_the_floor_is_darkest_at_the_feet_and_unchanged_far_away(rendering, floor):
    factor, places = floor
    feet = world(rendering)
    feet = feet[feet[:, 2] < 0.04][:, :2]
    gap = np.sqrt(((places[:, None] - feet[None, ::5]) ** 2).sum(axis=2)).min(axis=1)
    assert factor[gap < 0.02].mean() < 0.75
    assert (factor[gap > 4] == 1).all()
    assert (factor > 0.999).mean() > 0.4
    assert factor.max() <= 1


def test_other_photographs_have_no_floor(body, renderer, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 64, 3), GREY, np.uint8))
    options = {"backgrounds": str(tmp_path), "image_size": 64, "wardrobe": "painted"}
    for fit in ("cover", "exact"):
        scene = sample_scene(SceneConfig(background_fit=fit, **options), 0, 0, body)
        assert scene.background.floor_z is None
        rendering = renderer.render(scene)
        covered = rendering.gbuffer.to_image((rendering.gbuffer.counts > 0).astype(np.uint8))
        assert (rendering.image[covered == 0] == GREY).all()
