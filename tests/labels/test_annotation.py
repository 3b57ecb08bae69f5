"""Annotations and maps agree with the picture, the camera and each other."""

import io
import json
from contextlib import redirect_stdout

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from repogen import SceneConfig, UserError, sample_scene
from repogen.bodies import COCO_KEYPOINTS, PARTS
from repogen.coco.names import CATEGORY
from repogen.labels.annotation import annotate, image_record
from repogen.labels.maps import barycentrics, depth_map, normal_map, part_map, person_masks
from repogen.labels.stick import stick_figure

CONFIG = SceneConfig(views=("sphere",), image_size=160, backgrounds="#406080")


@pytest.fixture(scope="module")
def renderings(body, renderer):
    return [renderer.render(sample_scene(CONFIG, 5, index, body)) for index in range(8)]


def keypoints(annotation):
    return np.array(annotation["keypoints"]).reshape(17, 3)


def test_keypoints_3d_project_onto_keypoints(renderings):
    for rendering in renderings:
        (annotation,) = annotate(rendering)
        points = np.array(annotation["keypoints_3d"])
        flat = keypoints(annotation)
        pixels = rendering.scene.camera.to_pixels(points)
        assert np.abs(pixels - flat[:, :2]).max() < 0.01
        assert set(flat[:, 2]) <= {1, 2}


def test_depth_at_a_visible_joint_is_just_in_front_of_it(renderings):
    """The joint lies inside the limb, so the skin is nearer, by at most the limb's thickness."""
    gaps = []
    for rendering in renderings:
        depth = depth_map(rendering)
        (annotation,) = annotate(rendering)
        for (x, y, v), point in zip(
            keypoints(annotation)[7:], annotation["keypoints_3d"][7:], strict=True
        ):
            seen = depth[min(int(y), 159), min(int(x), 159)] / 1000
            if v == 2 and seen:
                gaps.append(seen - point[2])
    assert len(gaps) > 30
    assert max(gaps) < 0.05


def test_barycentrics_give_the_point_a_sample_sees(renderings):
    for rendering in renderings[:3]:
        g, camera = rendering.gbuffer, rendering.scene.camera
        weights = barycentrics(rendering)
        rows, columns = np.nonzero(g.covered)
        seen = weights[rows, columns]
        assert (weights[~g.covered] == 0).all()
        assert seen.sum(axis=1) == pytest.approx(np.ones(len(seen)))
        assert seen.min() > -1e-2
        corners = rendering.vertices[rendering.mesh.faces[g.faces[rows, columns]]]
        points = np.einsum("nk,nki->ni", seen, corners)
        assert points[:, 2] == pytest.approx(g.depth[rows, columns], abs=2e-3)
        shown = camera.to_pixels(points)
        middle = np.stack([columns, rows], axis=1) / 2 + 0.25 + [g.left, g.top]
        assert shown == pytest.approx(middle, abs=1e-6)


def test_mask_box_and_area_agree(renderings):
    for rendering in renderings:
        (annotation,) = annotate(rendering)
        mask = rle.decode(annotation["segmentation"])
        assert (mask == person_masks(rendering)[0]).all()
        assert annotation["area"] == mask.sum()
        assert annotation["bbox"] == list(rle.toBbox(annotation["segmentation"]))


def test_the_face_is_visible_from_the_front_and_occluded_from_the_back(body, renderer):
    for azimuth, expected in ((0.0, 2), (180.0, 1)):
        config = SceneConfig(
            image_size=256, azimuth=(azimuth, azimuth), elevation=(0, 0), roll=(0, 0), pose="stand",
            backgrounds="#000000", distance=(3, 3),
        )  # fmt: skip
        (annotation,) = annotate(renderer.render(sample_scene(config, 0, 1, body)))
        assert (keypoints(annotation)[:3, 2] == expected).all(), azimuth


def test_a_far_side_joint_is_occluded(body, renderer):
    """Seen from the subject's left, the right arm hanging down is behind the trunk."""
    config = SceneConfig(
        image_size=256, azimuth=(90, 90), elevation=(0, 0), roll=(0, 0), pose="stand",
        backgrounds="#000000", distance=(5, 5),
    )  # fmt: skip
    (annotation,) = annotate(renderer.render(sample_scene(config, 0, 1, body)))
    flags = dict(zip(COCO_KEYPOINTS, keypoints(annotation)[:, 2], strict=True))
    assert flags["left_shoulder"] == flags["left_elbow"] == flags["left_hip"] == 2
    assert flags["right_shoulder"] == flags["right_ear"] == 1


def test_truncated_people_have_joints_outside(body, renderer):
    config = SceneConfig(image_size=160, truncate=1.0, backgrounds="#808080")
    flags = []
    for index in range(12):
        for annotation in annotate(renderer.render(sample_scene(config, 2, index, body))):
            points = keypoints(annotation)
            flags += list(points[:, 2])
            assert (points[points[:, 2] == 0] == 0).all()
            assert (points[:, :2] >= 0).all()
            assert (points[:, :2] <= 160).all()
            assert annotation["num_keypoints"] == (points[:, 2] > 0).sum()
    assert {0, 1, 2} <= set(flags)


def test_drop_labels_occluded_keypoints_with_v_0(renderings):
    for rendering in renderings:
        (kept,), (dropped,) = annotate(rendering), annotate(rendering, occluded="drop")
        flags = keypoints(kept)[:, 2]
        assert (keypoints(dropped)[flags == 1] == 0).all()
        assert (keypoints(dropped)[flags == 2] == keypoints(kept)[flags == 2]).all()
    with pytest.raises(UserError, match="keep, drop"):
        annotate(renderings[0], occluded="maybe")


def test_maps_agree_with_the_mask(renderings):
    for rendering in renderings:
        mask = person_masks(rendering)[0] > 0
        depth, parts, normals = (f(rendering) for f in (depth_map, part_map, normal_map))
        assert ((depth > 0) == mask).all()
        assert ((parts > 0) == mask).all()
        assert parts.max() < len(PARTS)
        n = (normals[mask].astype(float) - 128) / 127
        assert np.abs(np.linalg.norm(n, axis=1) - 1).max() < 0.02
        camera, (y, x) = rendering.scene.camera, np.nonzero(mask)
        rays = np.stack([(x + 0.5 - camera.cx) / camera.fx, (y + 0.5 - camera.cy) / camera.fy,
                         np.ones(len(x))], axis=1)  # fmt: skip
        # The picture's normals have y up and z towards the viewer.
        assert ((n * [1, -1, -1] * rays).sum(axis=1) < 0.05).all(), (
            "a seen surface faces the camera"
        )


def test_parts_cover_the_masks_of_all_people_in_a_crowd_with_occluders(body, renderer):
    config = SceneConfig(
        image_size=96, views=("sphere",), people=(3, 4), spread=0.8, occluders=(2, 3),
        backgrounds="plain",
    )  # fmt: skip
    for index in range(4):
        rendering = renderer.render(sample_scene(config, 6, index, body))
        anybody = sum(person_masks(rendering)) > 0
        assert ((part_map(rendering) > 0) == anybody).all()
        assert (depth_map(rendering)[anybody] > 0).all()


def test_visible_ankle_shows_a_foot_or_lower_leg_nearby(renderings):
    legs = {PARTS.index(f"{s}_{p}") for s in ("left", "right") for p in ("lower_leg", "foot")}
    found = []
    for rendering in renderings:
        parts = part_map(rendering)
        (annotation,) = annotate(rendering)
        for x, y, v in keypoints(annotation)[15:]:
            if v == 2:
                near = parts[max(0, int(y) - 8) : int(y) + 9, max(0, int(x) - 8) : int(x) + 9]
                found.append(legs & set(near.ravel()))
    assert len(found) >= 8
    assert all(found)


def test_stick_figures_show_all_joints_or_only_visible_ones(renderings):
    left_out = 0
    for rendering in renderings:
        (annotation,) = annotate(rendering)
        whole, seen = (
            stick_figure(160, 160, [annotation], visible_only=only).max(axis=2) > 0
            for only in (False, True)
        )
        flat = keypoints(annotation)
        columns, rows = flat[:, :2].astype(int).T
        assert whole[rows, columns].all()
        assert seen[rows, columns][flat[:, 2] == 2].all()
        assert not (seen & ~whole).any()
        left_out += (~seen[rows, columns][flat[:, 2] == 1]).sum()
    assert left_out > 5


def test_pycocotools_reads_the_labels_and_ground_truth_scores_1(renderings, tmp_path):
    images, annotations = [], []
    for index, rendering in enumerate(renderings):
        images.append(image_record(rendering.scene, f"{index}.jpg"))
        annotations += [
            {"id": len(annotations) + 1, "image_id": images[-1]["id"]} | a
            for a in annotate(rendering)
        ]
    path = tmp_path / "gt.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [CATEGORY]})
    )
    for kind in ("keypoints", "segm", "bbox"):
        with redirect_stdout(io.StringIO()):
            truth = COCO(str(path))
            results = [{**a, "score": 1.0} for a in truth.dataset["annotations"]]
            evaluation = COCOeval(truth, truth.loadRes(results), kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        assert evaluation.stats[0] == pytest.approx(1.0)
