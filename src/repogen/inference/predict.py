"""Poses in pictures and videos of one's own: COCO results and drawings."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from tqdm import tqdm

from repogen.appearance.backgrounds import IMAGE_SUFFIXES
from repogen.datasets.crops import cut, window_of
from repogen.datasets.folder import encode_jpeg, write_whole
from repogen.errors import UserError
from repogen.inference.estimate import Estimator, estimate_crops, person_scores
from repogen.labels.stick import draw_skeleton

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")

SEEN = 0.3
"""Joints that score less are not drawn."""


@dataclass(frozen=True)
class Frame:
    """A picture to look at: an image file, or one of a video."""

    source: Path
    number: int
    """Of a video's frame, from 0; -1 for an image."""
    picture: UInt8[np.ndarray, "h w 3"]
    """BGR."""


def predict(
    estimator: Estimator, inputs: tuple[Path, ...], out: Path, boxes: Path | None = None
) -> Path:
    """Write results.json (COCO results) and drawn/ for images, folders and videos; returns it.

    `boxes` is a COCO file or a list of detections (file_name or image_id, bbox, score); without
    it the whole picture is one person's box. Raises `UserError` for what cannot be read.
    """
    known = read_boxes(boxes) if boxes else None
    files = _files(inputs)
    results: list[dict[str, Any]] = []
    drawn = out / "drawn"
    writers: dict[Path, cv2.VideoWriter] = {}
    try:
        for frame in tqdm(_frames(files), desc="predicting", unit="img"):
            found = _boxes_of(frame, known)
            poses = _poses(estimator, frame.picture, found)
            scores = person_scores(poses[:, :, 2])
            for pose, box, score in zip(poses, found, scores, strict=True):
                results.append(_result(frame, pose, box, float(score)))
            picture = frame.picture.copy()
            for pose in poses:
                marked = pose.copy()
                marked[:, 2] = np.where(pose[:, 2] >= SEEN, 2, 0)
                draw_skeleton(picture, marked.ravel().tolist(), max(1, picture.shape[0] // 250))
            if frame.number < 0:
                write_whole(drawn / f"{frame.source.stem}.jpg", encode_jpeg(picture))
            else:
                _writer(writers, drawn, frame).write(picture)
    finally:
        for writer in writers.values():
            writer.release()
    write_whole(out / "results.json", (json.dumps(results) + "\n").encode())
    return out


def read_boxes(path: Path) -> dict[str, list[list[float]]]:
    """Boxes by file name, from a COCO file or a list of detections with file names."""
    try:
        data = json.loads(path.read_text())
        if isinstance(data, dict):
            names = {image["id"]: Path(image["file_name"]).name for image in data["images"]}
            rows = [(names[a["image_id"]], a["bbox"]) for a in data["annotations"]]
        else:
            rows = [(Path(d["file_name"]).name, d["bbox"]) for d in data]
    except OSError as error:
        raise UserError(f"cannot read --boxes {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"--boxes {path} is neither a COCO file nor a list of file_name and bbox: {error!r}"
        ) from error
    out: dict[str, list[list[float]]] = {}
    for name, box in rows:
        out.setdefault(name, []).append([float(v) for v in box])
    return out


def _files(inputs: tuple[Path, ...]) -> list[Path]:
    out = []
    for path in inputs:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
            if not inside:
                raise UserError(f"{path} holds no images")
            out += inside
        elif path.is_file():
            out.append(path)
        else:
            raise UserError(f"no file or folder {path}")
    return out


def _frames(files: list[Path]) -> Iterator[Frame]:
    for path in files:
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if picture is None:
                raise UserError(f"{path} cannot be read as an image")
            yield Frame(path, -1, picture)
            continue
        video = cv2.VideoCapture(str(path))
        number = 0
        while True:
            there, picture = video.read()
            if not there:
                break
            yield Frame(path, number, picture)
            number += 1
        video.release()
        if number == 0:
            raise UserError(f"{path} cannot be read as a video")


def _boxes_of(frame: Frame, known: dict[str, list[list[float]]] | None) -> Float[np.ndarray, "n 4"]:
    height, width = frame.picture.shape[:2]
    if known is None:
        return np.array([[0.0, 0.0, width, height]])
    return np.array(known.get(frame.source.name, []), dtype=float).reshape(-1, 4)


def _poses(
    estimator: Estimator, picture: UInt8[np.ndarray, "h w 3"], boxes: Float[np.ndarray, "n 4"]
) -> Float[np.ndarray, "n 17 3"]:
    windows = [window_of(box) for box in boxes]
    crops = (cut(picture, window)[..., ::-1] for window in windows)
    return np.concatenate([np.empty((0, 17, 3)), *estimate_crops(estimator, crops, windows)])


def _result(
    frame: Frame, pose: Float[np.ndarray, "17 3"], box: Float[np.ndarray, "4"], score: float
) -> dict[str, Any]:
    out: dict[str, Any] = {"file_name": frame.source.name}
    if frame.number >= 0:
        out["frame"] = frame.number
    stem = frame.source.stem
    out["image_id"] = int(stem) if stem.isdigit() else stem
    return out | {
        "category_id": 1,
        "keypoints": np.round(pose, 3).ravel().tolist(),
        "bbox": np.round(box, 2).tolist(),
        "score": round(score, 6),
    }


def _writer(writers: dict[Path, cv2.VideoWriter], folder: Path, frame: Frame) -> cv2.VideoWriter:
    if frame.source not in writers:
        folder.mkdir(parents=True, exist_ok=True)
        rate = cv2.VideoCapture(str(frame.source)).get(cv2.CAP_PROP_FPS) or 25.0
        height, width = frame.picture.shape[:2]
        writers[frame.source] = cv2.VideoWriter(
            str(folder / f"{frame.source.stem}.mp4"),
            cv2.VideoWriter.fourcc(*"mp4v"),
            rate,
            (width, height),
        )
    return writers[frame.source]
