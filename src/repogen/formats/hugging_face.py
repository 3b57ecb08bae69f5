"""The folder that Hugging Face's `datasets` loads as an imagefolder, with a data card: written, and
read again.

https://huggingface.co/docs/datasets/image_dataset: a folder of the split's name holds the pictures
and metadata.jsonl, whose lines name a picture as `file_name`; the people of an image are lists in
its entry `objects`. https://huggingface.co/docs/hub/datasets-cards: README.md begins with YAML.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.records import numbers
from repogen.datasets.chunks import compact_json
from repogen.errors import UserError
from repogen.files import cannot_read, read_lines, sha256_of
from repogen.formats.coco import rounded
from repogen.formats.labelled import (
    BOX_AREA_SHARE,
    LabelledImage,
    LabelledPerson,
    LabelledSet,
    safe_name,
    visibility,
)
from repogen.formats.output import Output
from repogen.json_files import strict_json
from repogen.limits import MAX_LINES, MAX_OPTIONS
from repogen.pictures import read_header

METADATA = "metadata.jsonl"
CARD = "README.md"

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
label_convention: {source.label_convention}
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


def is_hugging_face(root: Path) -> bool:
    """Whether a folder has a split with a metadata.jsonl."""
    return any(root.glob(f"*/{METADATA}"))


def read_hugging_face(root: Path) -> LabelledSet:
    """The pictures and people that the metadata.jsonl of each split names, train first.

    `objects` needs `keypoints`, 17 of x, y, v for each person; without `bbox` a box is around the
    labelled ones. Raises `UserError` for other lines when images are read.
    """
    splits = sorted(
        root.glob(f"*/{METADATA}"), key=lambda path: (path.parent.name != "train", path)
    )
    digests = [_digest(path) for path in splits]

    def images() -> Iterator[LabelledImage]:
        ids: set[int] = set()
        for path in splits:
            try:
                for number, line in enumerate(read_lines(path, MAX_LINES), start=1):
                    if line.strip():
                        image = _image(line, path, f"{path}: line {number}", len(ids) + 1)
                        if image.id in ids:
                            raise UserError(
                                f"{path}: line {number}: image_id {image.id} is not new"
                            )
                        ids.add(image.id)
                        yield image
            except OSError as error:
                raise cannot_read(path, error) from error
            except UnicodeDecodeError as error:
                raise UserError(f"{path} is not UTF-8 text") from error

    return LabelledSet(str(root), images, None, ",".join(digests), _convention(root / CARD))


def _digest(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise cannot_read(path, error) from error


def _convention(card: Path) -> str:
    """The label convention that a data card names, by default the annotators'."""
    try:
        lines = [line.strip() for line in read_lines(card, MAX_OPTIONS)]
    except (OSError, UnicodeDecodeError):  # a folder needs no card
        return "annotators"
    head = lines[1 : lines.index("---", 1)] if lines[:1] == ["---"] and "---" in lines[1:] else []
    given = dict(line.split(": ", 1) for line in head if ": " in line).get("label_convention")
    return given if given in _CONVENTIONS else "annotators"


def _image(line: str, path: Path, where: str, number: int) -> LabelledImage:
    """The image of a line; `number` is its id where the line has none."""
    try:
        row = strict_json(line.strip())
        name = safe_name(str(row["file_name"]))
        objects = row.get("objects") or {}
        people = _people(objects)
        image_id = row.get("image_id", number)
        if isinstance(image_id, bool) or not isinstance(image_id, int) or image_id < 0:
            raise ValueError(f"image_id {image_id!r} is no whole number")
        width, height = row.get("width"), row.get("height")
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"{where}: {what}") from error
    picture = path.parent / name
    if not (isinstance(width, int) and isinstance(height, int) and min(width, height) > 0):
        header = read_header(picture)
        if header is None:
            raise UserError(f"{picture} is missing or no picture; restore it or remove it")
        width, height = header.size
    # Pictures of another split may have the same name.
    name = name if path.parent.name == "train" else f"{path.parent.name}/{name}"
    return LabelledImage(image_id, name, width, height, people, picture, {})


def _people(objects: dict[str, Any]) -> tuple[LabelledPerson, ...]:
    """The people of `objects`, whose lists are of one length. Raises `KeyError`, `TypeError` and
    `ValueError` for others."""
    keypoints = objects["keypoints"] if objects else []
    for name in ("bbox", "area", "iscrowd"):
        if len(objects.get(name, keypoints)) != len(keypoints):
            raise ValueError(f"objects.{name} and objects.keypoints differ in length")
    people = []
    for i, given in enumerate(keypoints):
        joints = numbers(given, "keypoints")
        if len(joints) != 3 * len(COCO_KEYPOINTS) or not np.isfinite(joints).all():
            raise ValueError(f"keypoints should be x, y, v of {len(COCO_KEYPOINTS)} joints")
        table = joints.reshape(-1, 3).copy()
        table[:, 2] = visibility(table[:, 2])
        table *= table[:, 2:] > 0
        box = numbers(objects["bbox"][i], "bbox") if "bbox" in objects else _box_around(table)
        if len(box) != 4 or not np.isfinite(box).all():
            raise ValueError("bbox should be x, y, width and height")
        area = objects["area"][i] if "area" in objects else box[2] * box[3] * BOX_AREA_SHARE
        crowd = bool(objects["iscrowd"][i]) if "iscrowd" in objects else False
        people.append(LabelledPerson(table, box, float(area), crowd, {}))
    return tuple(people)


def _box_around(table: np.ndarray) -> np.ndarray:
    labelled = table[table[:, 2] > 0, :2]
    if not len(labelled):
        return np.zeros(4)
    low = labelled.min(axis=0)
    return np.concatenate([low, labelled.max(axis=0) - low])
