"""Our average precision against pycocotools', to the last digits, on hard made-up cases."""

import io
import json
from contextlib import redirect_stdout

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from repogen.bodies import COCO_KEYPOINTS
from repogen.datasets.people import read_people
from repogen.evaluation.scores import Estimates, evaluate_estimates


def made_up(rng, folder):
    """Crowded images with crowds, unlabelled people and sizes of all ranges."""
    images = [
        {"id": 10 + i, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in range(12)
    ]
    annotations = []
    for image in images:
        for _ in range(int(rng.integers(0, 6))):
            side = float(rng.choice([20, 60, 150, 300]))
            x, y = rng.uniform(0, 640 - side), rng.uniform(0, 480 - side)
            keypoints = np.zeros((17, 3))
            keypoints[:, :2] = rng.uniform([x, y], [x + side, y + side], (17, 2)).round(2)
            keypoints[:, 2] = rng.choice([0, 1, 2], 17, p=[0.3, 0.2, 0.5])
            if rng.random() < 0.15:
                keypoints[:] = 0
            keypoints[keypoints[:, 2] == 0] = 0
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": image["id"], "category_id": 1,
                    "bbox": [x, y, side, side], "area": side * side * 0.6,
                    "iscrowd": int(rng.random() < 0.1), "keypoints": keypoints.ravel().tolist(),
                    "num_keypoints": int((keypoints[:, 2] > 0).sum()),
                }
            )  # fmt: skip
    data = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}],
    }
    path = folder / "made_up.json"
    path.write_text(json.dumps(data))
    return path, data


def guesses(rng, people):
    """Poses near and far from the truth, some twice, some of nobody."""
    rows, images = [], []
    for person in range(len(people)):
        for _ in range(int(rng.integers(0, 3))):
            noise = float(rng.choice([1, 4, 15, 60]))
            truth = people.keypoints[person, :, :2]
            if not truth.any():
                truth = rng.uniform(0, 400, (17, 2))
            rows.append(truth + rng.normal(0, noise, (17, 2)))
            images.append(people.image[person])
    for _ in range(5):
        rows.append(rng.uniform(0, 480, (17, 2)))
        images.append(int(rng.integers(len(people.files))))
    order = rng.permutation(len(rows))
    points = np.array(rows)[order].round(3)
    return Estimates(
        keypoints=np.concatenate([points, np.ones((len(points), 17, 1))], axis=2),
        scores=rng.random(len(points)).round(2),  # with ties
        image=np.array(images)[order],
        person=np.full(len(points), -1),
    )


def theirs(path, people, estimates):
    results = [
        {
            "image_id": int(people.image_ids[image]),
            "category_id": 1,
            "keypoints": points.ravel().tolist(),
            "score": float(score),
        }
        for points, score, image in zip(
            estimates.keypoints, estimates.scores, estimates.image, strict=True
        )
    ]
    with redirect_stdout(io.StringIO()):
        coco = COCO(path)
        evaluation = COCOeval(coco, coco.loadRes(results), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ("AP", "AP50", "AP75", "APM", "APL", "AR")
    return dict(zip(names, evaluation.stats, strict=False))


@pytest.mark.parametrize("seed", range(8))
def test_average_precision_is_pycocotools(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path, _ = made_up(rng, tmp_path)
    people = read_people("made up", path, tmp_path)
    estimates = guesses(rng, people)
    ours = evaluate_estimates(people, estimates, draws=0)
    reference = theirs(path, people, estimates)
    assert reference["AP"] > 0.02
    for name, value in reference.items():
        assert ours[name].value == pytest.approx(value, abs=1e-12), name
