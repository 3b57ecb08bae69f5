"""A person on a climbing wall."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.environment.occluders import CLIMBING_WALL, HOLDS, occluder_surface, occluder_vertices
from repogen.errors import UserError
from repogen.labels.annotation import annotate
from repogen.people.config import PeopleConfig
from repogen.people.posing import pose_person
from repogen.scenes import Scene, SceneConfig, sample_scene

OPTIONS = {"ground": "wall", "image_size": 96, "backgrounds": "plain", "distance": (2, 6),
           "pose_variance": 1.0}  # fmt: skip
VIEWS = [
    {"azimuth": (105, 255), "elevation": (-60, 30)},
    {"views": "sphere"},
    {"views": "bottom", "orientation": "any", "views_per_pose": 2},
]


def scenes(body, count=6, **options):
    return [sample_scene(SceneConfig(**OPTIONS | options), 3, i, body) for i in range(count)]


def wall_of(scene):
    (wall,) = (one for one in scene.occluders if one.shape == CLIMBING_WALL)
    into = np.array(wall.rotation)[:, 1]
    surface = float(np.array(wall.position) @ into - wall.size[1] / 2)
    return wall, into, surface


@pytest.mark.parametrize("options", VIEWS)
def test_the_person_touches_the_wall_and_the_camera_is_before_it(body, options):
    for scene in scenes(body, **options):
        wall, into, surface = wall_of(scene)
        points = pose_person(body, scene.people[0]).outer_points
        assert 0 <= (points @ into).max() - surface < 0.01
        assert scene.camera.position() @ into < surface
        bottom = occluder_vertices(wall)[:, 2].min()
        assert bottom < points[:, 2].min()
        assert bottom < scene.camera.position()[2]
        assert occluder_vertices(wall)[:, 2].max() > points[:, 2].max()
        across = points @ np.array(wall.rotation)[:, 0]
        middle = np.array(wall.position) @ np.array(wall.rotation)[:, 0]
        assert np.abs(np.median(across) - middle) < wall.size[0] / 2


def test_who_is_seen_from_behind_faces_the_wall(body):
    for scene in scenes(body, azimuth=(150, 210), elevation=(-20, 20)):
        _, into, _ = wall_of(scene)
        assert into[1] < -0.7


def test_holds_are_on_the_wall_and_one_at_each_hand_that_is_near(body):
    at_hands = 0
    for scene in scenes(body, **VIEWS[0]):
        wall, into, surface = wall_of(scene)
        holds = [one for one in scene.occluders if one.shape in (*HOLDS, "ball")]
        assert len(holds) > 1
        for hold in holds:
            assert hold.rotation == wall.rotation
            assert np.array(hold.position) @ into == pytest.approx(surface, abs=1e-6)
        wrists = pose_person(body, scene.people[0]).body.keypoints[[9, 10]]
        for wrist in wrists[wrists @ into > surface - 0.1]:
            away = [np.linalg.norm(wrist - one.position) for one in holds if one.shape == "ball"]
            assert min(away) < 0.35
            at_hands += 1
    assert at_hands > 2


@pytest.mark.parametrize("shape", HOLDS)
def test_the_faces_of_holds_look_outwards(shape):
    surface = occluder_surface(shape)
    corners = surface.canonical[surface.faces].astype(float)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (corners.mean(axis=1) * normals).sum() > 0
    assert np.abs(surface.canonical).max() < 0.65


def test_the_wall_hides_no_joint(body, renderer):
    for scene in scenes(body, 3, **VIEWS[0]):
        visible = []
        for occluders in ((), scene.occluders[:1]):
            (annotation,) = annotate(renderer.render(replace(scene, occluders=occluders)))
            visible.append(np.array(annotation["keypoints"]).reshape(17, 3)[:, 2])
        assert (visible[0] == visible[1]).all()


def test_a_wall_is_read_from_json_as_it_was_written(body):
    (scene,) = scenes(body, 1)
    assert Scene.from_json(scene.to_json()) == scene


def test_a_wall_holds_one_person():
    with pytest.raises(UserError, match="--ground wall holds one person"):
        PeopleConfig(ground="wall", people=(1, 2))
    with pytest.raises(UserError, match="--balance needs"):
        PeopleConfig(ground="wall", balance=True)
