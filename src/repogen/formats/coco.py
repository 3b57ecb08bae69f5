"""COCO keypoints, in the folders of COCO and of FiftyOne.

https://cocodataset.org/#format-data and
https://docs.voxel51.com/user_guide/import_datasets.html#cocodetectiondataset: FiftyOne expects the
pictures in `data/` and the labels in `labels.json`; it keeps v as the attribute `visible`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import numpy as np

from repogen.arrays import Float
from repogen.coco.names import CATEGORY
from repogen.datasets.chunks import compact_json
from repogen.files import read_lines
from repogen.formats.labelled import LabelledImage, LabelledPerson, LabelledSet
from repogen.formats.output import Output
from repogen.limits import MAX_LINES


def coco_writer(
    labels: str, pictures: str
) -> Callable[[LabelledSet, Iterator[LabelledImage], Output], None]:
    """A function that writes a COCO file of this name, and the pictures into this folder."""

    def write(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
        with coco_file(out, labels, source, CATEGORY) as file:
            for image in images:
                out.place(image, f"{pictures}/{image.name}")
                file.add(image, [coco_annotation(person) for person in image.people])

    return write


def coco_annotation(
    person: LabelledPerson, keypoints: Float[np.ndarray, "k 3"] | None = None
) -> dict[str, Any]:
    """A COCO annotation without ids, with the person's keypoints or with other ones."""
    joints = person.keypoints if keypoints is None else keypoints
    segmentation = person.record.get("segmentation")
    return {
        "category_id": CATEGORY["id"],
        "iscrowd": int(person.crowd),
        "keypoints": flat_keypoints(joints),
        "num_keypoints": int((joints[:, 2] > 0).sum()),
        "bbox": rounded(person.box),
        "area": round(person.area, 3),
    } | ({"segmentation": segmentation} if segmentation else {})


def flat_keypoints(joints: Float[np.ndarray, "k 3"]) -> list[float]:
    """x, y, v of each joint in one list, v as a whole number; zeros where v is 0."""
    return [
        value for x, y, v in (joints * (joints[:, 2:] > 0)).tolist()
        for value in (round(x, 3), round(y, 3), int(v))
    ]  # fmt: skip


def rounded(values: Float[np.ndarray, " n"]) -> list[float]:
    """The numbers with three decimals."""
    return [round(value, 3) for value in values.tolist()]


class CocoFile:
    """A COCO file that is written image by image: the annotations wait in a file of their own."""

    def __init__(self, images: TextIO, annotations: TextIO) -> None:
        self._images, self._annotations = images, annotations
        self._count = self._people = 0

    def add(self, image: LabelledImage, annotations: list[dict[str, Any]], **more: object) -> None:
        """Add an image, with more entries if given, and its annotations, which lack ids."""
        entry = {
            "id": image.id, "file_name": image.name, "width": image.width, "height": image.height,
        }  # fmt: skip
        self._images.write((",\n" if self._count else "") + compact_json(entry | more))
        self._count += 1
        for annotation in annotations:
            self._people += 1
            ids = {"id": self._people, "image_id": image.id}
            begin = ",\n" if self._people > 1 else ""
            self._annotations.write(begin + compact_json(ids | annotation))


@contextmanager
def coco_file(
    out: Output, name: str, source: LabelledSet, category: dict[str, Any]
) -> Iterator[CocoFile]:
    """A COCO file of this name; it appears when the block succeeds."""
    header = {
        "info": {
            "description": f"Converted by repogen from {source.name}",
            "label_convention": source.label_convention,
        },
        "licenses": [],
        "categories": [category],
    }
    spool = out.root / ".parts" / "annotations"
    with out.text(name) as file:
        begin = ",\n".join(f"{compact_json(k)}:{compact_json(v)}" for k, v in header.items())
        file.write("{" + begin + ',\n"images":[\n')
        with spool.open("w", encoding="utf-8") as annotations:
            yield CocoFile(file, annotations)
        file.write('\n],\n"annotations":[\n')
        file.writelines(read_lines(spool, MAX_LINES))
        file.write("\n]}\n")
