"""supervision: score and draw estimated poses of people of repogen.

    python configs/supervision_scores.py people-coco predicted/results.json --draw drawn

`people-coco` is a folder of `repogen convert people people-coco --to coco`, and results.json is of
`repogen predict`, or any file of COCO results with file_name. Needs `pip install supervision`.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import supervision as sv
from supervision.metrics import KeyPointMeanAveragePrecision, MeanAveragePrecision


def key_points(people: list[dict]) -> sv.KeyPoints:
    """COCO annotations or results of one image."""
    if not people:
        return sv.KeyPoints.empty()
    table = np.array([person["keypoints"] for person in people], np.float32).reshape(-1, 17, 3)
    known = {name: np.array([p[name] for p in people]) for name in ("area",) if name in people[0]}
    return sv.KeyPoints(
        xy=table[..., :2],
        visible=table[..., 2] > 0,
        class_id=np.zeros(len(people), int),
        detection_confidence=np.array([p.get("score", 1.0) for p in people], np.float32),
        data=known,
    )


def detections(people: list[dict]) -> sv.Detections:
    """Boxes of the people of one image."""
    if not people:
        return sv.Detections.empty()
    boxes = np.array([person["bbox"] for person in people], np.float32)
    return sv.Detections(
        xyxy=np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1),
        class_id=np.zeros(len(people), int),
        confidence=np.array([p.get("score", 1.0) for p in people], np.float32),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("people", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--draw", type=Path)
    options = parser.parse_args()

    labels = options.people / "annotations" / "person_keypoints.json"
    data = sv.DetectionDataset.from_coco(str(options.people / "images"), str(labels))
    table = json.loads(labels.read_text())
    truth, found = defaultdict(list), defaultdict(list)
    for person in table["annotations"]:
        truth[person["image_id"]].append(person)
    for person in json.loads(options.results.read_text()):
        found[person["file_name"]].append(person)

    poses, boxes = KeyPointMeanAveragePrecision(), MeanAveragePrecision()
    for image in table["images"]:
        own, other = truth[image["id"]], found[image["file_name"]]
        poses.update(key_points(other), key_points(own))
        boxes.update(detections(other), detections(own))
    people = sum(len(annotation) for annotation in data.annotations.values())
    print(f"{len(data)} images, {people} people, {sum(map(len, found.values()))} estimated poses")
    print(f"keypoints: AP {poses.compute().map50_95:.3f}, boxes: AP {boxes.compute().map50_95:.3f}")

    if options.draw:
        options.draw.mkdir(parents=True, exist_ok=True)
        green, red = sv.Color(0, 200, 0), sv.Color(230, 0, 0)
        for image in table["images"]:
            picture = cv2.imread(str(options.people / "images" / image["file_name"]))
            for color, who in (
                (green, truth[image["id"]]), (red, found[image["file_name"]]),
            ):  # fmt: skip
                edges = sv.EdgeAnnotator(color, thickness=1)
                picture = edges.annotate(picture, key_points(who))
            cv2.imwrite(str(options.draw / image["file_name"]), picture)


if __name__ == "__main__":
    main()
