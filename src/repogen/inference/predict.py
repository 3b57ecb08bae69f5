"""Estimating poses in a user's images and videos: COCO results, drawings, files for annotators."""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tqdm import tqdm

from repogen.arrays import Float, UInt8
from repogen.coco.crops import Window, box_to_window, downsample_factor, warp_crop
from repogen.coco.oks import oks_nms
from repogen.config import config_from_keywords
from repogen.errors import UserError
from repogen.files import cannot_read, read_regular
from repogen.inference.agreement import estimate_agreed
from repogen.inference.boxes import (
    FileBoxes,
    PersonDetector,
    ScoredBoxes,
    clip_boxes,
    read_boxes,
    whole_image_box,
)
from repogen.inference.config import PredictConfig
from repogen.inference.cvat import write_cvat
from repogen.inference.detector import MIN_SCORE
from repogen.inference.drawing import draw_poses, drawn_path, frame_writer
from repogen.inference.estimate import (
    Estimator,
    estimate_boxes,
    person_scores,
    picture_named,
)
from repogen.inference.exports import FramePoses, image_name, write_people, write_results
from repogen.inference.frames import Frame, MediaFile, list_media, read_frames
from repogen.inference.label_studio import write_label_studio
from repogen.limits import MAX_PICTURE
from repogen.messages import say
from repogen.outputs import OutputFolder
from repogen.pictures import downsample, encode_jpeg, picture_problem

_BATCH = 32
"""Crops per batch of the network."""

_MAX_WAITING_BYTES = 2**28
"""Bytes of images that may wait for a batch to fill."""

_WEAK_SHARE = 0.5
"""Warn above this share of weak joints."""

_BOX_MARGIN = 0.1
"""Margin of the box around joints, as a share of its longer side: the median in PoseFES and
COCO."""


def predict(
    inputs: Path | str | Sequence[Path | str],
    out: Path | str = "predicted",
    config: PredictConfig | None = None,
    *,
    weights: Path | str | Estimator = "rare-thunder",
    **keywords: object,
) -> Path:
    """Estimate the poses in images, folders and videos; returns the folder `out`.

    `weights` is the name of weights that come with repogen (`PACKAGED`), a run, a folder or file of
    weights, an ONNX file, or an estimator. The options are a `PredictConfig` or its keywords:
    `predict("photos", write="cvat")`.

    Writes results.json (COCO results) and what `options.write` names into `out`. Coordinates are
    pixels; (0, 0) is the first pixel's centre. A pose scores its box's score times
    `person_scores`. With the detector none the whole image is one person's box, and the box in the
    results is that of the joints. Of a detector's boxes with similar poses only the best is kept
    (OKS-NMS).

    Raises `UserError` for inputs that cannot be read, files that cannot be written, and files in
    `out` that are not of an earlier call; for more
    than 1 % unreadable files in folders only at the end.

    >>> repogen.predict("people/images", "predicted")
    PosixPath('predicted')
    """
    options = config_from_keywords(PredictConfig, config, keywords)
    estimator, model = _estimator(weights, options.timeout)
    out = Path(out)
    several = (inputs,) if isinstance(inputs, Path | str) else inputs
    root, sources = list_media(tuple(map(Path, several)), out)
    videos = [source for source in sources if source.is_video]
    if "label-studio" in options.write and videos:
        raise UserError(
            f"--write label-studio cannot take videos ({videos[0].name}): Label Studio has no "
            "keypoints in videos; extract the frames, or use --write cvat"
        )
    written = OutputFolder(out, "predict")
    written.check(*_paths(out, options.write, sources))
    detect = _person_detector(options, sources)
    say(f"weights {model}, {_source_of_boxes(options)}")
    file_boxes = detect if isinstance(detect, FileBoxes) else FileBoxes({}, {}, {})
    numbers = _image_ids(sources, file_boxes.ids)
    broken: list[MediaFile] = []
    found: list[FramePoses] = []
    with _save_results(written, found), frame_writer(written, out / "drawn") as draw:
        total = None if videos else len(sources)
        frames = tqdm(
            read_frames(
                sources, broken, file_boxes.sizes, file_boxes.as_stored, options.frame_step
            ),
            desc="predicting",
            unit="img",
            total=total,
        )
        for frame, rows, poses in _estimate_frames(estimator, frames, detect, options):
            if detect is whole_image_box:
                rows = _boxes_around_joints(poses, rows, options.joint_score)
            elif not isinstance(detect, FileBoxes):
                rows, poses = _without_duplicates(rows, poses)
            height, width = frame.image.shape[:2]
            scores = rows[:, 4] * person_scores(poses[:, :, 2])
            number = next(numbers[frame.source])
            name = frame.source.name
            found.append(
                FramePoses(name, frame.number, number, width, height, poses, rows[:, :4], scores)
            )
            if "images" in options.write and (poses[:, :, 2] >= options.joint_score).any():
                written.write(out / "images" / found[-1].file_name, _image_bytes(frame))
            if "drawn" in options.write:
                draw(frame, draw_poses(frame.image, poses, rows[:, :4], options.joint_score))
    if "people" in options.write:
        info = f"poses found by {model}"
        write_people(written, out / "people.json", found, options.joint_score, info)
    if "cvat" in options.write:
        write_cvat(written, out / "cvat", found, options.joint_score)
    if "label-studio" in options.write:
        folder = out / "label_studio"
        write_label_studio(written, folder, found, options.joint_score, root, model)
        say(
            "to show the images in Label Studio, set LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true "
            f"and LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root.parent}, and add {root} as local "
            "storage"
        )
    _say_where_nobody_is(found)
    if options.agreement is None:
        _warn_weak_joints(found, options.joint_score)
    else:
        _say_what_is_kept(found)
    _check_unreadable(broken, sources, out)
    return out


def _estimator(weights: Path | str | Estimator, timeout: float) -> tuple[Estimator, str]:
    """The estimator that the weights are or are loaded into, and its name for annotators."""
    if not isinstance(weights, Path | str):
        return weights, "repogen"
    from repogen.inference.network import load_estimator  # slow to import

    return load_estimator(Path(weights), timeout=timeout), str(weights)


def _image_bytes(frame: Frame) -> bytes:
    """The file of an image as it is, or a frame of a video as JPEG."""
    if frame.number >= 0:
        return encode_jpeg(frame.image)
    try:
        return read_regular(frame.source.path, MAX_PICTURE)
    except OSError as error:
        raise cannot_read(frame.source.path, error) from error


def _say_where_nobody_is(found: list[FramePoses]) -> None:
    empty = [poses for poses in found if not len(poses.keypoints)]
    if empty:
        frame = f", frame {empty[0].frame}" if empty[0].frame >= 0 else ""
        say(f"no person found in {len(empty)} of {len(found)} images, first {empty[0].name}{frame}")


def _say_what_is_kept(found: list[FramePoses]) -> None:
    scores = np.concatenate([f.keypoints[:, :, 2] for f in found]) if found else np.empty((0, 17))
    kept = scores[(scores > 0).any(axis=1)]
    share = f", {(kept > 0).mean():.0%} of their joints" if len(kept) else ""
    say(f"agreement: kept {len(kept)} of {len(scores)} people{share}")


def _warn_weak_joints(found: list[FramePoses], min_score: float) -> None:
    weak = [(f.keypoints[:, :, 2] < min_score).mean() for f in found if len(f.keypoints)]
    if weak and np.mean(weak) > _WEAK_SHARE:
        say(
            f"{np.mean(weak):.0%} of the joints score less than --joint-score {min_score:g}: they "
            "are in results.json, but neither drawn nor labelled"
        )


def _paths(out: Path, write: Collection[str], sources: list[MediaFile]) -> Iterator[Path]:
    """The files that are written into the folder `out`."""
    videos = [source.name for source in sources if source.is_video]
    yield out / "results.json"
    if "drawn" in write:
        yield from (drawn_path(out / "drawn", source) for source in sources)
    if "people" in write:
        yield out / "people.json"
    if "images" in write:
        yield from (out / "images" / image_name(s.name, -1) for s in sources if not s.is_video)
    if "cvat" in write:
        yield out / "cvat" / "labels.json"
        yield from (out / "cvat" / f"{name}.xml" for name in ("images", *videos))
    if "label-studio" in write:
        yield from (out / "label_studio" / name for name in ("config.xml", "tasks.json"))


@contextmanager
def _save_results(out: OutputFolder, found: list[FramePoses]) -> Iterator[None]:
    """Write the poses as COCO results at the end, also after an error: hours of work may be in
    them."""
    path = out.root / "results.json"
    try:
        yield
    except BaseException:
        if found:
            write_results(out, path, found)
        raise
    write_results(out, path, found)


def _source_of_boxes(options: PredictConfig) -> str:
    return f"boxes {options.boxes}" if options.boxes else f"detector {_detector_name(options)}"


def _detector_name(options: PredictConfig) -> str:
    return options.detector or "multipose"


def _person_detector(options: PredictConfig, sources: list[MediaFile]) -> PersonDetector:
    if options.boxes:
        min_score = MIN_SCORE if options.box_score is None else options.box_score
        return read_boxes(options.boxes, sources, min_score)
    if options.detector == "none":
        return whole_image_box
    from repogen.inference.detector import load_detector

    return load_detector(_detector_name(options), options.box_score, timeout=options.timeout)


def _estimate_frames(
    estimator: Estimator,
    frames: Iterable[Frame],
    detect: PersonDetector,
    options: PredictConfig,
) -> Iterator[tuple[Frame, ScoredBoxes, Float[np.ndarray, "n 17 3"]]]:
    """Each frame with its boxes and their poses; a batch holds the crops of several frames."""
    waiting: list[tuple[Frame, ScoredBoxes]] = []

    def poses() -> Iterator[tuple[Frame, ScoredBoxes, Float[np.ndarray, "n 17 3"]]]:
        counts = [len(rows) for _, rows in waiting]
        cutters = [_Cutter(frame.image) for frame, _ in waiting]
        owners = np.repeat(np.arange(len(waiting)), counts)

        def cut(i: int, window: Window, crop: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
            return cutters[owners[i]].cut(window, crop)

        boxes = [row[:4] for _, rows in waiting for row in rows]
        names = [frame.source.name for frame, rows in waiting for _ in rows]
        if options.agreement is None:
            batches = estimate_boxes(
                estimator, boxes, cut, options.flip, options.rotations, _BATCH, names
            )
        else:
            batches = estimate_agreed(
                estimator, boxes, cut, options.agreement, options.joint_score,
                options.rotations, _BATCH, names,
            )  # fmt: skip
        all_poses = np.concatenate([np.empty((0, 17, 3)), *batches])
        parts = np.split(all_poses, np.cumsum(counts)[:-1])
        for (frame, rows), frame_poses in zip(waiting, parts, strict=True):
            yield frame, rows, frame_poses

    for frame in frames:
        height, width = frame.image.shape[:2]
        with picture_named(frame.source.name):
            rows = detect(frame)
        waiting.append((frame, clip_boxes(rows, width, height)))
        crops = sum(len(rows) for _, rows in waiting) * options.rotations
        if crops >= _BATCH or sum(f.image.nbytes for f, _ in waiting) > _MAX_WAITING_BYTES:
            yield from poses()
            waiting.clear()
    if waiting:
        yield from poses()


class _Cutter:
    """Cuts RGB crops out of a BGR image, as `read_crop` does from files."""

    def __init__(self, image: UInt8[np.ndarray, "h w 3"]) -> None:
        self._smaller = {1: image}

    def cut(self, window: Window, crop: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
        """The crop, of this width and height, of a window."""
        times = downsample_factor(window, crop)
        if times not in self._smaller:
            self._smaller[times] = downsample(self._smaller[1], times)
        return warp_crop(self._smaller[times], window, times, crop)[..., ::-1]


def _boxes_around_joints(
    poses: Float[np.ndarray, "n 17 3"], rows: ScoredBoxes, min_score: float
) -> ScoredBoxes:
    """The boxes around the joints that score at least `min_score`, clipped to the old boxes; an
    old box with fewer than two such joints stays."""
    out = rows.copy()
    for pose, row in zip(poses, out, strict=True):
        joints = pose[pose[:, 2] >= min_score, :2]
        if len(joints) > 1:
            low, high = joints.min(axis=0), joints.max(axis=0)
            margin = _BOX_MARGIN * (high - low).max()
            low, high = (np.clip(x, 0, row[2:4]) for x in (low - margin, high + margin))
            if (high - low >= 1).all():
                row[:4] = [*low, *(high - low)]
    return out


def _without_duplicates(
    rows: ScoredBoxes, poses: Float[np.ndarray, "n 17 3"]
) -> tuple[ScoredBoxes, Float[np.ndarray, "n 17 3"]]:
    """A detector's boxes and poses without the ones removed by OKS-NMS."""
    scores = rows[:, 4] * person_scores(poses[:, :, 2])
    areas = np.array([np.prod(box_to_window(row[:4]).size) for row in rows])
    kept = oks_nms(poses[:, :, :2], scores, areas)
    return rows[kept], poses[kept]


def _image_ids(
    sources: list[MediaFile], ids: Mapping[MediaFile, int | str]
) -> dict[MediaFile, Iterator[int | str]]:
    """The image ids of each file, one per frame: from a COCO file of boxes, else the file stems
    where all are numbers, else counted from 1. Video frames are always counted."""
    stems = {source: source.path.stem for source in sources}
    if not ids and all(s.isdecimal() and len(s) < 16 for s in stems.values()):
        ids = {source: int(stem) for source, stem in stems.items()}
        ids = ids if len(set(ids.values())) == len(ids) else {}
    counted = itertools.count(max((i for i in ids.values() if isinstance(i, int)), default=0) + 1)
    return {s: iter([ids[s]]) if s in ids and not s.is_video else counted for s in sources}


def _check_unreadable(broken: list[MediaFile], sources: list[MediaFile], out: Path) -> None:
    """Warn of unreadable files; raise `UserError` for more than 1 %."""
    if not broken:
        return
    problem = "" if broken[0].is_video else picture_problem(broken[0].path)
    summary = f"{len(broken)} of {len(sources)} files cannot be read, first {broken[0].path}" + (
        f", which {problem}" if problem else ""
    )
    if len(broken) > 0.01 * len(sources):
        raise UserError(f"{summary}; {out} holds the results of the others")
    say(summary)
