"""Small pictures of people with their labels and an estimator's answer, for pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from repogen.arrays import Float, UInt8
from repogen.bodies.skeleton import COCO_SKELETON
from repogen.labels.annotation import visible_keypoints
from repogen.labels.convention import labelled_keypoints
from repogen.labels.maps import person_masks
from repogen.mining.candidates import Task, at_scale, estimator_of, kept, renderer_of, small_scale
from repogen.mining.difficulty import ask
from repogen.mining.spread import map_spread
from repogen.pictures import decode_picture, encode_jpeg
from repogen.scenes.sample.scene import sample_posed_scene

LABEL_COLOR, ANSWER_COLOR = (60, 200, 60), (60, 60, 240)
"""BGR of the labels (green) and of the answer (red)."""

_SIDE = 168
"""Pixels along a side of a picture on a page."""

_MARGIN = 1.35
"""Size of a picture relative to the person's box."""

_QUALITY = 80

_COLUMNS = 6


@dataclass(frozen=True)
class _PictureTask:
    task: Task
    numbers: tuple[int, ...]
    """The index of the person to show of each of the task's scenes."""


def draw_people(shared: Task, people: Sequence[tuple[int, int]], root: Path) -> dict[int, bytes]:
    """JPEG files by scene index of (scene index, person) pairs; `shared` holds the options and the
    estimator, whose indices do not matter. `root` is as for `map_spread`."""
    out: dict[int, bytes] = {}
    tasks = [_task(shared, people[first : first + 8]) for first in range(0, len(people), 8)]
    for found in map_spread(_draw, tasks, root, shared.config, shared.weights[:1]):
        out |= found
    return out


def _task(shared: Task, people: Iterable[tuple[int, int]]) -> _PictureTask:
    indices, numbers = zip(*people, strict=True)
    task = Task(shared.config, shared.judging, shared.weights[:1], shared.sampler, indices)
    return _PictureTask(task, numbers)


def _draw(one: _PictureTask) -> dict[int, bytes]:
    task = one.task
    config = kept(task.config, task.sampler)
    body, renderer = renderer_of(config.people.body, config.people.body_path, config.device)
    out = {}
    for index, number in zip(task.indices, one.numbers, strict=True):
        sampled = sample_posed_scene(config, config.seed, index, body)
        scene = at_scale(sampled.scene, small_scale(task.judging, sampled.scene))
        result = renderer.render(scene, sampled.people)
        mask = person_masks(result)[number] > 0
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = np.array([columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1], dtype=float)
        picture = np.ascontiguousarray(result.image[..., ::-1])
        answer = ask(estimator_of(task.weights[0], config.device), [picture], [box])[0, 0]
        points = labelled_keypoints(result.people[number].body, "annotators")
        points = scene.camera.to_camera(points)
        seen = scene.camera.shows(points) & visible_keypoints(result)[number]
        truth = scene.camera.to_pixels(np.where(seen[:, None], points, [0.0, 0.0, 1.0]))
        truth[~seen] = np.nan
        out[index] = _picture(result.image, box, truth, answer)
    return out


def sheet(pictures: Sequence[bytes]) -> bytes:
    """JPEG files of `draw_people` in rows of six, as one; the rest of the last row is grey."""
    decoded = [decode_picture(np.frombuffer(one, np.uint8)) for one in pictures]
    shown = [picture for picture in decoded if picture is not None]
    columns = min(_COLUMNS, len(shown))
    shown += [np.full_like(shown[0], 40)] * (-len(shown) % columns)
    rows = [np.hstack(shown[first : first + columns]) for first in range(0, len(shown), columns)]
    return encode_jpeg(np.vstack(rows), _QUALITY)


def _picture(
    image: UInt8[np.ndarray, "h w 3"],
    box: Float[np.ndarray, "4"],
    truth: Float[np.ndarray, "17 2"],
    answer: Float[np.ndarray, "17 2"],
) -> bytes:
    """The square around a box, with both poses; joints that are NaN are not drawn."""
    side = _MARGIN * max(box[2:])
    corner = box[:2] + box[2:] / 2 - side / 2
    scale = _SIDE / side
    matrix = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    matrix[:, 2] = (0.5 - corner) * scale - 0.5  # pixel centres
    shown = cv2.warpAffine(
        image, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderValue=(40, 40, 40)
    )
    for pose, color in ((truth, LABEL_COLOR), (answer, ANSWER_COLOR)):
        _draw_pose(shown, (pose - corner) * scale, color)
    return encode_jpeg(shown, _QUALITY)


def _draw_pose(
    picture: UInt8[np.ndarray, "h w 3"], pose: Float[np.ndarray, "17 2"], color: tuple[int, ...]
) -> None:
    known = np.isfinite(pose).all(axis=1)
    ends = np.where(known[:, None], pose, 0.0).clip(-1000, 1000)
    points = [(round(float(16 * x)), round(float(16 * y))) for x, y in ends]
    for a, b in COCO_SKELETON:
        if known[a] and known[b]:
            cv2.line(picture, points[a], points[b], color, 1, cv2.LINE_AA, 4)
    for point in np.flatnonzero(known):
        cv2.circle(picture, points[point], 2 << 4, color, -1, cv2.LINE_AA, 4)
