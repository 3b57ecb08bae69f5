"""Labels agree with the picture for every lens."""

from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as rle

from repogen.cameras.lens import MODELS
from repogen.labels.annotation import annotate
from repogen.labels.maps import depth_map
from repogen.scenes import SceneConfig, sample_scene

FOV = {"pinhole": 80.0, "opencv": 80.0, "equidistant": 190.0, "kannala-brandt": 190.0}


def near_by(lens, fov, **options):
    """Options for people near a camera that is not zoomed, seen from anywhere."""
    usual = {"image_size": 320, "backgrounds": "plain"}
    return SceneConfig(
        lens=lens, fov=(fov, fov), framing="paper", views=("sphere",), wardrobe="painted",
        **(usual | options),
    )  # fmt: skip


def scene_of(body, lens, index):
    config = near_by(lens, FOV[lens], distance=(0.9, 1.6), roll=(-180, 180))
    return sample_scene(config, 5, index, body)


@pytest.mark.parametrize("lens", MODELS)
def test_keypoints_3d_project_onto_keypoints_for_every_lens(body, renderer, lens):
    for index in range(4):
        scene = scene_of(body, lens, index)
        for annotation in annotate(renderer.render(scene)):
            flat = np.array(annotation["keypoints"]).reshape(17, 3)
            seen = flat[:, 2] > 0
            assert seen.sum() > 5
            space = np.array(annotation["keypoints_3d"])[seen]
            assert np.abs(scene.camera.to_pixels(space) - flat[seen, :2]).max() < 0.01


@pytest.mark.parametrize("lens", MODELS)
def test_depth_at_a_visible_joint_is_that_of_the_joint(body, renderer, lens):
    """Where the skin in front of a joint is in sight, it is nearer than the joint by at most that
    limb's thickness."""
    gaps = []
    for index in range(8):
        rendering = renderer.render(scene_of(body, lens, index))
        g = rendering.gbuffer
        depth = depth_map(rendering).astype(float) / 1000
        faces = g.to_image(np.where(g.counts > 0, g.nearest_keys.astype(np.uint32), 0))
        bits = np.where(depth > 0, rendering.mesh.keypoints[faces], 0)
        for annotation in annotate(rendering):
            flat = np.array(annotation["keypoints"]).reshape(17, 3)
            far = rendering.scene.camera.depth_of(np.array(annotation["keypoints_3d"]))
            for k in range(5, 17):
                row, column = int(flat[k, 1]), int(flat[k, 0])
                if flat[k, 2] == 2 and bits[row, column] >> k & 1:
                    gaps.append(far[k] - depth[row, column])
    assert len(gaps) > 25
    assert min(gaps) > -0.03
    assert max(gaps) < 0.2
    assert 0.01 < np.median(gaps) < 0.1


def test_a_fisheye_sees_people_behind_its_plane(body, renderer):
    config = near_by("equidistant", 200, distance=(0.6, 0.6), people=(4, 4), spread=1.0)
    behind = 0
    for index in range(6):
        scene = sample_scene(config, 2, index, body)
        for annotation in annotate(renderer.render(scene)):
            space = np.array(annotation["keypoints_3d"])
            flags = np.array(annotation["keypoints"]).reshape(17, 3)[:, 2]
            behind += ((space[:, 2] < 0) & (flags == 2)).sum()
    assert behind > 0


def test_nobody_is_labelled_outside_of_the_image_circle(body, renderer):
    config = near_by(
        "kannala-brandt", 180, image_size=240, circle=(100, 130), distance=(0.7, 1.0),
        backgrounds="#ffffff", people=(2, 2), spread=1.0, occluders=(0, 1),
    )  # fmt: skip
    y, x = np.mgrid[:240, :240] + 0.5
    cut = beyond = 0
    for index in range(5):
        scene = sample_scene(config, 3, index, body)
        camera, whole = scene.camera, replace(scene.camera, circle_deg=None)
        assert 100 <= camera.circle_deg <= 130
        away = np.hypot(x - camera.cx, y - camera.cy) / camera.fx
        outside = away > camera.circle_radius()
        clear = away > camera.circle_radius() + 0.5 / camera.fx
        rendering = renderer.render(scene)
        assert (rendering.image[outside] == 0).all()
        assert rendering.image[away < 0.9 * camera.circle_radius()].mean() > 50
        for a in annotate(rendering):
            mask, amodal = rle.decode(a["segmentation"]), rle.decode(a["amodal_segmentation"])
            assert not (mask + amodal)[clear].any()
            assert not (mask > amodal).any()
            flags = np.array(a["keypoints"]).reshape(17, 3)[:, 2]
            space = np.array(a["keypoints_3d"])
            pixels = whole.to_pixels(space)
            middle = [camera.cx, camera.cy]
            far = np.linalg.norm(pixels - middle, axis=1) / camera.fx > camera.circle_radius()
            assert (flags[far] == 0).all()
            assert ((flags > 0) == camera.shows(space)).all()
            beyond += (far & whole.shows(space)).sum()
        everything = annotate(renderer.render(replace(scene, camera=whole)))
        cut += sum(a["area"] for a in everything) > sum(a["area"] for a in annotate(rendering))
    assert cut
    assert beyond > 1


def test_visible_masks_lie_within_amodal_masks_at_the_rim_of_a_folding_lens(body, renderer):
    """The lens images nothing in the picture's corners; both masks of a person end there."""
    config = near_by("opencv", 95, image_size=200, distance=(0.6, 0.9), people=(3, 3), spread=0.5)
    across = 0
    for index in range(8):
        scene = sample_scene(config, 4, index, body)
        camera = replace(scene.camera, distortion=(-0.12, 0.0, 0.0, 0.0, 0.0))
        assert np.isnan(camera.rays(np.array([[1.0, 1.0]]))).all()
        rendering = renderer.render(replace(scene, camera=camera))
        for a in annotate(rendering):
            mask, amodal = rle.decode(a["segmentation"]), rle.decode(a["amodal_segmentation"])
            assert not (mask > amodal).any()
            pixels = np.argwhere(mask)[:, ::-1] + 0.5
            outwards = np.sign(pixels - [camera.cx, camera.cy])
            across += np.isnan(camera.rays(pixels + 2 * outwards)).any()
    assert across > 3
