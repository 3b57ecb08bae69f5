"""Light that bodies take from the floor, from each other, and from their own limbs."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.colors import to_linear
from repogen.environment.rooms import Room
from repogen.people.posing import pose_person
from repogen.rendering.kernels.occlusion import (
    CAPSULES,
    Bodies,
    Capsule,
    body_occlusion,
    capsule_occlusion,
    open_share,
)
from repogen.rendering.occlusion import floor_map, make_bodies, person_capsules
from repogen.scenes import SceneConfig, sample_scene
from repogen.warp_setup import wp

NOT_PAINTED = {"hair": "bald", "top": "bare", "waist": 9.0, "bottom": "shorts", "hem": 9.0}


@wp.kernel
def of_capsule(
    capsule: Capsule,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    out: wp.array(dtype=wp.float32),
):
    i = wp.tid()
    out[i] = capsule_occlusion(capsule, points[i], normals[i])


@wp.kernel
def of_bodies(
    bodies: Bodies,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    out: wp.array2d(dtype=wp.float32),
):
    i = wp.tid()
    out[i, 0] = open_share(bodies, points[i], normals[i])
    out[i, 1] = body_occlusion(bodies, points[i], normals[i])


def vectors(values):
    return wp.array(np.array(values, np.float32), dtype=wp.vec3, device="cpu")


def hidden_share(end, axis, radius, points, normals):
    """`capsule_occlusion` of each point."""
    capsule = Capsule()
    capsule.end, capsule.axis, capsule.radius = wp.vec3(*end), wp.vec3(*axis), radius
    capsule.length = float(np.linalg.norm(axis))
    capsule.inverse = 1 / max(capsule.length, 1e-3) ** 2
    out = wp.zeros(len(points), dtype=wp.float32, device="cpu")
    inputs = [capsule, vectors(points), vectors(normals)]
    wp.launch(of_capsule, dim=len(points), inputs=inputs, outputs=[out], device="cpu")
    return out.numpy()


def shares_at(bodies, points, normals):
    """(n, 2): `open_share` and `body_occlusion` of each point."""
    out = wp.zeros((len(points), 2), dtype=wp.float32, device="cpu")
    inputs = [bodies, vectors(points), vectors(normals)]
    wp.launch(of_bodies, dim=len(points), inputs=inputs, outputs=[out], device="cpu")
    return out.numpy()


def rays_that_hit(end, axis, radius, point, normal):
    """Share of cosine-weighted rays from a point that hit the capsule: the slow twin."""
    rng = np.random.default_rng(0)
    rays = rng.normal(size=(20_000, 3))
    rays = normal + rays / np.linalg.norm(rays, axis=1, keepdims=True)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    centres = np.array(end) + np.linspace(0, 1, 60)[:, None] * np.array(axis) - point
    along = rays @ centres.T
    off = (centres**2).sum(axis=1) - along**2
    return ((off < radius**2) & (along > 0)).any(axis=1).mean()


@pytest.mark.parametrize(
    ("axis", "up"),
    [((0, 0, 0), 0.3), ((0.8, 0, 0), 0.3), ((0.3, 0, 0.1), 0.5), ((0.4, 0, 0), 0.15)],
)
def test_a_capsule_hides_about_what_rays_say(axis, up):
    end = np.array([0.0, 0.0, up]) - np.array(axis) / 2
    point, normal = np.zeros(3), np.array([0.0, 0.0, 1.0])
    (found,) = hidden_share(end, axis, 0.08, [point], [normal])
    expected = rays_that_hit(end, axis, 0.08, point, normal)
    assert found == pytest.approx(expected, rel=0.45, abs=0.01)
    assert hidden_share(end, axis, 0.08, [point], [-normal]) == 0


def standing(body, **angles):
    """The average adult in T-pose on the floor of a room, or with some joints turned."""
    scene = sample_scene(
        SceneConfig(image_size=64, backgrounds="builtin", wardrobe="painted"), 0, 0, body
    )
    person = replace(scene.people[0], shape={"age": 2 / 3}, face={}, angles=angles)
    person = replace(person, outfit=replace(person.outfit, **NOT_PAINTED, shoes="bare"))
    posed = pose_person(body, person)
    background = replace(scene.background, floor_z=posed.lowest)
    assert isinstance(background, Room)
    return replace(scene, people=(person,), background=background), posed


def test_capsules_lie_inside_the_skin_and_fill_most_of_it(body):
    _, posed = standing(body)
    a, b, radii = person_capsules(posed.surface, posed.body.vertices)
    assert len(radii) == CAPSULES
    assert (radii > 0.02).all()
    assert (radii < 0.16).all()
    low, high = posed.body.vertices.min(axis=0) - 0.06, posed.body.vertices.max(axis=0) + 0.06
    for ends in (a, b):
        assert (ends - radii[:, None] > low - 0.05).all()
        assert (ends + radii[:, None] < high + 0.05).all()
    assert np.ptp(np.concatenate([a, b])[:, 2]) > 1.3


def test_an_armpit_gets_less_light_than_a_shoulder(body):
    """With arms that hang, the ribs under an arm get less than the top of the shoulder."""
    scene, posed = standing(body, left_shoulder=(0.0, 0.0, -70.0), right_shoulder=(0.0, 0.0, 70.0))
    bodies = make_bodies(scene, (posed,), "cpu")
    skin, at = posed.surface.canonical, posed.body.vertices
    ribs = int(np.argmin(np.linalg.norm(skin - [0.15, 0.0, 0.33], axis=1)))
    shoulder = int(np.argmin(np.linalg.norm(skin - [0.14, -0.02, 0.56], axis=1)))
    outwards, up = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    found = shares_at(bodies, at[[ribs, shoulder]], [outwards, up])[:, 1]
    assert found[0] < 0.75 * found[1]


def test_the_floor_is_darker_near_feet_than_far_from_them(body):
    scene, posed = standing(body)
    bodies = make_bodies(scene, (posed,), "cpu")
    x, y, _ = posed.body.keypoints[15]
    points = [(x + away, y, posed.lowest) for away in (0.0, 0.2, 0.6, 1.5)]
    found = shares_at(bodies, points, [(0, 0, 1)] * 4)[:, 0]
    assert (np.diff(found) > 0).all()
    assert found[0] < 0.3
    assert found[-1] > 0.97


def test_the_floors_map_is_that_share(body):
    scene, posed = standing(body)
    bodies = make_bodies(scene, (posed,), "cpu")
    found = floor_map(scene, bodies, "cpu")
    share = found.share.numpy().reshape(found.size, found.size)
    to_texel = np.array(found.matrix).reshape(3, 3)
    rng = np.random.default_rng(0)
    floor = np.column_stack([rng.uniform(-0.3, 0.3, (200, 2)), np.full(200, bodies.floor_z)])
    texels = scene.camera.to_camera(floor) @ to_texel.T + np.array(found.offset)
    assert np.abs(texels[:, 2]).max() < 1e-3
    columns, rows = np.floor(texels[:, :2]).astype(int).T
    expected = shares_at(bodies, floor, np.tile([0.0, 0.0, 1.0], (200, 1)))[:, 0]
    assert np.abs(share[rows, columns] - expected).max() < 0.25
    assert np.abs(share[rows, columns] - expected).mean() < 0.04
    assert (share[[0, -1]] == 1).all()


def test_nobody_far_above_the_floor_darkens_it(body):
    scene, posed = standing(body)
    low = replace(scene, background=replace(scene.background, floor_z=-9.0))
    assert floor_map(low, make_bodies(low, (posed,), "cpu"), "cpu").size == 0


def test_a_body_is_darker_below_where_it_lies(body):
    scene, posed = standing(body)
    near = make_bodies(scene, (posed,), "cpu")
    far = make_bodies(
        replace(scene, background=replace(scene.background, floor_z=-9.0)), (posed,), "cpu"
    )
    toe = posed.body.vertices[np.argmin(posed.body.vertices[:, 2])]
    down, up = (0.0, 0.0, -1.0), (0.0, 0.0, 1.0)
    lit = shares_at(near, [toe, toe], [down, up])[:, 1]
    open_air = shares_at(far, [toe, toe], [down, up])[:, 1]
    assert lit[0] < 0.3 * open_air[0]
    assert lit[1] == pytest.approx(open_air[1])


def test_pictures_show_the_contact_with_the_floor(body, renderer):
    """Without any directional light, the floor beside a foot is darker than without the person."""
    scene = sample_scene(
        SceneConfig(
            image_size=256, backgrounds="builtin", wardrobe="painted", elevation=(50, 60),
            views="front", ground="floor", pose="stand", roll=(0, 0),
        ), 3, 0, body,
    )  # fmt: skip
    plain = replace(scene.background, floor_pattern="plain", floor_accent=scene.background.floor)
    scene = replace(scene, background=plain, lights=())
    lowest = pose_person(body, scene.people[0]).body.vertices
    foot = lowest[np.argmin(lowest[:, 2])]
    away = replace(scene.people[0], position=(50.0, 50.0, scene.people[0].position[2]))
    with_person = renderer.render(scene)
    without = renderer.render(replace(scene, people=(away,))).image
    rows, columns = np.mgrid[:256, :256]
    pixel = scene.camera.to_pixels(scene.camera.to_camera(foot[None]))[0]
    near = np.hypot(columns + 0.5 - pixel[0], rows + 0.5 - pixel[1]) < 12
    g = with_person.gbuffer
    near &= g.to_image(g.counts) == 0
    assert near.sum() > 30
    ratio = to_linear(with_person.image[near] / 255) / to_linear(without[near] / 255)
    assert ratio.mean() < 0.85
