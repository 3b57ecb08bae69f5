"""Poses in pictures and videos of one's own: COCO results, drawings, files for annotators."""

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from tqdm import tqdm

from repogen.coco.crops import Window, cut, shrinkage, shrunk, window_of
from repogen.coco.oks import unsuppressed
from repogen.config import config_from_keywords
from repogen.errors import UserError
from repogen.inference.boxes import Finder, Known, Scored, read_boxes, whole_picture, within
from repogen.inference.cvat import write_cvat
from repogen.inference.drawing import drawings, drawn
from repogen.inference.estimate import Estimator, estimate_crops, person_scores
from repogen.inference.exports import Found, write_people, write_results
from repogen.inference.frames import Frame, Source, list_sources, read_frames
from repogen.inference.label_studio import write_label_studio
from repogen.inference.options import PredictConfig

_BATCH = 32
"""Crops that go through the network together."""

_HELD = 2**28
"""Bytes of pictures that may wait for a batch to fill."""

_MANY = 0.5
"""Share of joints that score too little from which on it is told."""

_MARGIN = 0.1
"""Of the box around joints, as a share of its longer side: the median in PoseFES and COCO."""


def predict(
    inputs: Path | str | Sequence[Path | str],
    out: Path | str = "predicted",
    config: PredictConfig | None = None,
    *,
    weights: Path | str | Estimator,
    **keywords: object,
) -> Path:
    """Find the people in images, folders and videos; writes results.json (COCO results) and what
    the options name into the folder `out`, which it returns.

    `weights` is a run, a folder or file of weights, an ONNX file, or an estimator. The options are
    a `PredictConfig` or its keywords: `predict("photos", weights="run", write="people")`.

    A pose scores its box's score times `person_scores`. Where the whole picture is one person's,
    the box in the results is that of the joints; what a detector found twice is told once.
    Coordinates count from the middle of the first pixel. Raises `UserError` for what cannot be
    read or written, at the end where that is more than 1 % of the files in folders.
    """
    options = config_from_keywords(PredictConfig, config, keywords)
    estimator, model = _estimator(weights)
    out = Path(out)
    several = (inputs,) if isinstance(inputs, Path | str) else inputs
    root, sources = list_sources(tuple(map(Path, several)), out)
    videos = [source for source in sources if source.video]
    if "label-studio" in options.write and videos:
        raise UserError(
            f"--write label-studio takes no video ({videos[0].name}): Label Studio has no joints "
            "in videos; extract the frames, or write cvat"
        )
    find = _finder(options, sources)
    known = find if isinstance(find, Known) else Known({}, {}, {})
    numbers = _numbers(sources, known.ids)
    broken: list[Source] = []
    found: list[Found] = []
    with _kept(out / "results.json", found), drawings(out / "drawn") as draw:
        total = None if videos else len(sources)
        frames = tqdm(
            read_frames(sources, broken, known.sizes), desc="predicting", unit="img", total=total
        )
        for frame, rows, poses in _estimated(estimator, frames, find, options.flip):
            if options.detector:
                rows, poses = _distinct(rows, poses)
            elif find is whole_picture:
                rows = _around(poses, rows, options.joint_score)
            height, width = frame.picture.shape[:2]
            scores = rows[:, 4] * person_scores(poses[:, :, 2])
            number = next(numbers[frame.source])
            where = (frame.source.name, frame.number, number, width, height)
            found.append(Found(*where, poses, rows[:, :4], scores))
            if "drawn" in options.write:
                draw(frame, drawn(frame.picture, poses, rows[:, :4], options.joint_score))
    if "people" in options.write:
        write_people(out / "people.json", found, options.joint_score, f"poses found by {model}")
    if "cvat" in options.write:
        write_cvat(out / "cvat", found, options.joint_score)
    if "label-studio" in options.write:
        write_label_studio(out / "label_studio", found, options.joint_score, root, model)
        _say(
            "Label Studio finds the images with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true, "
            f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root.parent} and {root} as local storage"
        )
    _tell_weak(found, options.joint_score)
    _report(broken, sources, out)
    return out


def _estimator(weights: Path | str | Estimator) -> tuple[Estimator, str]:
    """The estimator that the weights are or are loaded into, and its name for annotators."""
    if not isinstance(weights, Path | str):
        return weights, "repogen"
    from repogen.inference.network import load_estimator  # slow to import

    return load_estimator(Path(weights)), str(weights)


def _tell_weak(found: list[Found], least: float) -> None:
    weak = [(one.keypoints[:, :, 2] < least).mean() for one in found if len(one.keypoints)]
    if weak and np.mean(weak) > _MANY:
        _say(
            f"{np.mean(weak):.0%} of the joints score less than --joint-score {least:g}: they are "
            "neither drawn nor labelled, but in results.json"
        )


@contextmanager
def _kept(path: Path, found: list[Found]) -> Iterator[None]:
    """Writes the poses as COCO results at the end, also where something stops on the way: hours
    of work may be in them."""
    try:
        yield
    except BaseException:
        if found:
            write_results(path, found)
        raise
    write_results(path, found)


def _finder(options: PredictConfig, sources: list[Source]) -> Finder:
    if options.boxes:
        return read_boxes(options.boxes, sources, options.box_score)
    if options.detector:
        from repogen.inference.detector import load_detector

        return load_detector(options.detector, options.box_score)
    return whole_picture


def _estimated(
    estimator: Estimator, frames: Iterable[Frame], find: Finder, flip: bool
) -> Iterator[tuple[Frame, Scored, Float[np.ndarray, "n 17 3"]]]:
    """Each frame with its boxes and their poses; the crops of several fill a batch."""
    waiting: list[tuple[Frame, Scored]] = []

    def poses() -> Iterator[tuple[Frame, Scored, Float[np.ndarray, "n 17 3"]]]:
        windows = [[window_of(row[:4]) for row in rows] for _, rows in waiting]
        crops = (
            crop
            for (frame, _), own in zip(waiting, windows, strict=True)
            for crop in _crops(frame.picture, own)
        )
        batches = estimate_crops(estimator, crops, [*itertools.chain(*windows)], flip, _BATCH)
        together = np.concatenate([np.empty((0, 17, 3)), *batches])
        ends = np.cumsum([len(rows) for _, rows in waiting])
        for (frame, rows), own in zip(waiting, np.split(together, ends[:-1]), strict=True):
            yield frame, rows, own

    for frame in frames:
        height, width = frame.picture.shape[:2]
        waiting.append((frame, within(find(frame), width, height)))
        crops = sum(len(rows) for _, rows in waiting)
        if crops >= _BATCH or sum(f.picture.nbytes for f, _ in waiting) > _HELD:
            yield from poses()
            waiting.clear()
    if waiting:
        yield from poses()


def _crops(
    picture: UInt8[np.ndarray, "h w 3"], windows: list[Window]
) -> Iterator[UInt8[np.ndarray, "256 192 3"]]:
    """RGB crops of a picture, as `read_crop` cuts them from files."""
    smaller = {1: picture}
    for window in windows:
        times = shrinkage(window)
        if times not in smaller:
            smaller[times] = shrunk(picture, times)
        yield cut(smaller[times], window, times)[..., ::-1]


def _around(poses: Float[np.ndarray, "n 17 3"], rows: Scored, least: float) -> Scored:
    """The boxes around the joints that score at least `least`, within the old ones, which stay
    where there are no two joints."""
    out = rows.copy()
    for pose, row in zip(poses, out, strict=True):
        joints = pose[pose[:, 2] >= least, :2]
        if len(joints) > 1:
            low, high = joints.min(axis=0), joints.max(axis=0)
            margin = _MARGIN * (high - low).max()
            low, high = (np.clip(x, 0, row[2:4]) for x in (low - margin, high + margin))
            if (high - low >= 1).all():
                row[:4] = [*low, *(high - low)]
    return out


def _distinct(
    rows: Scored, poses: Float[np.ndarray, "n 17 3"]
) -> tuple[Scored, Float[np.ndarray, "n 17 3"]]:
    """Without those of a detector's boxes that led to the same pose as a better one."""
    scores = rows[:, 4] * person_scores(poses[:, :, 2])
    areas = np.array([np.prod(window_of(row[:4]).size) for row in rows])
    kept = unsuppressed(poses[:, :, :2], scores, areas)
    return rows[kept], poses[kept]


def _numbers(sources: list[Source], ids: Mapping[Source, int]) -> dict[Source, Iterator[int]]:
    """Image ids of each file: those of a COCO file of boxes, else the numbers that all names of
    images consist of, else counted from 1; the frames of a video are counted too."""
    stems = {source: source.path.stem for source in sources}
    if not ids and all(s.isdecimal() and len(s) < 16 for s in stems.values()):
        ids = {source: int(stem) for source, stem in stems.items()}
        ids = ids if len(set(ids.values())) == len(ids) else {}
    counted = itertools.count(max(ids.values(), default=0) + 1)
    return {s: iter([ids[s]]) if s in ids and not s.video else counted for s in sources}


def _report(broken: list[Source], sources: list[Source], out: Path) -> None:
    """Tell of what could not be read in folders; more than 1 % is an error."""
    if not broken:
        return
    many = f"{len(broken)} of {len(sources)} files cannot be read, first {broken[0].path}"
    if len(broken) > 0.01 * len(sources):
        raise UserError(f"{many}; {out} holds what was found in the others")
    _say(many)


def _say(text: str) -> None:
    print(f"repogen: {text}", file=sys.stderr, flush=True)
