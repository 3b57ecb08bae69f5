"""Several people and objects: nobody stands inside another, and labels know who occludes whom."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle
from scipy.spatial import cKDTree

from repogen.environment.cutouts import find_cutouts
from repogen.environment.occluders import (
    SHAPES,
    Occluder,
    distance_to_box,
    occluder_surface,
    occluder_vertices,
)
from repogen.errors import UserError
from repogen.labels.annotation import annotate
from repogen.people.outfit import Fabric
from repogen.people.posing import pose_person
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.sample.crowd import place_person

CROWD = {"image_size": 192, "people": (3, 5), "backgrounds": "plain", "spread": 1.2}
CLOTH = Fabric("#336699", "#336699", "plain", 0.1, 0.1)
LEVEL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@pytest.mark.parametrize("index", range(4))
def test_people_keep_apart(body, index):
    scene = sample_scene(SceneConfig(**CROWD), 3, index, body)
    assert len(scene.people) >= 2
    points = [pose_person(body, person).outer_points for person in scene.people]
    for place, own in enumerate(points):
        for other in points[:place]:
            assert cKDTree(other).query(own)[0].min() > 0.01


def test_a_floor_carries_everybody(body):
    scene = sample_scene(SceneConfig(**CROWD | {"ground": "floor"}), 3, 0, body)
    lowest = [pose_person(body, person).lowest for person in scene.people]
    assert np.ptp(lowest) < 1e-5


def test_the_first_person_does_not_depend_on_the_crowd(body):
    alone = sample_scene(SceneConfig(**CROWD | {"people": (1, 1)}), 3, 1, body)
    assert sample_scene(SceneConfig(**CROWD), 3, 1, body).people[0] == alone.people[0]


def wall_before(scene, share):
    """A board in front of the first person's hips."""
    eye = scene.camera.position()
    at = tuple((eye + share * (np.zeros(3) - eye)).tolist())
    turn = np.array(scene.camera.rotation).T
    return Occluder("box", at, (0.5, 0.5, 0.02), tuple(map(tuple, turn.tolist())), CLOTH)


def test_an_occluder_occludes_joints_and_changes_no_amodal_label(body, renderer):
    config = SceneConfig(
        image_size=256, views=("front",), elevation=(0, 0), pose="stand", backgrounds="plain",
        person_share=(0.8, 0.8),
    )  # fmt: skip
    scene = sample_scene(config, 1, 0, body)
    (free,) = annotate(renderer.render(scene))
    occluded_scene = replace(scene, occluders=(wall_before(scene, 0.7),))
    (occluded,) = annotate(renderer.render(occluded_scene))
    hips = slice(3 * 11 + 2, 3 * 13, 3)
    assert free["keypoints"][hips] == [2, 2]
    assert occluded["keypoints"][hips] == [1, 1]
    assert occluded["area"] < 0.9 * free["area"]
    assert occluded["amodal_segmentation"] == free["segmentation"]
    assert occluded["amodal_bbox"] == free["amodal_bbox"]
    assert not (rle.decode(occluded["segmentation"]) > rle.decode(free["segmentation"])).any()


def test_the_person_in_front_occludes_the_one_behind(body, renderer):
    config = SceneConfig(
        image_size=256, views=("front",), azimuth=(0, 0), elevation=(0, 0), roll=(0, 0),
        distance=(4, 4), pose="stand", backgrounds="plain", framing="paper",
    )  # fmt: skip
    scene = sample_scene(config, 1, 0, body)
    first = scene.people[0]
    behind = replace(first, position=(0.0, 1.5, 0.0))
    front, back = annotate(renderer.render(replace(scene, people=(first, behind))))
    hips = [11, 12]
    assert [front["keypoints"][3 * k + 2] for k in hips] == [2, 2]
    assert [back["keypoints"][3 * k + 2] for k in hips] == [1, 1]
    (alone,) = annotate(renderer.render(replace(scene, people=(behind,))))
    assert back["amodal_segmentation"] == alone["segmentation"]
    overlap = rle.decode(front["segmentation"]) & rle.decode(back["segmentation"])
    assert not overlap.any()


def test_occluders_stand_before_people_and_touch_nobody(body):
    config = SceneConfig(**CROWD | {"occluders": (2, 3)})
    count = 0
    for index in range(4):
        scene = sample_scene(config, 3, index, body)
        eye = scene.camera.position()
        people = np.concatenate([pose_person(body, person).outer_points for person in scene.people])
        farthest = np.linalg.norm(people - eye, axis=1).max()
        for occluder in scene.occluders:
            corners = occluder_vertices(occluder)
            middle, reach = np.array(occluder.position), np.linalg.norm(occluder.size) / 2
            assert np.linalg.norm(corners - middle, axis=1).max() < reach + 1e-5
            assert distance_to_box(occluder, people).min() > 0.02
            assert 0.2 < np.linalg.norm(corners - eye, axis=1).min() < farthest
            count += 1
    assert count > 4


@pytest.mark.parametrize("shape", [*SHAPES, "mattress", "pillow"])
def test_shapes_face_outwards_and_fill_the_unit_cube(shape):
    surface = occluder_surface(shape)
    corners = surface.canonical[surface.faces].astype(float)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # The divergence theorem: outward faces enclose a positive volume.
    assert (corners.mean(axis=1) * normals).sum() / 6 > 0.01
    assert np.allclose(np.ptp(surface.canonical, axis=0), 1, atol=0.02)


def test_people_of_a_crowd_differ_and_there_may_be_a_hundred(body):
    config = SceneConfig(**CROWD | {"people": (60, 60), "spread": 15.0})
    scene = sample_scene(config, 2**40 + 1, 7, body)
    assert len(scene.people) > 50
    assert len({str(person.angles) for person in scene.people}) == len(scene.people)


def test_where_nobody_fits_the_search_ends_and_the_others_stay(body):
    config = SceneConfig(**CROWD | {"people": (12, 12), "spread": 0.2, "ground": "floor"})
    scene = sample_scene(config, 4, 0, body)
    assert 2 <= len(scene.people) < 12
    assert scene == sample_scene(config, 4, 0, body)
    posed = pose_person(body, scene.people[0])
    full = np.stack(np.meshgrid(*[np.arange(-3, 3.1, 0.15)] * 3), axis=-1).reshape(-1, 3)
    rng = np.random.default_rng(0)
    assert place_person(rng, body, posed, [full], None, 0.5) is None
    far = place_person(rng, body, posed, [full + 50], None, 0.5)
    assert far is not None
    assert np.hypot(*far.person.position[:2]) <= 0.75


def test_a_folder_without_cutouts_is_named(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"no \.png or \.webp files in it"):
        find_cutouts(tmp_path)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(
        UserError, match=r"none of its 1 .* is a picture with alpha, the first because"
    ):
        find_cutouts(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        find_cutouts(tmp_path / "gone")
    Image.new("RGBA", (9, 9)).save(tmp_path / "a.png")
    assert find_cutouts(tmp_path) == (tmp_path / "a.png",)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9)
    with pytest.raises(UserError, match="none of its 1"):
        find_cutouts(tmp_path)
