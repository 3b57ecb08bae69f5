"""Synthetic sets, estimates of their poses, and the scores that pycocotools gives them."""

import io
import json
from contextlib import redirect_stdout

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from repogen.bodies import COCO_KEYPOINTS
from repogen.inference.estimate import Estimates


@pytest.fixture(scope="session")
def made_up():
    return _made_up


@pytest.fixture(scope="session")
def guesses():
    return _guesses


@pytest.fixture(scope="session")
def pycocotools():
    return _pycocotools


def _made_up(rng, folder, images=12):
    """A COCO file of crowded images: crowds, unlabelled people, all area ranges, shuffled ids."""
    ids = rng.permutation(images) + 10
    entries = [{"id": int(i), "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in ids]
    annotations = []
    for image in entries:
        for _ in range(int(rng.integers(0, 6))):
            side = float(rng.choice([20, 60, 150, 300]))
            x, y = rng.uniform(-side / 3, 640 - side), rng.uniform(-side / 3, 480 - side / 2)
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
        "images": entries,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}],
    }
    path = folder / "made_up.json"
    path.write_text(json.dumps(data))
    return path


def _guesses(rng, people):
    """Poses with errors of all sizes; some persons have two or none, some poses are of nobody."""
    rows, images = [], []
    for person in range(len(people)):
        side = float(people.boxes[person, 2:].max())
        for _ in range(int(rng.integers(0, 3))):
            noise = side * float(rng.choice([0.005, 0.03, 0.1, 0.3]))
            truth = people.keypoints[person, :, :2]
            if not truth.any():
                truth = rng.uniform(0, 400, (17, 2))
            rows.append(truth + rng.normal(0, noise, (17, 2)))
            images.append(people.image[person])
    for _ in range(5):
        rows.append(rng.uniform(0, 480, (17, 2)))
        images.append(int(rng.integers(len(people.files))))
    images += [people.image[0]] * 24  # more than the twenty that COCO counts
    rows += list(people.keypoints[0, :, :2] + rng.normal(0, 3, (24, 17, 2)))
    order = rng.permutation(len(rows))
    points = np.array(rows)[order].round(3)
    return Estimates(
        keypoints=np.concatenate([points, np.ones((len(points), 17, 1))], axis=2),
        scores=rng.random(len(points)).round(2),  # with ties
        image=np.array(images)[order],
        person=np.full(len(points), -1),
        kept=np.ones(len(points), dtype=bool),
    )


def _pycocotools(path, people, estimates):
    from repogen.evaluation.report import coco_results

    with redirect_stdout(io.StringIO()):
        coco = COCO(path)
        results = json.loads(json.dumps(coco_results(people, estimates)))
        evaluation = COCOeval(coco, coco.loadRes(results), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ("AP", "AP50", "AP75", "APM", "APL", "AR")
    return dict(zip(names, evaluation.stats, strict=False))
