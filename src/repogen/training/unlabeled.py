"""Pseudo-labels: people in photographs and videos, labelled where a network is sure of them."""

import json
from pathlib import Path

from repogen.coco.annotations import read_person_annotations
from repogen.datasets.sets import split_numbers
from repogen.errors import UserError
from repogen.files import exclusive, sha256_of_bytes, write_atomic
from repogen.inference.config import PredictConfig
from repogen.inference.frames import list_media
from repogen.inference.predict import predict
from repogen.json_files import read_json
from repogen.messages import say
from repogen.training.config import TrainConfig
from repogen.training.state import MADE_FROM, UNLABELED, check_run_folder

SURE = {"agreement": 0.06, "joint_score": 0.2, "rotations": 4}
"""Options of `repogen predict` that keep what a network is sure of (our choice)."""


def label_unlabeled(out: Path, config: TrainConfig) -> tuple[str, ...]:
    """Label the people in the folders of --unlabeled, once; returns a set for each, in the form
    NAME=ANNOTATIONS.json:IMAGES_DIR.

    Raises `UserError` for a folder without pictures, where the teacher is sure of nobody, and where
    a run may not write into `out`.
    """
    if config.data.unlabeled:
        check_run_folder(out)
    sets = []
    for number, text in enumerate(config.data.unlabeled, 1):
        parts, numbers = split_numbers(text)
        source, folder = Path(":".join(parts)), out / UNLABELED / str(number)
        name = UNLABELED + (f"-{number}" if number > 1 else "")
        labels = _label_once(source, folder, config)
        if not len(read_person_annotations(name, labels, folder)):
            raise UserError(
                f"--unlabeled {source}: {config.labels.teacher} is sure of nobody there; "
                f"{folder / 'drawn'} shows whom it found"
            )
        sets.append(":".join([f"{name}={labels}", str(folder / "images"), *numbers]))
    return tuple(sets)


def _label_once(source: Path, folder: Path, config: TrainConfig) -> Path:
    """The COCO file of labels in the folder, beside images/ and drawn/; made unless an earlier call
    made it from the same files."""
    root, files = list_media((source,), folder)
    teacher, step = str(config.labels.teacher), config.data.frame_step
    content = json.dumps([[file.name, file.path.stat().st_size] for file in files])
    made_from = {
        "teacher": teacher, "frame_step": step, "files": sha256_of_bytes(content.encode()),
    }  # fmt: skip
    marker, labels = folder / MADE_FROM, folder / "people.json"
    if marker.exists() and read_json(marker) != made_from:
        raise UserError(
            f"{folder} holds labels of other files, or of another teacher; choose another --out"
        )
    if labels.exists():  # predict writes it last
        return labels
    with exclusive(folder.with_suffix(".lock"), folder):
        write_atomic(marker, json.dumps(made_from).encode())
        say(f"labelling {len(files)} files of {root} with {teacher}")
        write = ("drawn", "people", "images")
        options = PredictConfig(**SURE, frame_step=step, write=write)
        predict(source, folder, options, weights=teacher)
    return labels
