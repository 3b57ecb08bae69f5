"""People of a scene who are turned in any direction, and the views of them."""

import json

import numpy as np
import pytest

from repogen import GenerateConfig, generate, validate
from repogen.cameras.camera import angles_to_direction
from repogen.labels.annotation import view_records
from repogen.people.person import world_rotation
from repogen.people.posing import pose_person
from repogen.scenes import SceneConfig, sample_scene


def amass(path, tilt):
    """One frame of AMASS: standing in its world of z up, tilted by these degrees about the left."""
    poses = np.zeros((1, 156))
    poses[0, 0] = np.radians(90 + tilt)
    np.savez(path, poses=poses)
    return path


def scene_of(body, index=0, **options):
    config = SceneConfig(**{"image_size": 64, "backgrounds": "plain"} | options)
    return sample_scene(config, 3, index, body)


def test_a_handstand_of_amass_is_upside_down_and_standing_is_not(body, tmp_path):
    scenes = [
        scene_of(body, poses=amass(tmp_path / f"{tilt}.npz", tilt), poses_mirror=False)
        for tilt in (0, 180)
    ]
    for scene, sign in zip(scenes, (1, -1), strict=True):
        keypoints = pose_person(body, scene.people[0]).body.keypoints
        nose, ankles = keypoints[0, 2], keypoints[15:17, 2].max()
        assert sign * (nose - ankles) > 1.0
    first, second = scenes
    assert first.people[0].orientation == (0, 0, 0)
    assert first.people[0].angles == second.people[0].angles
    assert first.camera.position() == pytest.approx(second.camera.position())


def test_upright_gives_what_the_file_says_without_its_orientation(body, tmp_path):
    path = amass(tmp_path / "a.npz", 180)
    person = scene_of(body, poses=path, orientation="upright").people[0]
    assert person.orientation == (0, 0, 0)


def test_orientation_changes_nothing_else(body):
    before, after = scene_of(body), scene_of(body, orientation="any")
    assert before.people[0].orientation == (0, 0, 0)
    assert any(after.people[0].orientation)
    for part in ("shape", "angles", "outfit", "position", "yaw_deg"):
        assert getattr(before.people[0], part) == getattr(after.people[0], part)


@pytest.mark.parametrize("orientation", ["inverted", "any"])
def test_turned_people_have_the_same_bodies(body, orientation):
    options = {"people": (3, 3), "spread": 3.0, "orientation": orientation}
    for person in scene_of(body, **options).people:
        posed = pose_person(body, person)
        back = (posed.body.vertices - np.array(person.position)) @ world_rotation(person)
        assert back == pytest.approx(posed.at_origin.vertices, abs=1e-5)
        assert posed.body.bones[0] == pytest.approx(
            world_rotation(person) @ posed.at_origin.bones[0]
        )


def test_views_are_by_the_world_and_by_the_person(body):
    """A camera above a handstand sees the feet; its subject's own view is from below."""
    for index in range(3):
        scene = scene_of(body, index, pose="handstand", views="front", elevation=(80, 90))
        records = view_records(scene.camera, scene.people[0])
        assert records["view"]["elevation_deg"] > 79
        assert records["subject_view"]["elevation_deg"] < -79
    scene = scene_of(body, pose="handstand", views="front", elevation=(0, 0))
    records = view_records(scene.camera, scene.people[0])
    assert abs(records["view"]["azimuth_deg"]) <= 20  # sees the chest
    assert abs(records["subject_view"]["azimuth_deg"]) <= 20
    assert records["view"]["azimuth_deg"] == pytest.approx(-records["subject_view"]["azimuth_deg"])


@pytest.mark.parametrize("orientation", ["upright", "any"])
def test_the_subjects_view_is_the_direction_of_the_camera_in_the_bodys_axes(body, orientation):
    scene = scene_of(body, orientation=orientation, people=(2, 2), views="sphere")
    for person in scene.people:
        records = view_records(scene.camera, person)
        own = records["subject_view"]
        towards = angles_to_direction(own["azimuth_deg"], own["elevation_deg"])
        direction = scene.camera.position() - np.array(person.position)
        expected = world_rotation(person) @ towards * np.linalg.norm(direction)
        assert expected == pytest.approx(direction, abs=1e-5)
        same = own == pytest.approx({key: records["view"][key] for key in own}, abs=1e-5)
        assert same == (orientation == "upright")


def test_a_dataset_of_turned_people(tmp_path):
    config = GenerateConfig(
        images=3, workers=1, image_size=64, orientation=("any=0.5", "lying=0.5"), people=(2, 2)
    )
    folder = generate(tmp_path / "out", config)
    assert validate(folder) == []
    line = json.loads((folder / "scenes.jsonl").read_text().splitlines()[0])
    assert line["format"] == 7
    assert any(line["people"][0]["orientation"])


def test_charts_take_the_subjects_view(tmp_path):
    """Lying people under a camera: `repogen views` says how it sees the body, not the room."""
    from repogen.coco.annotations import read_person_annotations

    config = GenerateConfig(
        images=1, workers=1, image_size=64, pose="lying-back", views="top", distance=(5, 5)
    )
    folder = generate(tmp_path / "out", config)
    path = folder / "annotations/person_keypoints.json"
    people = read_person_annotations("out", path, folder)
    (record,) = people.records
    assert people.views[0, :2].tolist() == list(record["subject_view"].values())
    assert abs(people.views[0, 1]) < 60 < record["view"]["elevation_deg"]
