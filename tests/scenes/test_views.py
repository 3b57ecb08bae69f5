"""Views as scenes have them, and groups of scenes that share their people."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.cameras.camera import view_of
from repogen.people.posing import pose_person
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.config import draw_view
from repogen.scenes.rng import Streams

COUNT = 20_000


class OneStream:
    """Streams whose topics share one generator: making 20,000 generators takes long."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def rng(self, _topic):
        return self.generator


@pytest.mark.parametrize(
    ("view", "side", "distance", "shares"),
    [
        ("top", 1, (2.0, 2.0), (0.446, 0.865, 0.972)),
        ("top", 1, (1.5, 1.5), (0.325, 0.747, 0.924)),
        ("top", 1, (3.0, 3.0), (0.693, 0.976, 0.998)),
        ("top", 1, (1.5, 5.0), (0.705, 0.951, 0.990)),
        ("bottom", -1, (1.5, 5.0), (0.705, 0.951, 0.990)),
    ],
)
def test_top_and_bottom_have_the_shares_of_the_release(view, side, distance, shares):
    """The release's shares above 60, 30 and 0 degrees of elevation (docs/method.md)."""
    config, streams = SceneConfig(views=view, distance=distance), OneStream(5)
    elevations = side * np.array(
        [draw_view(streams.rng("view"), config.camera)[1].elevation_deg for _ in range(COUNT)]
    )
    for border, share in zip((60, 30, 0), shares, strict=True):
        assert np.mean(elevations > border) == pytest.approx(share, abs=0.01)


def test_the_camera_of_a_scene_stands_at_its_view(body):
    config = SceneConfig(
        image_size=64, views=("top", "bottom"), backgrounds="plain", max_off_axis=90,
        min_keypoints=0,
    )  # fmt: skip
    for index in range(8):
        scene = sample_scene(config, 5, index, body)
        name, view = draw_view(Streams(5, index).rng("view"), config.camera)
        found = view_of(scene.camera, (0.0, 0.0, 0.0), 0.0)
        assert scene.view_name == name
        assert found.elevation_deg == pytest.approx(view.elevation_deg)
        assert found.distance_m == pytest.approx(view.distance_m)


CROWD = SceneConfig(
    image_size=64, views_per_pose=3, people=(4, 4), spread=2.5, distance=(1.0, 4.0),
    backgrounds="builtin", wardrobe="painted", effects="all", max_intersection=0.02,
)  # fmt: skip


def unexposed_light(scene):
    """Lights and the light from all sides over their sum: each camera has its own exposure."""
    total = scene.ambient + sum(sum(light.color) for light in scene.lights)
    directed = [
        (light.direction, [round(channel / total, 9) for channel in light.color])
        for light in scene.lights
    ]
    return directed, round(scene.ambient / total, 9)


def test_scenes_of_a_group_differ_in_the_camera_alone(body):
    scenes = [sample_scene(CROWD, 0, index, body) for index in range(9)]
    assert [scene.group for scene in scenes] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for shared in ("people", "background"):
        assert len({repr(getattr(scene, shared)) for scene in scenes}) == 3
    assert len({repr(unexposed_light(scene)) for scene in scenes}) == 3
    for own in ("camera", "sensor", "index"):
        assert len({repr(getattr(scene, own)) for scene in scenes}) == 9


def test_people_and_surroundings_suit_all_cameras_of_a_group(body):
    crowded = 0
    for group in range(4):
        scenes = [sample_scene(CROWD, 0, 3 * group + view, body) for view in range(3)]
        crowded += len(scenes[0].people) > 1
        others = [pose_person(body, person).outer_points for person in scenes[0].people[1:]]
        for scene in scenes:
            camera = scene.camera.position()
            assert scene.background.floor_z < camera[2]
            assert all(np.linalg.norm(points - camera, axis=1).min() > 0.4 for points in others)
    assert crowded


def test_one_view_for_each_pose_is_the_default(body):
    config = replace(CROWD, views_per_pose=1)
    scenes = [sample_scene(config, 0, index, body) for index in range(2)]
    assert [scene.group for scene in scenes] == [0, 1]
    first = sample_scene(CROWD, 0, 0, body)
    assert scenes[0].camera.rotation == first.camera.rotation
    assert scenes[0].people[0] == first.people[0]
