"""The folders of YOLO-pose as Ultralytics reads them (https://docs.ultralytics.com/datasets/pose).

`data.yaml` names folders of pictures; beside each folder `images` lies a folder `labels` with a
text file for each picture. A line of it is a person: class, the box's centre and size, then x, y, v
of each keypoint; lengths are shares of the picture's width and height. Coordinates are COCO's
divided by the size, as in Ultralytics' own conversion of COCO: pixel centres stay whole numbers.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.crops import FLIP
from repogen.coco.names import coco_joints, id_key, joint_columns, person_name
from repogen.errors import UserError
from repogen.files import cannot_read, read_lines, sha256_of
from repogen.formats.labelled import (
    BOX_AREA_SHARE,
    LabelledImage,
    LabelledPerson,
    LabelledSet,
    safe_name,
    visibility,
)
from repogen.formats.output import Output
from repogen.limits import MAX_LINES, MAX_OPTIONS
from repogen.messages import say
from repogen.pictures import read_header
from repogen.yaml_files import read_yaml

DATA = "data.yaml"

_PICTURES = (".avif", ".bmp", ".heic", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp")
_SPLITS = ("train", "val", "test")
_LARGEST = 100.0
"""Numbers above are pixels, and not shares of the sides."""


def write_yolo(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write images/train/, labels/train/ and, last, data.yaml. Crowds are left out, as in
    Ultralytics' conversion of COCO, and so are people without a box."""
    boxless = 0
    for image in images:
        out.place(image, f"images/train/{image.name}")
        people = [person for person in image.people if not person.crowd]
        lines = [_line(person, image) for person in people if min(person.box[2:]) > 0]
        boxless += len(people) - len(lines)
        out.write(f"labels/train/{image.stem}.txt", "".join(lines).encode())
    if boxless:
        say(f"{boxless} people without a box inside their image are left out")
    out.write(DATA, _data_yaml().encode())


def _line(person: LabelledPerson, image: LabelledImage) -> str:
    size = np.array([image.width, image.height])
    low, sides = person.box[:2], person.box[2:]
    keypoints = person.keypoints.copy()
    keypoints[:, :2] = np.clip(keypoints[:, :2] / size, 0, 1)  # it refuses numbers outside
    box = np.concatenate([(low + sides / 2) / size, sides / size])
    numbers = [f"{value:.6f}" for value in box]
    for x, y, v in keypoints.tolist():
        numbers += [f"{x:.6f}", f"{y:.6f}", f"{v:.0f}"]
    return f"0 {' '.join(numbers)}\n"


def _data_yaml() -> str:
    flipped = ", ".join(map(str, FLIP.tolist()))
    names = "".join(f"    - {name}\n" for name in COCO_KEYPOINTS)
    return (
        "# train and val are folders below this file's own; path: may name another one.\n"
        "train: images/train\n"
        "val: images/train  # name the folder of a held-out set here\n"
        f"kpt_shape: [{len(COCO_KEYPOINTS)}, 3]\n"
        f"flip_idx: [{flipped}]\n"
        "names:\n  0: person\n"
        f"kpt_names:\n  0:\n{names}"
    )


def read_yolo(path: Path) -> LabelledSet:
    """The pictures and labels that a data.yaml names, all of its splits.

    Raises `UserError` for a file that is not of YOLO-pose, for keypoints that are not COCO's 17 and
    not named (`kpt_names`), and, when images are read, for a line that cannot be read.
    """
    data = read_yaml(path)
    if not isinstance(data, dict) or not any(isinstance(data.get(s), str | list) for s in _SPLITS):
        raise UserError(f"{path} names no folder of pictures: it needs train: or val:")
    person, joints, dimensions = _persons_of(data, path)
    named = data.get("kpt_names")
    names = named.get(person) if isinstance(named, dict) else named
    try:
        columns = joint_columns(names if isinstance(names, list) else None)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    if columns is None and joints != len(COCO_KEYPOINTS):
        raise UserError(
            f"{path}: kpt_shape has {joints} keypoints; name them in kpt_names, or give COCO's 17"
        )
    root = path.parent / str(data.get("path") or "")
    if not os.path.isdir(root):
        root = path.parent
    folders = dict.fromkeys(
        str(text)
        for split in _SPLITS
        for text in (data[split] if isinstance(data.get(split), list) else [data.get(split)])
        if text
    )

    def images() -> Iterator[LabelledImage]:
        seen: set[str] = set()
        for folder in folders:
            for picture in _pictures(root / folder, root):
                if str(picture) not in seen:  # validated on what it is trained on
                    seen.add(str(picture))
                    yield _image(picture, root, len(seen), person, (joints, dimensions), columns)

    return LabelledSet(str(path), images, None, sha256_of(path))


def _persons_of(data: dict[str, Any], path: Path) -> tuple[str, int, int]:
    """The class of persons, and the keypoints' number and dimensions."""
    shape = data.get("kpt_shape")
    if not (
        isinstance(shape, list)
        and len(shape) == 2
        and str(shape[0]).isdecimal()
        and str(shape[1]) in ("2", "3")
    ):
        raise UserError(f"{path} needs kpt_shape: [17, 3] (or 2 without visibility)")
    names = data.get("names")
    listed = dict(enumerate(names)) if isinstance(names, list) else names
    classes = listed if isinstance(listed, dict) else {}
    persons = [id_key(k) for k, name in classes.items() if person_name(name)]
    if not persons and len(classes) > 1:
        raise UserError(f"{path}: none of its classes is called person; rename the one of people")
    return (persons or ["0"])[0], int(shape[0]), int(shape[1])


def _pictures(where: Path, root: Path) -> Iterator[Path]:
    """The pictures in a folder and below, sorted, or the ones that a text file lists."""
    if where.suffix == ".txt":
        try:
            for line in read_lines(where, MAX_LINES):
                if line.strip():
                    yield root / line.strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"cannot read {where}: {error}") from error
        return
    if not os.path.isdir(where):
        raise UserError(f"{where}: no such folder; {DATA} names it")
    for folder, below, names in os.walk(where):
        below.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in _PICTURES:
                yield Path(folder, name)


def _image(
    picture: Path,
    root: Path,
    number: int,
    person: str,
    shape: tuple[int, int],
    columns: list[int] | None,
) -> LabelledImage:
    header = read_header(picture)
    if header is None:
        raise UserError(f"{picture} is missing or no picture; restore it or remove it")
    labels = _labels_of(picture)
    people = []
    if os.path.lexists(labels):
        try:
            for line in read_lines(labels, MAX_OPTIONS):
                words = line.split()
                if words and id_key(float(words[0])) == person:
                    values = np.array(words[1:], dtype=np.float64)
                    people.append(_person(values, shape, columns, header.size))
        except OSError as error:
            raise cannot_read(labels, error) from error
        except ValueError as error:
            raise UserError(f"{labels}: {error}") from error
    below = picture.relative_to(root) if picture.is_relative_to(root) else Path(picture.name)
    parts = [part for part in below.parts if part != "images"]
    return LabelledImage(
        number, safe_name("/".join(parts)), *header.size, tuple(people), picture, {}
    )


def _labels_of(picture: Path) -> Path:
    """The text file of a picture: in its path the last folder `images` is `labels`."""
    parts = list(picture.parts)
    for i in reversed(range(len(parts) - 1)):
        if parts[i] == "images":
            parts[i] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _person(
    values: Float[np.ndarray, " n"],
    shape: tuple[int, int],
    columns: list[int] | None,
    size: tuple[int, int],
) -> LabelledPerson:
    joints, dimensions = shape
    if len(values) != 4 + joints * dimensions:
        raise ValueError(
            f"{1 + len(values)} numbers; a person has {5 + joints * dimensions}: class, box, and "
            f"{dimensions} for each of {joints} keypoints"
        )
    if not np.isfinite(values).all():
        raise ValueError("a number is not finite")
    if np.abs(values).max() > _LARGEST:
        raise ValueError(
            f"{np.abs(values).max():g} is no share of the picture's width or height; divide pixels "
            "by them"
        )
    center, sides = values[:2] * size, values[2:4] * size
    points = values[4:].reshape(joints, dimensions)
    v = (
        visibility(points[:, 2:])
        if dimensions == 3
        else 2.0 * (points > 0).all(axis=1, keepdims=True)
    )
    table = np.column_stack([points[:, :2] * size, v]) * (v > 0)
    box = np.concatenate([center - sides / 2, sides])
    area = BOX_AREA_SHARE * float(sides.prod())
    return LabelledPerson(
        coco_joints(table.ravel().tolist(), columns, joints), box, area, False, {}
    )
