"""Folds of cloth."""

from dataclasses import replace

import numpy as np
import pytest
from test_picture import standing

from repogen.people.outfit import Fabric
from repogen.rendering.kernels.codes import CULL_ALL, CULL_BACK
from repogen.rendering.kernels.folds import (
    AXES,
    DIRECTIONS,
    fold_faces,
    fold_vertices,
    steepness,
    tilt_of_slope,
)
from repogen.rendering.kernels.noise import SIZE, SLOPE, noise_table
from repogen.warp_setup import wp

CLOTH = Fabric("#909090", "#909090", "plain", 0.1, 0.4)
DRESSED = {"top": "shirt", "sleeve": 0.7, "waist": 0.0, "bottom": "trousers", "hem": -0.8}


@wp.kernel
def of_slope(
    slopes: wp.array(dtype=wp.vec3), edges: wp.array2d(dtype=wp.vec3), out: wp.array(dtype=wp.vec3)
):
    i = wp.tid()
    out[i] = tilt_of_slope(slopes[i], edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3])


def vectors(values):
    return wp.array(np.array(values, np.float32), dtype=wp.vec3, device="cpu")


def indices(values):
    return wp.array(np.array(values, np.int32), dtype=wp.int32, device="cpu")


def folds_of(canonical, posed, culling=CULL_BACK, rest=None):
    """Steepness at the corners of one triangle along the six directions."""
    rest = canonical if rest is None else rest
    faces, all_faces = indices([[0, 1, 2]]), indices([0])
    culled = wp.array(np.array([culling], np.uint8), dtype=wp.uint8, device="cpu")
    of_faces = wp.zeros(1, dtype=steepness, device="cpu")
    of_vertices = wp.zeros(3, dtype=steepness, device="cpu")
    inputs = [vectors(posed), vectors(rest), vectors(canonical), faces, all_faces, culled]
    wp.launch(fold_faces, dim=1, inputs=inputs, outputs=[of_faces], device="cpu")
    inputs = [vectors(canonical), faces, indices([0, 1, 2]), culled, indices([0, 1, 2, 3]),
              indices([0, 0, 0]), of_faces]  # fmt: skip
    wp.launch(fold_vertices, dim=3, inputs=inputs, outputs=[of_vertices], device="cpu")
    found = of_vertices.numpy()
    assert (found == found[0]).all()
    return found[0]


def test_the_directions_are_unit_vectors_at_one_angle_to_each_other():
    directions = np.array(DIRECTIONS)
    cosines = np.abs(directions @ directions.T)
    assert np.diag(cosines) == pytest.approx(1, abs=1e-6)
    assert cosines[~np.eye(AXES, dtype=bool)] == pytest.approx(5**-0.5, abs=1e-6)


@pytest.mark.parametrize("axis", range(AXES))
def test_cloth_folds_along_the_direction_in_which_it_is_shortened(axis):
    along = np.array(DIRECTIONS[axis])
    across = np.cross(along, [0.3, 0.5, 0.8])
    across /= np.linalg.norm(across)
    flat = np.array([[0, 0, 0], 0.02 * along, 0.02 * across])
    up = np.cross(along, across)
    # On the floor, so that nothing hangs.
    turned = flat @ np.stack([along, across, up]).T
    shortened = folds_of(flat, turned * [0.7, 1, 1])
    assert shortened.argmax() == axis
    assert shortened[axis] == pytest.approx(2.4 * 0.3, rel=0.01)
    assert np.sort(shortened)[-2] < 0.3 * shortened[axis]
    assert folds_of(flat, turned) == pytest.approx(0, abs=1e-5)
    assert folds_of(flat, turned * [1.3, 1.3, 1]) == pytest.approx(0)
    assert folds_of(flat, turned * [0.7, 1, 1], CULL_ALL) == pytest.approx(0)
    large = folds_of(flat, 1.4 * turned * [0.7, 1, 1], rest=1.4 * flat)
    assert large == pytest.approx(shortened, rel=1e-3), "the body's size does not matter"


def test_cloth_that_hangs_has_folds_from_top_to_bottom():
    flat = np.array([[0, 0, 0], [0.02, 0, 0], [0, 0, 0.02]])
    hanging = folds_of(flat, flat)
    assert hanging[2:4] == pytest.approx(hanging[2], rel=1e-3)
    assert hanging[2] > 0.05
    assert hanging[:2] == pytest.approx(0, abs=1e-6)


def test_the_tilt_of_a_face_is_the_gradient_of_its_height():
    rng = np.random.default_rng(0)
    slopes, edges = 0.2 * rng.normal(size=(50, 3)), rng.normal(size=(50, 4, 3))
    edges[:, 2:] = edges[:, :2] + 0.2 * rng.normal(size=(50, 2, 3))
    out = wp.zeros(50, dtype=wp.vec3, device="cpu")
    device_edges = wp.array(edges.astype(np.float32), dtype=wp.vec3, device="cpu")
    wp.launch(of_slope, dim=50, inputs=[vectors(slopes), device_edges], outputs=[out], device="cpu")
    tilts = out.numpy().astype(float)
    steep = np.linalg.norm(tilts, axis=1)
    assert steep.max() <= 1.1 + 1e-5
    mild = steep < 1.09
    assert mild.sum() > 20
    for rest, posed in ((0, 2), (1, 3)):
        rises = (tilts * edges[:, posed]).sum(axis=1)
        assert rises[mild] == pytest.approx((slopes * edges[:, rest]).sum(axis=1)[mild], abs=1e-3)


def test_noise_comes_with_its_gradient():
    table = noise_table().reshape(SIZE, SIZE, SIZE, 4)
    assert table.mean(axis=(0, 1, 2)) == pytest.approx(0, abs=1e-5)
    assert table.std(axis=(0, 1, 2)) == pytest.approx(1, abs=1e-5)
    for channel, axis in ((1, 2), (2, 1), (3, 0)):
        rise = (np.roll(table[..., 0], -1, axis) - np.roll(table[..., 0], 1, axis)) / 2
        assert np.corrcoef(rise.ravel(), table[..., channel].ravel())[0, 1] > 0.99
        assert rise.std() == pytest.approx(SLOPE, rel=0.2)


def test_folds_are_where_the_body_bends_and_only_on_cloth(body, renderer):
    def picture(wrinkles, angle):
        fabric = replace(CLOTH, wrinkles=wrinkles)
        scene = standing(body, DRESSED | {"top_fabric": fabric, "bottom_fabric": fabric})
        (person,) = scene.people
        angles = person.angles | {"left_elbow": (0.0, -angle, 0.0)}
        return renderer.render(replace(scene, people=(replace(person, angles=angles),)))

    def share_that_differs(angle):
        smooth, folded = picture(0.0, angle), picture(0.4, angle)
        differs = np.abs(smooth.image.astype(int) - folded.image).max(axis=2) > 4
        camera = folded.scene.camera
        x, y, z = camera.to_camera(folded.people[0].body.keypoints[7:8])[0]
        elbow = np.rint([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy]).astype(int)
        near = differs[elbow[1] - 12 : elbow[1] + 12, elbow[0] - 12 : elbow[0] + 12]
        skin = folded.mesh.layers[np.where(folded.gbuffer.covered, folded.gbuffer.faces, 0)]
        bare = folded.gbuffer.to_image(
            folded.gbuffer.by_pixel(folded.gbuffer.covered & (skin == 0)).all(axis=2)
        )
        assert bare.sum() > 50
        assert not differs[bare > 0].any()
        return near.sum()

    assert share_that_differs(100.0) > 1.5 * share_that_differs(0.0)
