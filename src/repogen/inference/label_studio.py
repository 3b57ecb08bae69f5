"""Export to Label Studio: pre-annotated tasks and the labelling configuration.

The formats follow https://labelstud.io/guide/predictions and the tags RectangleLabels and
KeyPointLabels; the parentID of a keypoint is the id of its box.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.inference.drawing import joint_colors
from repogen.inference.exports import ExportedPerson, FramePoses, exported_persons
from repogen.outputs import OutputFolder


def write_label_studio(
    out: OutputFolder,
    folder: Path,
    found: list[FramePoses],
    min_score: float,
    root: Path,
    model: str,
) -> None:
    """Write config.xml (paste it into a project's labelling interface) and tasks.json (import it).

    The images are served from a local storage, the folder `root`; Label Studio's document root
    must be its parent. Joints that score less than `min_score` are left out.
    """
    out.write_text(folder / "config.xml", labelling_config())
    paths = [os.fsencode(f"{root.name}/{f.name}".strip("/")) for f in found]
    tasks = [
        {
            "data": {"image": f"/data/local-files/?d={quote(path)}"},
            "predictions": [_prediction(f, list(exported_persons(f, min_score)), model)],
        }
        for f, path in zip(found, paths, strict=True)
    ]
    out.write_text(folder / "tasks.json", [json.dumps(tasks, indent=1), "\n"])


def labelling_config() -> Iterator[str]:
    """The labelling configuration: a rectangle label, and a keypoint label for each joint with
    its COCO index, which Label Studio's COCO and YOLO exports use."""
    yield '<View>\n  <Image name="image" value="$image" zoom="true"/>\n'
    yield '  <RectangleLabels name="box" toName="image">\n'
    yield '    <Label value="person" background="#3399ff"/>\n  </RectangleLabels>\n'
    yield '  <KeyPointLabels name="joint" toName="image">\n'
    for k, (name, color) in enumerate(zip(COCO_KEYPOINTS, joint_colors(), strict=True)):
        yield f'    <Label value="{name}" background="{color}" model_index="{k}"/>\n'
    yield "  </KeyPointLabels>\n</View>\n"


def _prediction(f: FramePoses, people: list[ExportedPerson], model: str) -> dict[str, Any]:
    mean = sum(p.score for p in people) / len(people) if people else 0.0
    result = [region for k, person in enumerate(people, 1) for region in _regions(f, k, person)]
    return {"model_version": model, "score": round(mean, 6), "result": result}


def _regions(f: FramePoses, number: int, person: ExportedPerson) -> Iterator[dict[str, Any]]:
    """The box and the joints of a person; all lengths in percent of the image."""
    common = {
        "to_name": "image",
        "original_width": f.width,
        "original_height": f.height,
        "image_rotation": 0,
    }
    x, y, w, h = person.box
    yield common | {
        "id": f"person{number}",
        "type": "rectanglelabels",
        "from_name": "box",
        "score": person.score,
        "value": {
            "x": _percent(x, f.width),
            "y": _percent(y, f.height),
            "width": _percent(w, f.width),
            "height": _percent(h, f.height),
            "rotation": 0,
            "rectanglelabels": ["person"],
        },
    }
    for name, (x, y, score), labelled in zip(
        COCO_KEYPOINTS, person.keypoints.tolist(), person.labelled, strict=True
    ):
        if labelled:
            yield common | {
                "id": f"person{number}_{name}",
                "parentID": f"person{number}",
                "type": "keypointlabels",
                "from_name": "joint",
                "score": round(score, 6),
                "value": {
                    "x": _percent(x + 0.5, f.width),
                    "y": _percent(y + 0.5, f.height),
                    "width": 0.5,
                    "keypointlabels": [name],
                },
            }


def _percent(length: float, whole: int) -> float:
    return round(min(max(100 * length / whole, 0.0), 100.0), 4)
