"""`repogen.render` and the `Rendering` that it returns."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import repogen
from repogen.labels.maps import depth_map


@pytest.fixture(scope="module")
def scene(body):
    config = repogen.SceneConfig(
        image_size=128, views=("sphere",), people=(3, 3), occluders=(1, 1), spread=0.8
    )
    return repogen.sample_scene(config, 6, 1, body)


@pytest.fixture(scope="module")
def rendering(body, scene):
    return repogen.render(scene, body=body)


def test_the_image_is_rgb(rendering, renderer):
    assert (rendering.image == renderer.render(rendering.scene).image[..., ::-1]).all()
    assert rendering.image.flags.c_contiguous


def test_a_red_background_is_red(body):
    config = repogen.SceneConfig(image_size=64, backgrounds="#ff0000", framing="fit")
    image = repogen.render(repogen.sample_scene(config, 1, 0, body), body=body).image
    assert (np.median(image.reshape(-1, 3), axis=0) == [255, 0, 0]).all()


def test_depth_is_in_metres_and_rounds_to_the_depth_map(rendering):
    depth = rendering.depth
    assert depth.dtype == np.float32
    assert (np.rint(depth.astype(float) * 1000) == depth_map(rendering.result)).all()
    assert 0.3 < np.median(depth[depth > 0]) < 30


def test_masks_are_the_annotations_segmentations(rendering):
    assert rendering.masks.shape == (3, 128, 128)
    assert rendering.masks.dtype == bool
    areas = [mask.sum() for mask in rendering.masks if mask.any()]
    assert areas == [annotation["area"] for annotation in rendering.annotations]
    assert not (rendering.masks & (rendering.depth == 0)).any()


def test_annotations_are_labels_with_the_defaults_computed_once(rendering):
    assert rendering.annotations == repogen.label(rendering)
    assert rendering.annotations is rendering.annotations


def test_its_repr_is_one_short_line(rendering):
    assert repr(rendering) == "<Rendering of scene 1 of seed 6: 128 x 128 pixels, 3 people>"


def test_a_notebook_shows_the_picture_with_its_skeletons(rendering):
    data = np.frombuffer(rendering._repr_png_(), np.uint8)
    shown = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    drawn = (shown != rendering.image).any(axis=2)
    assert 0.005 < drawn.mean() < 0.3
    annotation = max(rendering.annotations, key=lambda a: a["area"])
    for x, y, v in np.array(annotation["keypoints"]).reshape(17, 3):
        assert v == 0 or drawn[int(y), int(x)]


def test_a_body_of_the_users_files_needs_their_folder(scene):
    person = replace(scene.people[0], body="smplx")
    with pytest.raises(repogen.UserError, match="scene 1 needs the body smplx: give body_path"):
        repogen.render(replace(scene, people=(person,)))


def test_a_scene_without_people_is_refused(scene):
    with pytest.raises(repogen.UserError, match="has no people"):
        repogen.render(replace(scene, people=()))
