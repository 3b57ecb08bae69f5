"""Read motion from AMASS (Mahmood et al. 2019): npz files of SMPL-H or SMPL-X poses.

Joint rotations are rotation vectors relative to the parent, about the T-pose's axes, in radians:
as in `Body.pose` but for the unit. Only the arrays of poses are read, never pickled objects.
"""

import math
import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.lib import format as npy

from repogen.bodies.skeleton import BODY_JOINTS, HAND_JOINTS, JOINTS
from repogen.errors import UserError
from repogen.poses.clips import Clip

_MAX_ARRAY_BYTES = 1 << 28
"""36 minutes of SMPL-H at 100 frames a second."""

_WIDTHS = {156: "SMPL-H", 165: "SMPL-X"}
_BODY_VALUES, _HAND_VALUES = len(BODY_JOINTS) * 3, len(HAND_JOINTS) * 3
_HAND_STARTS = (len(BODY_JOINTS), len(BODY_JOINTS) + len(HAND_JOINTS) // 2)
"""Index of the first joint of the left and of the right hand."""


def amass_frames(path: Path) -> int | None:
    """Number of frames of an npz file, from its header; None for a file without poses.

    AMASS's files of body shapes have none. Raises `UserError` for a file that cannot be read or
    whose arrays have other shapes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "poses.npy" in names:
                return _frame_count(_shape(archive, "poses"), "poses", path)
            if "pose_body.npy" not in names:
                return None
            frames = _frame_count(_shape(archive, "pose_body"), "pose_body", path)
            if "pose_hand.npy" in names:
                hands = _shape(archive, "pose_hand")
                if hands != (frames, _HAND_VALUES):
                    raise UserError(
                        f"{path}: pose_hand has the shape {hands}; expected ({frames}, "
                        f"{_HAND_VALUES})"
                    )
            return frames
    except UserError:
        raise
    except Exception as error:  # a broken archive may raise anything
        raise UserError(f"cannot read motion from {path}: {error}") from error


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    size = archive.getinfo(f"{name}.npy").file_size
    if size > _MAX_ARRAY_BYTES:
        raise ValueError(f"{name} unpacks to {size:,} bytes; split the file")
    with archive.open(f"{name}.npy") as file:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
    if dtype.kind not in "fiu":
        raise ValueError(f"{name} holds {dtype}, not numbers")
    if math.prod(shape) * dtype.itemsize > size:
        raise ValueError(f"{name} is truncated: {shape} numbers need more than {size:,} bytes")
    return shape


def _frame_count(shape: tuple[int, ...], name: str, path: Path) -> int:
    widths = _WIDTHS if name == "poses" else {_BODY_VALUES: "SMPL-X"}
    expected = " or ".join(f"{width} ({model})" for width, model in widths.items())
    if len(shape) != 2:
        raise UserError(f"{path}: {name} has the shape {shape}; expected (frames, {expected})")
    if shape[1] not in widths:
        raise UserError(f"{path}: {name} has {shape[1]} values a frame; expected {expected}")
    if shape[0] == 0:
        raise UserError(f"{path} has no frames")
    return shape[0]


def read_amass(path: Path) -> Clip:
    """The body and hand joints of every frame, degrees.

    Root rotation, jaw and eyes are ignored, and so is a hand that is zero in all frames, since it
    was not measured. Raises `UserError` as `amass_frames` does, and for values that are not finite.
    """
    if amass_frames(path) is None:
        raise UserError(f"{path} holds no motion: it needs an array poses or pose_body")
    try:
        with np.load(path, allow_pickle=False) as data:
            values = _body_and_hands(data)
    except Exception as error:
        raise UserError(f"cannot read motion from {path}: {error}") from error
    if not np.isfinite(values).all():
        frame = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise UserError(f"{path}: frame {frame} has values that are not finite")
    degrees = np.degrees(values).astype(np.float32).reshape(len(values), -1, 3)
    bodies, *hands = np.split(degrees, _HAND_STARTS, axis=1)
    measured = [hand.any() for hand in hands]  # left, then right
    keep = np.repeat([True, *measured], [bodies.shape[1], *(hand.shape[1] for hand in hands)])
    return Clip(tuple(np.array(JOINTS[: len(keep)])[keep].tolist()), degrees[:, keep])


def _body_and_hands(data: np.lib.npyio.NpzFile) -> Float[np.ndarray, "frames values"]:
    if "poses" in data:
        poses = data["poses"]
        return np.concatenate([poses[:, 3 : 3 + _BODY_VALUES], poses[:, -_HAND_VALUES:]], axis=1)
    body = data["pose_body"]
    return np.concatenate([body, data["pose_hand"]], axis=1) if "pose_hand" in data else body
