"""Poses drawn onto what they were found in, as pictures and videos of the same names."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import UserError
from repogen.files import atomic_path, write_atomic
from repogen.inference.frames import Frame
from repogen.labels.stick import SIDE_COLORS, draw_skeleton
from repogen.pictures import encode_jpeg

_Picture = UInt8[np.ndarray, "h w 3"]


def drawn(
    picture: _Picture,
    poses: Float[np.ndarray, "n 17 3"],
    boxes: Float[np.ndarray, "n 4"],
    least: float,
) -> _Picture:
    """A copy with the joints that score at least `least`, in lines as wide as suits the box."""
    out = picture.copy()
    for pose, box in zip(poses, boxes, strict=True):
        # The drawing counts from the picture's edge, the network from its first pixel's middle.
        flat = np.column_stack([pose[:, :2] + 0.5, np.where(pose[:, 2] >= least, 2, 0)])
        draw_skeleton(out, flat.ravel().tolist(), max(1, round(box[2:].max() / 120)))
    return out


def joint_colors() -> list[str]:
    """The colour of each keypoint as #rrggbb."""
    sides = [name.split("_")[0] for name in COCO_KEYPOINTS]
    colors = [SIDE_COLORS.get(side, SIDE_COLORS["middle"]) for side in sides]
    return [f"#{r:02x}{g:02x}{b:02x}" for b, g, r in colors]


@contextmanager
def drawings(folder: Path) -> Iterator[Callable[[Frame, _Picture], None]]:
    """What writes drawn frames, which must come in order, below `folder`.

    JPEG and MP4 keep their names; .jpg or .mp4 is added to others. A video is there once its last
    frame is, without sound and an odd last row or column. Raises `UserError` where the disk is
    full or the folder cannot be written.
    """
    with ExitStack() as video:
        add: Callable[[_Picture], None]

        def write(frame: Frame, picture: _Picture) -> None:
            nonlocal add
            if frame.number < 0:
                path = folder / _with_suffix(frame.source.name, ".jpg", ".jpeg")
                write_atomic(path, encode_jpeg(picture))
                return
            if frame.number == 0:
                video.close()  # the one before
                path = folder / _with_suffix(frame.source.name, ".mp4")
                size = (picture.shape[1], picture.shape[0])
                add = video.enter_context(_mp4(path, frame.rate, size))
            add(picture)

        yield write


@contextmanager
def _mp4(path: Path, rate: float, size: tuple[int, int]) -> Iterator[Callable[[_Picture], None]]:
    with atomic_path(path) as partial:
        film = partial.with_suffix(".mp4")  # the name tells OpenCV which container to write
        writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
        if not writer.isOpened():
            width, height = size
            raise UserError(
                f"cannot write {path}: OpenCV makes no MP4 of {width} x {height} pixels at "
                f"{rate:g} frames a second; leave drawn out of --write"
            )
        count = 0

        def add(picture: _Picture) -> None:
            nonlocal count
            writer.write(picture)
            count += 1

        try:
            yield add
            writer.release()
            arrived = cv2.VideoCapture(str(film)).get(cv2.CAP_PROP_FRAME_COUNT)
            if arrived != count:  # OpenCV does not tell
                raise UserError(
                    f"cannot write {path}: {max(0, arrived):.0f} of {count} frames arrived; is the "
                    "disk full?"
                )
            film.replace(partial)
        finally:
            writer.release()
            film.unlink(missing_ok=True)


def _with_suffix(name: str, *suffixes: str) -> str:
    return name if name.lower().endswith(suffixes) else name + suffixes[0]
