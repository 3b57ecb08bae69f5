"""The folder that Hugging Face's `datasets` loads as an imagefolder, with a data card.

https://huggingface.co/docs/datasets/image_dataset: a folder of the split's name holds the pictures
and metadata.jsonl, whose lines name a picture as `file_name`; the people of an image are lists in
its entry `objects`. https://huggingface.co/docs/hub/datasets-cards: README.md begins with YAML.
"""

from collections.abc import Iterator
from typing import Any

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.datasets.chunks import compact_json
from repogen.formats.coco import rounded
from repogen.formats.labelled import LabelledImage, LabelledSet
from repogen.formats.output import Output

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))
"""Categories of size that the Hub knows, by the number of images below which they hold."""


def write_hugging_face(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write train/ with its metadata.jsonl, and README.md."""
    count = people = 0
    with out.text("train/metadata.jsonl") as file:
        for image in images:
            out.place(image, f"train/{image.name}")
            file.write(compact_json(_row(image)) + "\n")
            count, people = count + 1, people + len(image.people)
    out.write("README.md", _card(source, count, people).encode())


def _row(image: LabelledImage) -> dict[str, Any]:
    """An image's line: all lists of `objects` are as long as it has people."""
    return {
        "file_name": image.name,
        "image_id": image.id,
        "width": image.width,
        "height": image.height,
        "objects": {
            "bbox": [rounded(person.box) for person in image.people],
            "area": [round(person.area, 3) for person in image.people],
            "iscrowd": [person.crowd for person in image.people],
            "keypoints": [[rounded(joint) for joint in p.keypoints] for p in image.people],
        },
    }


def _card(source: LabelledSet, count: int, people: int) -> str:
    size = next((name for below, name in _SIZES if count < below), "n>1M")
    licences = "".join(f"- {licence}\n" for licence in source.licences) or "- not known\n"
    return f"""---
pretty_name: People labelled with COCO keypoints
task_categories:
- keypoint-detection
tags:
- human-pose-estimation
size_categories:
- {size}
---

# People labelled with COCO keypoints

{count} images with {people} people, converted by repogen.

```python
from datasets import load_dataset

people = load_dataset("imagefolder", data_dir="FOLDER", split="train")
people[0]["image"], people[0]["objects"]["keypoints"]
```

| column | what it is |
|---|---|
| `image` | the picture |
| `image_id`, `width`, `height` | of the picture |
| `objects.bbox` | x, y, width, height in pixels, for each person |
| `objects.area` | pixels of the person's mask, or an estimate from the box |
| `objects.iscrowd` | whether the box is around a crowd |
| `objects.keypoints` | x, y, v of 17 joints: {", ".join(COCO_KEYPOINTS)} |

Pixel centres are whole numbers, as in COCO. v = 0 not labelled, 1 occluded, 2 visible. Shoulders
and hips are where {_CONVENTIONS[source.label_convention]}.

Licences of what the images show, as far as their source says; choose one before you publish:

{licences}"""


_CONVENTIONS = {
    "annotators": "COCO's annotators click them",
    "anatomical": "the joints' centres are",
}
