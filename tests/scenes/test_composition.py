"""Where camera, people and objects are in a picture: near the axis, above the floor, apart."""

from dataclasses import replace

import numpy as np
import pytest

from repogen import PRESETS
from repogen.assets import Item
from repogen.assets.packs import NO_FLOOR, write_index
from repogen.assets.panoramas import write_panorama
from repogen.cameras.camera import View, look_at, view_of, yaw_matrix
from repogen.config import config_from_table
from repogen.environment.occluder_kinds import CUTOUT_LENGTHS, KINDS, sample_cutout_length
from repogen.environment.occluders import distance_to_box, hides, occluder_vertices
from repogen.environment.panoramas import Panorama
from repogen.errors import UserError
from repogen.files import sha256_of
from repogen.generation.config import GenerateConfig
from repogen.labels.annotation import visible_keypoints
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.sample.scene import metres_overlooked, sample_posed_scene
from repogen.scenes.sample.visible import visible_keypoints_about

QUICK = {"image_size": 128, "wardrobe": "painted", "backgrounds": "builtin"}
CROWD = {"people": (3, 5), "occluders": (1, 3)} | QUICK


def preset(name, **options):
    config = replace(config_from_table(GenerateConfig, PRESETS[name], name), packs=())
    return replace(config, **QUICK | options)


def all_points(sampled):
    return np.concatenate([posed.outer_points for posed in sampled.people])


def off_axis(camera, points):
    """Degrees off the lens axis of the points that are in the picture."""
    inside = camera.to_camera(points)
    x, y, z = inside[camera.shows(inside)].T
    return np.degrees(np.arctan2(np.hypot(x, y), z))


COMPOSED = {
    "crowd": GenerateConfig(**CROWD),
    "opencv": GenerateConfig(lens="opencv", fov=(60, 95), **CROWD),
    "many": GenerateConfig(**CROWD | {"people": (10, 10)}, spread=6.0),
    "views": GenerateConfig(views_per_pose=2, **CROWD),
    **{name: preset(name) for name in ("sports-low", "rare-views", "in-bed", "climbing")},
}


@pytest.mark.parametrize("name", COMPOSED)
def test_nobody_is_far_off_the_lens_axis(body, name):
    config = COMPOSED[name]
    for index in range(4):
        sampled = sample_posed_scene(config, 11, index, body)
        camera, first = sampled.scene.camera, sampled.people[0].person
        assert off_axis(camera, all_points(sampled)).max() <= 40.01
        low, high = config.camera.distance
        assert low - 1e-6 <= view_of(camera, first.position, 0.0).distance_m <= high + 1e-6


def in_room(scene, points):
    """Whether points in the world are between the walls, the floor and the ceiling."""
    room = scene.background
    local = (points - [0, 0, room.floor_z]) @ yaw_matrix(np.radians(room.yaw_deg))
    return (np.abs(local[:, :2]) < room.half_size).all() and (
        (local[:, 2] > 0) & (local[:, 2] < room.height)
    ).all()


@pytest.mark.parametrize("options", [{}, {"ground": "floor", "views": "sphere"}])
def test_the_camera_is_not_inside_a_wall(body, options):
    config = SceneConfig(**CROWD | options)
    scenes = [sample_scene(config, 12, index, body) for index in range(10)]
    rooms = [scene for scene in scenes if scene.background.half_size != (0.0, 0.0)]
    assert len(rooms) > 2
    for scene in rooms:
        assert in_room(scene, scene.camera.position()[None])
        assert in_room(scene, np.array([person.position for person in scene.people]))


def test_without_limit_and_with_a_fisheye_people_may_be_far_off_the_axis(body):
    for options in ({"max_off_axis": 90}, {"lens": "equidistant", "fov": (180, 180)}):
        near = {"occluders": (0, 0), "distance": (1.5, 1.8), "min_keypoints": 0}
        config = SceneConfig(**CROWD | near | options)
        angles = [
            off_axis(sampled.scene.camera, all_points(sampled)).max()
            for sampled in (sample_posed_scene(config, 11, index, body) for index in range(5))
        ]
        assert max(angles) > 55


@pytest.mark.parametrize(
    "options",
    [
        {"views": "sphere"},
        {"views": "bottom"},
        {"elevation": (-60, 20)},
        {"views": "sphere", "orientation": "lying", "distance": (1, 2)},
        {"views": "sphere", "views_per_pose": 3},
    ],
)
def test_the_camera_is_above_the_floor_that_people_stand_on(body, options):
    config = SceneConfig(**QUICK | options, people=(1, 3), ground="floor")
    for index in range(9):
        sampled = sample_posed_scene(config, 4, index, body)
        floor = sampled.scene.background.floor_z
        assert sampled.scene.camera.position()[2] > floor + 0.3 - 1e-6
        for posed in sampled.people:
            assert posed.lowest == pytest.approx(floor, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"elevation": (-60, -30)}, "--elevation -60 -30 from --distance 1.5 5 puts the camera"),
        ({"views": "bottom", "distance": (6, 9)}, "--views bottom from --distance 6 9"),
    ],
)
def test_options_that_put_every_camera_under_the_floor_are_refused(options, says):
    with pytest.raises(UserError, match=says) as caught:
        SceneConfig(ground="floor", **options)
    assert "\n" not in str(caught.value)
    SceneConfig(ground="air", **options)


def test_the_camera_is_not_inside_the_first_person(body):
    config = SceneConfig(**QUICK, distance=(0.3, 1.2), views="sphere", max_off_axis=90)
    for index in range(12):
        sampled = sample_posed_scene(config, 2, index, body)
        eye = sampled.scene.camera.position()
        gap = np.linalg.norm(sampled.people[0].outer_points - eye, axis=1).min()
        distance = np.linalg.norm(eye - np.array(sampled.people[0].person.position))
        assert gap > min(0.4, 0.5 * distance) - 0.05


def fits(kind, occluder):
    sizes = zip(kind.size, occluder.size, strict=True)
    return kind.shape == occluder.shape and all(low <= side <= high for (low, high), side in sizes)


@pytest.mark.parametrize("ground", ["floor", "air"])
def test_things_have_real_sizes_stand_or_are_held_and_touch_nothing(body, ground):
    config = SceneConfig(**CROWD | {"occluders": (3, 5)}, ground=ground, views="sphere")
    standing, held = 0, 0
    for index in range(8):
        sampled = sample_posed_scene(config, 6, index, body)
        scene, people = sampled.scene, all_points(sampled)
        wrists = np.concatenate([posed.body.keypoints[9:11] for posed in sampled.people])
        floor, eye = scene.background.floor_z, scene.camera.position()
        lifted = sampled.people[0].lowest > floor + 2.0
        for occluder in scene.occluders:
            corners = occluder_vertices(occluder)
            kinds = [kind for kind in KINDS.values() if fits(kind, occluder)]
            assert kinds
            on_floor = abs(corners[:, 2].min() - floor) < 1e-4
            standing, held = standing + on_floor, held + (not on_floor)
            assert on_floor or not all(kind.stands for kind in kinds)
            assert on_floor or distance_to_box(occluder, wrists).min() < 0.21
            assert not (on_floor and lifted), "no furniture before the sky"
            assert distance_to_box(occluder, people).min() > 0.02
            assert distance_to_box(occluder, eye[None])[0] > 0.2
            assert hides(occluder, eye, people).any()
            others = [other for other in scene.occluders if other is not occluder]
            assert all(distance_to_box(other, corners).min() > 0.02 for other in others)
    assert held > 5
    assert standing > 5 if ground == "floor" else standing > 0


def test_a_dog_is_smaller_than_an_adult_and_other_names_have_usual_lengths():
    rng = np.random.default_rng(0)
    for name in ("dog", "dog_07", "big-Dog"):
        lengths = [sample_cutout_length(rng, name) for _ in range(50)]
        low, high = CUTOUT_LENGTHS["dog"]
        assert low <= min(lengths) < max(lengths) <= high < 1.2
    assert 0.2 <= sample_cutout_length(rng, "hotdogs") <= 0.8
    assert sample_cutout_length(rng, "car 3") > 3


def sky_pack(folder):
    """A pack of a panorama with ground and of two without."""
    folder.mkdir()
    items = []
    for name in ("park", "clouds", "stars"):
        write_panorama(folder / f"{name}.exr", np.full((32, 64, 3), 0.5, np.float32))
        files = {f"{name}.exr": sha256_of(folder / f"{name}.exr")}
        tags = () if name == "park" else (NO_FLOOR,)
        items.append(Item("environment", name, "", "CC0", files, tags))
    write_index(folder, folder.name, "1", "a test", items)


def test_nothing_stands_on_the_sky(body, tmp_path, monkeypatch):
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path))
    sky_pack(tmp_path / "mine")
    options = QUICK | {"packs": "mine", "backgrounds": "auto", "views": "top", "pose": "stand"}
    seen = set()
    for ground in ("floor", "air"):
        config = SceneConfig(**options, ground=ground, occluders=(3, 3))
        for index in range(8):
            scene = sample_scene(config, 1, index, body)
            assert isinstance(scene.background, Panorama)
            name = scene.background.file.name.rpartition("/")[2]
            floor = scene.background.floor_z
            stands = any(
                abs(occluder_vertices(one)[:, 2].min() - floor) < 1e-4 for one in scene.occluders
            )
            assert name == "park.exr" or not stands
            seen.add((ground, name, stands))
    assert {name for ground, name, _ in seen if ground == "floor"} == {"park.exr"}
    assert len({name for ground, name, _ in seen if ground == "air"}) == 3
    assert ("floor", "park.exr", True) in seen


HARD = SceneConfig(
    **QUICK | {"occluders": (2, 4), "people": (2, 3)}, truncate=1.0, person_share=(0.9, 1.0),
    elevation=(-10, 40),
)  # fmt: skip


def labelled(renderer, sampled):
    """The number of the first person's keypoints that labels say are visible."""
    scene = sampled.scene
    points = scene.camera.to_camera(sampled.people[0].body.keypoints)
    visible = visible_keypoints(renderer.render(scene, sampled.people))[0]
    return int((visible & scene.camera.shows(points)).sum())


def test_pictures_with_few_visible_keypoints_are_drawn_again(body, renderer):
    counts, again = {0: [], 9: []}, 0
    for index in range(24):
        tries = [sample_posed_scene(replace(HARD, min_keypoints=n), 8, index, body) for n in (0, 9)]
        for wanted, sampled in zip(counts, tries, strict=True):
            counts[wanted].append(labelled(renderer, sampled))
        first, kept = (sampled.scene for sampled in tries)
        seen = visible_keypoints_about(first.camera, tries[0].people, first.occluders).sum()
        after = visible_keypoints_about(kept.camera, tries[1].people, kept.occluders).sum()
        assert after >= min(seen, 10)
        assert seen < 10 or kept == first, "enough are visible: nothing is drawn again"
        again += kept != first
        assert kept.people[0] == first.people[0]
        assert kept == sample_scene(replace(HARD, min_keypoints=9), 8, index, body)
    assert again > 2
    few = {wanted: np.mean(np.array(found) < 7) for wanted, found in counts.items()}
    assert few[0] > 0.1
    assert few[9] < few[0] / 2


def test_what_is_visible_is_about_what_labels_say(body, renderer):
    config = SceneConfig(**CROWD, views="sphere", min_keypoints=0)
    away = []
    for index in range(16):
        sampled = sample_posed_scene(config, 3, index, body)
        scene = sampled.scene
        about = visible_keypoints_about(scene.camera, sampled.people, scene.occluders)
        away.append(int(about.sum()) - labelled(renderer, sampled))
    assert np.mean(np.abs(away) <= 2) > 0.7
    assert abs(np.mean(away)) < 1.2


def test_cameras_of_a_group_do_not_move_for_one_of_them(body):
    config = replace(HARD, views_per_pose=2)
    for index in range(6):
        plain, kept = (
            sample_scene(replace(config, min_keypoints=n), 8, index, body) for n in (0, 17)
        )
        assert kept.background == plain.background
        assert kept.camera.position() == pytest.approx(plain.camera.position())


@pytest.mark.parametrize(
    ("elevation", "distance", "fov", "overlooks"),
    [(90, 6.0, 30.0, False), (90, 6.0, 90.0, True), (30, 8.0, 60.0, True), (20, 4.0, 90.0, False)],
)
def test_a_camera_overlooks_the_floor_from_high_above_if_it_sees_far(
    elevation, distance, fov, overlooks
):
    camera = look_at(View(0, elevation, 0, distance), (0.0, 0.0, 0.0), 0.0, 256, fov)
    height = float(camera.position()[2]) + 1.0
    assert metres_overlooked(camera, -1.0) == pytest.approx(height if overlooks else 0.0)
