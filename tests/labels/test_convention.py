"""The offset of shoulders and hips brings proportions closer to those of human annotators."""

import json

import numpy as np
import pytest

from repogen import SceneConfig, UserError, sample_scene
from repogen.labels.convention import annotators_keypoints, labelled_keypoints
from repogen.people.posing import pose_person


def proportions(points: np.ndarray) -> tuple[float, float] | None:
    """Trunk to leg and thigh to shank of a person whose legs are straight; else None."""
    shoulders, hips = points[5:7].mean(axis=0), points[11:13].mean(axis=0)
    trunk, legs = shoulders - hips, []
    for side in (0, 1):
        thigh, shank = points[11 + side] - points[13 + side], points[13 + side] - points[15 + side]
        lengths = [np.linalg.norm(v) for v in (trunk, thigh, shank)]
        if min(lengths) == 0:
            return None
        if thigh @ shank < 0.97 * lengths[1] * lengths[2]:
            return None
        if trunk @ thigh < 0.97 * lengths[0] * lengths[1]:
            return None
        legs.append(lengths[1:])
    thigh, shank = np.mean(legs, axis=0)
    return float(np.linalg.norm(trunk) / (thigh + shank)), float(thigh / shank)


def test_shifted_joints_have_annotators_proportions(body, shared_data):
    real = []
    lspet = shared_data("data/lspet/annotations.json")
    for annotation in json.loads(lspet.read_text())["annotations"]:
        points = np.array(annotation["keypoints"], dtype=float).reshape(17, 3)
        if annotation.get("torso") == "up" and (points[[5, 6, *range(11, 17)], 2] > 0).all():
            real.append(proportions(points[:, :2]))
    real = np.median([r for r in real if r], axis=0)

    bare, shifted = [], []
    config = SceneConfig(
        views=("perimeter",), pose="stand", roll=(0, 0), distance=(3, 5), backgrounds="#808080"
    )
    for index in range(60):
        scene = sample_scene(config, 3, index, body)
        posed = pose_person(body, scene.people[0]).body
        for points, into in ((posed.keypoints, bare), (annotators_keypoints(posed), shifted)):
            into.append(proportions(scene.camera.to_pixels(scene.camera.to_camera(points))))
    bare = np.median([b for b in bare if b], axis=0)
    shifted = np.median([s for s in shifted if s], axis=0)
    print("trunk/leg, thigh/shank: LSPet", real, "bare", bare, "shifted", shifted)
    assert (np.abs(shifted - real) < np.abs(bare - real)).all()
    assert np.abs(shifted - real).max() < 0.055


def test_only_shoulders_and_hips_move_and_only_along_the_trunk(body):
    posed = body.pose({}, {}, {"spine2": (0, 0, 20)})
    moved = annotators_keypoints(posed) - posed.keypoints
    assert (np.flatnonzero(np.abs(moved).max(axis=1)) == [5, 6, 11, 12]).all()
    trunk = posed.keypoints[5:7].mean(axis=0) - posed.keypoints[11:13].mean(axis=0)
    assert np.allclose(np.cross(moved[5], trunk), 0)
    assert 0.02 < np.linalg.norm(moved[5]) < 0.03


def test_anatomical_keypoints_are_the_joints_and_other_conventions_are_refused(body):
    posed = body.pose({}, {}, {})
    assert (labelled_keypoints(posed, "anatomical") == posed.keypoints).all()
    assert (labelled_keypoints(posed, "annotators") == annotators_keypoints(posed)).all()
    with pytest.raises(UserError, match="unknown --label-convention 'mine'; choose from"):
        labelled_keypoints(posed, "mine")
