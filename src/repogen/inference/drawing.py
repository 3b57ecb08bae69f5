"""Poses drawn onto images and videos, written under the same file names."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cv2
import numpy as np

from repogen.arrays import Float, UInt8
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import UserError
from repogen.files import path_for_library
from repogen.inference.frames import Frame, MediaFile
from repogen.labels.stick import SIDE_COLORS, draw_skeleton
from repogen.outputs import OutputFolder
from repogen.pictures import encode_jpeg

_BOX_COLOR = (255, 255, 255)

_Image = UInt8[np.ndarray, "h w 3"]


def draw_poses(
    image: _Image,
    poses: Float[np.ndarray, "n 17 3"],
    boxes: Float[np.ndarray, "n 4"],
    min_score: float,
) -> _Image:
    """A copy of a BGR image with the boxes, and the joints that score at least `min_score`, drawn
    in.

    Poses hold x, y in pixels, (0, 0) the first pixel's centre, and the score. The lines are wider
    for larger boxes.
    """
    out = image.copy()
    for pose, box in zip(poses, boxes, strict=True):
        width = max(1, round(box[2:].max() / 120))
        low, high = box[:2].round().astype(int), (box[:2] + box[2:]).round().astype(int) - 1
        cv2.rectangle(out, low.tolist(), high.tolist(), _BOX_COLOR, width)
        # `draw_skeleton` has (0, 0) at the image's corner.
        flat = np.column_stack([pose[:, :2] + 0.5, np.where(pose[:, 2] >= min_score, 2, 0)])
        draw_skeleton(out, flat.ravel().tolist(), width)
    return out


def joint_colors() -> list[str]:
    """The colour of each keypoint as #rrggbb."""
    sides = [name.split("_")[0] for name in COCO_KEYPOINTS]
    colors = [SIDE_COLORS.get(side, SIDE_COLORS["middle"]) for side in sides]
    return [f"#{r:02x}{g:02x}{b:02x}" for b, g, r in colors]


@contextmanager
def frame_writer(out: OutputFolder, folder: Path) -> Iterator[Callable[[Frame, _Image], None]]:
    """A function that writes drawn frames, called in their order, below `folder`.

    JPEG and MP4 files keep their names; .jpg or .mp4 is added to others. A video appears after
    its last frame; it has no sound, and loses an odd last row or column. Raises `UserError` where
    the disk is full or the folder cannot be written.
    """
    with ExitStack() as video:
        add: Callable[[_Image], None]

        def write(frame: Frame, image: _Image) -> None:
            nonlocal add
            if frame.number < 0:
                out.write(drawn_path(folder, frame.source), encode_jpeg(image))
                return
            if frame.number == 0:
                video.close()  # the previous video
                size = (image.shape[1], image.shape[0])
                path = drawn_path(folder, frame.source)
                add = video.enter_context(_mp4_writer(out, path, frame.rate, size))
            add(image)

        yield write


@contextmanager
def _mp4_writer(
    out: OutputFolder, path: Path, rate: float, size: tuple[int, int]
) -> Iterator[Callable[[_Image], None]]:
    with out.writing(path) as partial:
        video = partial.with_suffix(".mp4")  # OpenCV takes the container from the suffix
        with path_for_library(video, None) as own:
            writer = cv2.VideoWriter(own, cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
        if not writer.isOpened():
            width, height = size
            raise UserError(
                f"cannot write {path}: OpenCV cannot make an MP4 of {width} x {height} pixels at "
                f"{rate:g} frames per second; leave drawn out of --write"
            )
        count = 0

        def add(image: _Image) -> None:
            nonlocal count
            writer.write(image)
            count += 1

        try:
            yield add
            writer.release()
            with path_for_library(video, None) as own:
                written = cv2.VideoCapture(own).get(cv2.CAP_PROP_FRAME_COUNT)
            if written != count:  # OpenCV reports no error
                raise UserError(
                    f"cannot write {path}: only {max(0, written):.0f} of {count} frames were "
                    "written; is the disk full?"
                )
            video.replace(partial)
        finally:
            writer.release()
            video.unlink(missing_ok=True)


def drawn_path(folder: Path, source: MediaFile) -> Path:
    """The path at which `frame_writer` writes an image or a video."""
    suffixes = (".mp4",) if source.is_video else (".jpg", ".jpeg")
    name = source.name
    return folder / (name if name.lower().endswith(suffixes) else name + suffixes[0])
