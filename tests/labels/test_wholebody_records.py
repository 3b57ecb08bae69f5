"""Annotations of feet, face and hands agree with the scene and with COCO-WholeBody's format."""

import json
from dataclasses import replace

import numpy as np
import pytest

from repogen import GenerateConfig, SceneConfig, UserError, generate, sample_scene, validate
from repogen.bodies.wholebody import GROUPS, KEYPOINT_SETS
from repogen.cameras.camera import Camera, angles_to_direction
from repogen.labels.annotation import annotate
from repogen.labels.wholebody import check_keypoints

CONFIG = SceneConfig(views=("sphere",), image_size=160, truncate=0.5, backgrounds="#406080")
HAND = GROUPS["lefthand"]
SIZE = 400


@pytest.fixture(scope="module")
def renderings(body, renderer):
    return [renderer.render(sample_scene(CONFIG, 5, index, body)) for index in range(8)]


def triples(annotation, group):
    return np.array(annotation[f"{group}_kpts"]).reshape(-1, 3)


def close_up(body, renderer, target, azimuth, elevation, fov, angles=None, shoes="bare"):
    """The average adult, in T-pose but for `angles`, seen from 2 m at an angle (degrees)."""
    scene = sample_scene(SceneConfig(image_size=SIZE, backgrounds="#607080"), 3, 0, body)
    out = angles_to_direction(azimuth, elevation)
    right = np.array([np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth)), 0.0])
    rotation = np.stack([right, np.cross(-out, right), -out])
    focal = SIZE / 2 / np.tan(np.radians(fov / 2))
    camera = Camera(
        SIZE, SIZE, focal, focal, SIZE / 2, SIZE / 2, tuple(map(tuple, rotation)),
        tuple(-rotation @ (np.array(target) + 2 * out)),
    )  # fmt: skip
    person = scene.people[0]
    person = replace(
        person, shape={"age": 2 / 3}, face={}, angles=angles or {}, position=(0.0, 0.0, 0.0),
        yaw_deg=0.0, outfit=replace(person.outfit, shoes=shoes, hair="bald"),
    )  # fmt: skip
    rendering = renderer.render(replace(scene, people=(person,), camera=camera))
    (annotation,) = annotate(rendering, keypoints="wholebody")
    return annotation


@pytest.mark.parametrize("keypoints", ["coco", "feet", "wholebody"])
def test_each_keypoint_set_adds_the_fields_of_its_groups(renderings, keypoints):
    for rendering in renderings:
        (plain,), (more,) = annotate(rendering), annotate(rendering, keypoints=keypoints)
        assert {key: more[key] for key in plain} == plain
        added = {key.split("_")[0] for key in set(more) - set(plain)}
        assert added == set(KEYPOINT_SETS[keypoints])
        for group in added:
            assert len(more[f"{group}_kpts"]) == 3 * len(GROUPS[group])
            assert np.shape(more[f"{group}_3d"]) == (len(GROUPS[group]), 3)
        json.dumps(more)


def test_wholebody_points_in_space_project_onto_those_in_the_image(renderings):
    flags, boxes = [], []
    for rendering in renderings:
        (annotation,) = annotate(rendering, keypoints="wholebody")
        for group in GROUPS:
            flat, space = triples(annotation, group), np.array(annotation[f"{group}_3d"])
            shown = flat[:, 2] > 0
            pixels = rendering.scene.camera.to_pixels(space[shown])
            assert np.abs(pixels - flat[shown, :2]).max(initial=0) < 0.01
            assert (flat[~shown] == 0).all()
            assert annotation[f"{group}_valid"] == shown.any()
            if group != "foot" and shown.any():
                x, y, width, height = annotation[f"{group}_box"]
                low, high = flat[shown, :2].min(axis=0), flat[shown, :2].max(axis=0)
                boxes.append(([x, y, x + width, y + height], [*low, *high]))
            flags += list(flat[:, 2])
    assert len(boxes) > len(renderings)
    for box, points in boxes:
        assert box == pytest.approx(points, abs=2e-3)
    assert set(flags) == {0, 1, 2}


def test_drop_writes_zeros_for_occluded_wholebody_points(renderings):
    for rendering in renderings:
        (kept,) = annotate(rendering, keypoints="wholebody")
        (dropped,) = annotate(rendering, "drop", keypoints="wholebody")
        for group in GROUPS:
            before, after = triples(kept, group), triples(dropped, group)
            seen = before[:, 2] == 2
            assert (after[seen] == before[seen]).all()
            assert (after[~seen] == 0).all()


def test_face_points_are_visible_from_the_front_and_occluded_from_behind(body, renderer):
    front = triples(close_up(body, renderer, (0, -0.1, 0.72), 0, 0, 8), "face")
    back = triples(close_up(body, renderer, (0, -0.1, 0.72), 180, 0, 8), "face")
    assert (front[:, 2] == 2).all()
    assert (back[6:11, 2] == 1).all()
    assert (back[17:, 2] == 1).all()


def test_a_profile_occludes_the_other_half_of_the_face(body, renderer):
    flags = triples(close_up(body, renderer, (0, -0.1, 0.72), 90, 0, 8), "face")[:, 2]
    assert (flags[9:17] == 2).all()  # the subject's left: jaw, brow, eye
    assert (flags[23:27] == 2).all()
    assert (flags[[44, 45, 46]] == 2).all()
    assert (flags[:7] == 1).all()
    assert (flags[17:20] == 1).all()
    assert (flags[[36, 37, 40, 41]] == 1).all()


def test_a_fist_occludes_its_fingertips(body, renderer):
    bent = {
        f"left_{finger}{k}": (0.0, 0.0, -60.0)
        for finger in ("middle", "ring")
        for k in (1, 2, 3)
    }  # fmt: skip
    tips = [HAND.index(f"left_{finger}4") for finger in ("middle", "ring")]
    place = (0.82, -0.05, 0.47)
    spread, fist = (
        triples(close_up(body, renderer, place, 0, 85, 9, angles), "lefthand")
        for angles in ({}, bent)
    )
    assert (spread[:, 2] == 2).all()
    assert (fist[tips, 2] == 1).all()
    assert (fist[[HAND.index(f"left_{f}1") for f in ("middle", "ring")], 2] == 2).all()
    below = triples(close_up(body, renderer, place, 0, -80, 9, bent), "lefthand")
    assert (below[tips, 2] == 2).all()


@pytest.mark.parametrize("shoes", ["bare", "shoes"])
def test_points_of_the_feet_have_the_same_visibility_with_and_without_shoes(body, renderer, shoes):
    front = triples(close_up(body, renderer, (0, -0.08, -0.93), 0, 20, 18, shoes=shoes), "foot")
    assert (front[:, 2] == [2, 2, 1, 2, 2, 1]).all()
    behind = triples(close_up(body, renderer, (0, -0.08, -0.93), 180, 10, 18, shoes=shoes), "foot")
    assert (behind[[2, 5], 2] == 2).all()
    assert (behind[[0, 3], 2] == 1).all()


def test_a_visible_point_of_the_face_lies_on_skin_in_sight(body, renderer):
    scene = sample_scene(
        replace(CONFIG, views=("front",), truncate=0.0, image_size=512), 1, 0, body
    )
    rendering = renderer.render(scene)
    (annotation,) = annotate(rendering, keypoints="wholebody")
    g = rendering.gbuffer
    depth = g.to_image(g.depth[:: g.samples, :: g.samples])
    gaps = []
    for (x, y, v), point in zip(triples(annotation, "face"), annotation["face_3d"], strict=True):
        if v == 2:
            around = depth[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4]
            gaps.append(np.abs(around - point[2]).min())
    assert len(gaps) > 30
    assert max(gaps) < 0.01


def test_unknown_keypoint_sets_and_bodies_without_them_are_refused(renderings):
    with pytest.raises(UserError, match="unknown --keypoints 'hands'; choose from coco, feet"):
        annotate(renderings[0], keypoints="hands")
    with pytest.raises(UserError, match="'body25'"):
        GenerateConfig(keypoints="body25")
    with pytest.raises(UserError, match="--keypoints feet needs the body anny; smplx has only"):
        check_keypoints("feet", "smplx")
    check_keypoints("coco", "smplx")


def damage_length(annotation):
    annotation["foot_kpts"].pop()


def damage_flag(annotation):
    annotation["foot_kpts"][2] = 3


def damage_position(annotation):
    annotation["lefthand_3d"] = (np.array(annotation["lefthand_3d"]) + 0.05).tolist()


def damage_valid(annotation):
    annotation["face_valid"] = not annotation["face_valid"]


def damage_box(annotation):
    annotation["righthand_box"][2] += 1


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (None, None),
        (damage_length, "foot_kpts or foot_3d are not 6 triples"),
        (damage_flag, "a v of foot_kpts is not 0, 1 or 2"),
        (damage_position, "lefthand_3d projects more than 0.01 px away from lefthand_kpts"),
        (damage_valid, "face_valid is False, 68 are labelled"),
        (damage_box, "righthand_box is not around its labelled points"),
    ],
)
def test_validate_finds_damaged_wholebody_fields(dataset, damage, says):
    path = dataset / "annotations" / "person_keypoints.json"
    whole = path.read_text()
    coco = json.loads(whole)
    if damage:
        damage(coco["annotations"][0])
    path.write_text(json.dumps(coco))
    problems = validate(dataset, rerender=0)
    path.write_text(whole)
    found = [problem for problem in problems if problem.startswith("annotation ")]
    assert found == ([] if says is None else [f"annotation 1: {says}"])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("wholebody") / "set"
    generate(
        out,
        GenerateConfig(
            images=2, seed=1, workers=1, image_size=96, keypoints="wholebody", backgrounds="#406080"
        ),
    )
    return out
