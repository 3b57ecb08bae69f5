"""Photographs and videos without labels: their people are labelled where a network is sure."""

import json
from pathlib import Path

from repogen.coco.annotations import read_person_annotations
from repogen.datasets.sets import split_numbers
from repogen.errors import UserError
from repogen.files import read_regular, sha256_of_bytes, write_atomic
from repogen.inference.frames import list_media
from repogen.inference.predict import predict
from repogen.limits import MAX_INDEX
from repogen.messages import say
from repogen.training.config import TrainConfig
from repogen.training.state import UNLABELED

_AGREEMENT = 0.06
_MIN_SCORE = 0.2
"""Least score of a joint. With these two Thunder's answers taught as much as true labels in a
trial."""

_DONE = "made-from.json"


def label_unlabeled(out: Path, config: TrainConfig) -> tuple[str, ...]:
    """Label the people in the folders of --unlabeled, once; returns a set for each, in the form
    NAME=ANNOTATIONS.json:IMAGES_DIR.

    Raises `UserError` for a folder without pictures, and where the teacher is sure of nobody.
    """
    sets = []
    for number, text in enumerate(config.data.unlabeled, 1):
        source, numbers = split_numbers(text)
        name = UNLABELED + (f"-{number}" if number > 1 else "")
        folder = out / UNLABELED / str(number)
        _label_once(Path(source), folder, config)
        people = read_person_annotations(name, folder / "people.json", folder)
        if not len(people):
            raise UserError(
                f"--unlabeled {source}: {config.labels.teacher} is sure of nobody there; "
                f"{folder / 'drawn'} shows whom it found"
            )
        sets.append(f"{name}={folder / 'people.json'}:{folder / 'images'}{numbers}")
    return tuple(sets)


def _label_once(source: Path, folder: Path, config: TrainConfig) -> None:
    """Write people.json, images/ and drawn/ into the folder, unless an earlier call did from the
    same files."""
    root, files = list_media((source,), folder)
    teacher, every = str(config.labels.teacher), config.data.every
    content = [[file.name, file.path.stat().st_size] for file in files]
    made_from = {
        "teacher": teacher, "every": every, "files": sha256_of_bytes(json.dumps(content).encode()),
    }  # fmt: skip
    if (folder / _DONE).exists():
        if json.loads(read_regular(folder / _DONE, MAX_INDEX)) == made_from:
            return
        raise UserError(
            f"{folder} holds labels of other files, or of another teacher; choose another --out"
        )
    say(f"labelling {len(files)} files of {root} with {teacher}")
    predict(
        source, folder, weights=teacher, agreement=_AGREEMENT, joint_score=_MIN_SCORE,
        rotations=4, every=every, write=("drawn", "people", "images"),
    )  # fmt: skip
    write_atomic(folder / _DONE, json.dumps(made_from).encode())
