"""A scene is a pure function of (config, seed, index)."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from repogen.assets.packs import CORE
from repogen.assets.panoramas import write_panorama
from repogen.cameras.camera import view_of
from repogen.errors import UserError
from repogen.people.posing import pose_person, worn_vertices
from repogen.scenes import SceneConfig, sample_scene

OPTIONS = {"image_size": 128}
CONFIG = SceneConfig(**OPTIONS)


def test_the_same_arguments_give_the_same_scene(body):
    first = sample_scene(CONFIG, 7, 4, body)
    sample_scene(CONFIG, 8, 5, body)
    assert sample_scene(CONFIG, 7, 4, body) == first


def test_another_process_gives_the_same_scene(body):
    """Python's own hashes differ from process to process: nothing may hang on them. By default
    people wear repogen's own pack."""
    program = (
        "from repogen.bodies.anny import AnnyBody\n"
        "from repogen.scenes import SceneConfig, sample_scene\n"
        "print(sample_scene(SceneConfig(image_size=128), 7, 4, AnnyBody()).to_json())"
    )
    out = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        out.stdout.splitlines()[-1]
        == sample_scene(SceneConfig(packs=CORE, **OPTIONS), 7, 4, body).to_json()
    )


def test_other_seeds_and_indices_give_other_scenes(body):
    scenes = [sample_scene(CONFIG, seed, index, body) for seed in (0, 1) for index in (0, 1, 2)]
    for part in ("camera", "lights", "background"):
        assert len({repr(getattr(scene, part)) for scene in scenes}) == len(scenes)
    for part in ("shape", "face", "angles", "outfit"):
        assert len({repr(getattr(scene.people[0], part)) for scene in scenes}) == len(scenes)


@pytest.mark.parametrize(
    "change",
    [
        {"views": ("front",)},
        {"backgrounds": "plain"},
        {"framing": "paper"},
        {"lights": 1},
        {"distance": (2.0, 2.0)},
        {"image_size": 64},
        {"crop": 1.25},
    ],
)
def test_the_people_are_the_same_whatever_else_changes(body, change):
    for index in range(3):
        before = sample_scene(CONFIG, 0, index, body)
        after = sample_scene(SceneConfig(**OPTIONS | change), 0, index, body)
        assert after.people == before.people
        assert after != before


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"views": ("front",)}, ("shape", "face", "angles", "outfit")),
        ({"pose": "stand"}, ("shape", "face", "outfit")),
        ({"pose_variance": 0.3}, ("shape", "face", "outfit")),
        ({"ages": ("elders",)}, ("face", "angles")),
        ({"gender": ("male",)}, ("face", "angles")),
        ({"pose_variance": "random"}, ("shape", "face", "outfit")),
    ],
)
def test_topics_do_not_disturb_one_another(body, change, same):
    before = sample_scene(CONFIG, 0, 0, body).people[0]
    after = sample_scene(SceneConfig(**OPTIONS | change), 0, 0, body).people[0]
    for part in same:
        assert getattr(after, part) == getattr(before, part)


def test_options_are_followed(body):
    config = SceneConfig(
        image_size=128,
        views=("side",),
        azimuth=(10, 20),
        elevation=(-50, -40),
        roll=(-95, -85),
        distance=(2, 3),
        framing="paper",
        pose="sit",
        backgrounds="#12ab9f",
        lights=3,
        shadows=1,
    )
    for index in range(12):
        scene = sample_scene(config, 0, index, body)
        view = view_of(scene.camera, (0.0, 0.0, 0.0), 0.0)
        assert 10 <= view.azimuth_deg <= 20
        assert -50 <= view.elevation_deg <= -40
        assert -95 <= view.roll_deg <= -85
        assert 2 <= view.distance_m <= 3
        assert scene.view_name == "side"
        assert scene.camera.fx == pytest.approx(64)  # 90 degrees wide
        assert scene.background.color == "#12ab9f"
        assert len(scene.lights) == 3
        assert sum(lamp.shadow for lamp in scene.lights) <= 1
        assert scene.people[0].angles["left_knee"] == (85, 0, 0)


def test_random_variance_scales_each_pose(body):
    scaled = set()
    for index in range(6):
        plain, varied = (
            np.array(list(sample_scene(config, 0, index, body).people[0].angles.values()))
            for config in (CONFIG, replace(CONFIG, pose_variance="random"))
        )
        joints = list(sample_scene(CONFIG, 0, index, body).people[0].angles)
        knee = joints.index("spine1")
        scaled.add(float(varied[knee, 1] / plain[knee, 1]))
    assert len(scaled) == 6
    assert min(scaled) >= 2 / 3
    assert max(scaled) <= 1


def test_a_bare_body_wears_nothing(body):
    config = replace(CONFIG, wardrobe="none")
    for index in range(6):
        outfit = sample_scene(config, 0, index, body).people[0].outfit
        assert (outfit.worn, outfit.picture, outfit.top, outfit.shoes) == ((), None, "bare", "bare")
        assert (outfit.hair, outfit.waist, outfit.hem) == ("none", 9.0, 9.0)
        assert outfit.skin == sample_scene(CONFIG, 0, index, body).people[0].outfit.skin
    with pytest.raises(UserError, match="--wardrobe none is for adults and elders"):
        replace(config, ages=("adults", "children"))


def test_elevations_of_a_range_are_even_on_the_sphere(body):
    config = SceneConfig(image_size=128, elevation=(0, 90), pose="tpose")
    heights = [
        np.sin(
            np.radians(view_of(sample_scene(config, 0, i, body).camera, (0, 0, 0), 0).elevation_deg)
        )
        for i in range(40)
    ]
    assert np.mean(heights) == pytest.approx(0.5, abs=0.1)


def test_the_floor_lies_below_people_and_camera(body):
    for index in range(8):
        scene = sample_scene(replace(CONFIG, views=("bottom",)), 0, index, body)
        person = scene.people[0]
        seen = worn_vertices(body.surface, person.outfit)
        lowest = pose_person(body, person).body.vertices[seen, 2].min()
        assert scene.background.floor_z <= lowest + 1e-6
        assert scene.background.floor_z < scene.camera.position()[2]


DRONE = SceneConfig(
    image_size=64, framing="paper", aim="group", ground="floor", elevation=(10.0, 90.0),
    distance=(1.0, 20.0), people=(2, 6), spread=4.0, wardrobe="painted",
)  # fmt: skip


def test_rooms_hold_the_people_and_the_camera(body):
    config = replace(DRONE, backgrounds="builtin")
    rooms = 0
    for index in range(30):
        scene = sample_scene(config, 0, index, body)
        place = scene.background
        if place.half_size == (0.0, 0.0):
            continue
        rooms += 1
        yaw = np.radians(place.yaw_deg)
        turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        everything = [pose_person(body, p).outer_points for p in scene.people] + [
            scene.camera.position()[None]
        ]
        inside = np.concatenate(everything) @ turn.T
        assert (np.abs(inside[:, :2]).max(axis=0) < place.half_size).all()
        assert inside[:, 2].max() < place.floor_z + place.height
    assert rooms > 8


def test_panoramas_stand_around_people_and_camera(body, tmp_path):
    write_panorama(tmp_path / "sky.exr", np.full((32, 64, 3), 0.5, np.float32))
    config = replace(DRONE, backgrounds=str(tmp_path))
    for index in range(12):
        scene = sample_scene(config, 0, index, body)
        dome = scene.background
        middle = [0.0, 0.0, dome.floor_z + dome.eye_height]
        radius = np.hypot(dome.reach, dome.eye_height)
        assert 1.3 <= dome.eye_height <= 1.9  # real sizes, from however far
        assert np.linalg.norm(scene.camera.position() - middle) < radius
        for person in scene.people:
            assert (
                np.linalg.norm(pose_person(body, person).outer_points[:, :2], axis=1).max()
                < dome.reach
            )


def test_people_are_placed_and_turned(body):
    person = replace(sample_scene(CONFIG, 0, 0, body).people[0], angles={})
    here, there = (
        pose_person(body, replace(person, position=position, yaw_deg=yaw)).body.keypoints
        for position, yaw in (((0.0, 0.0, 0.0), 0.0), ((1.0, 2.0, 0.5), 90.0))
    )
    # A quarter turn anticlockwise from above takes the front, -y, to +x.
    turned = np.stack([-here[:, 1], here[:, 0], here[:, 2]], axis=1)
    assert there == pytest.approx(turned + np.array([1, 2, 0.5]))


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("image_size", 8, "--image-size 8"),
        ("image_size", 100_000, "--image-size 100000"),
        ("image_size", (64, 8), "--image-size 8"),
        ("image_size", (64, 64, 64), "should be a whole number or 2 values"),
        ("views", (), "no views"),
        ("views", ("abov",), "'abov'"),
        ("azimuth", (30.0, 10.0), "--azimuth 30 10"),
        ("elevation", (0.0, 95.0), "--elevation"),
        ("elevation", (10.0, -10.0), "--elevation"),
        ("roll", (10.0, -10.0), "--roll"),
        ("roll", (float("nan"), 10.0), "--roll"),
        ("distance", (0.0, 2.0), "--distance"),
        ("distance", (3.0, 2.0), "--distance"),
        ("distance", (1.0, float("inf")), "--distance"),
        ("framing", "tight", "'tight'"),
        ("person_share", (0.0, 0.5), "--person-share"),
        ("person_share", (0.5, 1.5), "--person-share"),
        ("truncate", 1.5, "--truncate"),
        ("truncate", float("nan"), "--truncate"),
        ("max_off_axis", 3.0, "--max-off-axis 3"),
        ("max_off_axis", 100.0, "--max-off-axis 100"),
        ("min_keypoints", 18, "--min-keypoints 18"),
        ("crop", 0.5, "--crop 0.5"),
        ("pose_distribution", "normal", "'normal'"),
        ("pose_variance", -1.0, "--pose-variance -1"),
        ("pose", "stnad", "'stnad'"),
        ("ages", ("dogs",), "'dogs'"),
        ("ages", (), "no ages"),
        ("gender", (), "no gender"),
        ("gender", ("man",), "'man'"),
        ("pose_variance", "any", "'any' should be a number or random"),
        ("views_per_pose", 0, "--views-per-pose 0"),
        ("light_model", "even", "'even'"),
        ("lights", -1, "--lights -1"),
        ("shadows", 100, "--shadows 100"),
    ],
)
def test_bad_options_are_one_line_user_errors_that_name_them(option, value, says):
    with pytest.raises(UserError) as caught:
        SceneConfig(**{option: value})
    message = str(caught.value)
    assert says in message
    assert "\n" not in message


def test_bad_files_are_user_errors_that_name_them(body, tmp_path):
    for change in (
        {"bounds": tmp_path / "no.toml"},
        {"backgrounds": str(tmp_path / "no")},
    ):
        with pytest.raises(UserError, match="no"):
            sample_scene(SceneConfig(**OPTIONS | change), 0, 0, body)


def test_bounds_from_a_file_are_used(body, tmp_path):
    path = tmp_path / "stiff.toml"
    path.write_text("[left_knee]\nx = [0, 0]\n[right_knee]\nx = [0, 1]\n")
    config = replace(CONFIG, bounds=path, pose_distribution="uniform")
    for index in range(5):
        angles = sample_scene(config, 0, index, body).people[0].angles
        assert angles["left_knee"] == (0, 0, 0)
        assert 0 < angles["right_knee"][0] <= 1
