"""The shift of shoulders and hips brings our proportions nearer to real annotators'."""

import json
from pathlib import Path

import numpy as np
import pytest

from repogen import SceneConfig, UserError, generate, rerender, sample_scene, validate
from repogen.labels.convention import CONVENTIONS, annotators_keypoints, labelled_keypoints
from repogen.people.posing import pose_person

LSPET = Path(__file__).parents[3] / "shared/data/lspet/annotations.json"


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


@pytest.mark.skipif(not LSPET.exists(), reason="needs shared/data/lspet")
def test_shifted_joints_have_annotators_proportions(body):
    real = []
    for annotation in json.loads(LSPET.read_text())["annotations"]:
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
        posed = pose_person(body, scene.people[0])
        for points, into in ((posed.keypoints, bare), (annotators_keypoints(posed), shifted)):
            into.append(proportions(scene.camera.to_pixels(scene.camera.to_camera(points))))
    bare = np.median([b for b in bare if b], axis=0)
    shifted = np.median([s for s in shifted if s], axis=0)
    print("trunk/leg, thigh/shank: LSPet", real, "bare", bare, "shifted", shifted)
    assert (np.abs(shifted - real) < np.abs(bare - real)).all()
    assert np.abs(shifted - real).max() < 0.04


def test_only_shoulders_and_hips_move_and_only_along_the_trunk(body):
    posed = body.pose({}, {}, {"spine2": (0, 0, 20)})
    moved = annotators_keypoints(posed) - posed.keypoints
    assert (np.flatnonzero(np.abs(moved).max(axis=1)) == [5, 6, 11, 12]).all()
    trunk = posed.keypoints[5:7].mean(axis=0) - posed.keypoints[11:13].mean(axis=0)
    assert np.allclose(np.cross(moved[5], trunk), 0)
    assert 0.02 < np.linalg.norm(moved[5]) < 0.03


def test_anatomical_keypoints_are_those_of_the_body(body):
    posed = body.pose({}, {}, {})
    assert np.array_equal(labelled_keypoints(posed, "anatomical"), posed.keypoints)
    annotators = labelled_keypoints(posed, "annotators")
    assert np.array_equal(annotators, annotators_keypoints(posed))
    with pytest.raises(UserError, match="unknown --label-convention 'bones'; choose from annot"):
        labelled_keypoints(posed, "bones")


def test_a_dataset_of_either_convention_is_valid_and_rerendered_by_it(tmp_path, body):
    shoulders = {}
    for convention in CONVENTIONS:
        folder = generate(
            tmp_path / convention, images=2, image_size=64, seed=3, workers=1, backgrounds="plain",
            wardrobe="painted", pose="stand", views="front", label_convention=convention,
        )  # fmt: skip
        run = json.loads((folder / "run.json").read_text())
        assert run["config"]["output"]["label_convention"] == convention
        assert validate(folder, 2) == []
        rerender(folder, (1,), tmp_path / "again" / convention)
        made, again = (
            json.loads((root / "annotations" / "person_keypoints.json").read_text())["annotations"]
            for root in (folder, tmp_path / "again" / convention)
        )
        assert made[0]["keypoints"] == again[0]["keypoints"]
        assert made[0]["num_keypoints"] == 17
        shoulders[convention] = np.array(made[0]["keypoints_3d"])
    moved = np.abs(shoulders["annotators"] - shoulders["anatomical"]).max(axis=1)
    assert np.flatnonzero(moved > 0.01).tolist() == [5, 6, 11, 12]
