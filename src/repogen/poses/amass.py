"""Read motion of SMPL, SMPL-H and SMPL-X: AMASS (Mahmood et al. 2019), and what estimators of body
poses write (ROMP, 4D-Humans, VIBE and others), as npz, npy and pickle files.

Joint rotations are relative to the parent, about the T-pose's axes: rotation vectors in radians or
rotation matrices. But for the unit they are as in `Body.pose`. That of the whole body is
relative to the file's world, whose up axis the array's name tells. Pickles are read without
executing any of their code.
"""

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from repogen.arrays import Float, Float32
from repogen.bodies.rigging import nearest_rotations
from repogen.bodies.rotations import matrices_to_vectors, vectors_to_matrices
from repogen.bodies.skeleton import BODY_JOINTS, HAND_JOINTS, JOINTS
from repogen.errors import UserError, check_not_empty, first_line
from repogen.files import open_regular, read_regular
from repogen.limits import MAX_ARRAYS
from repogen.poses.clearance import clearances
from repogen.poses.clips import Clip
from repogen.poses.pickled_poses import Found, arrays_under, as_numbers, read_pickle

_MAX_ARRAY_BYTES = 1 << 28
"""36 minutes of SMPL-H at 100 frames a second."""

_BODY_KEYS = ("body_pose", "pose_body")
_KEYS = (
    "poses", "fullpose", "full_pose", "smpl_thetas", "thetas", "smpl_pose", "smpl_poses",
    "pred_pose", *_BODY_KEYS, "pose",
)  # fmt: skip
"""Names under which the models' users save joint rotations."""

_ROOT_KEYS = ("root_orient", "global_orient")

_POSITION_KEYS = ("trans", "transl")

_Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
_OF_CAMERA = np.diag([1.0, -1, -1])
_AXES = dict.fromkeys(_KEYS, _OF_CAMERA)
"""By an array's name, the axes of the whole body's rotation turned to those in which a person
stands (y up). Estimators have the camera's (x right, y down, z forward), taken as level."""
_AXES |= dict.fromkeys(("", "poses", "fullpose", "full_pose", "pose_body"), _Z_UP)
_AXES |= {"smpl_poses": np.eye(3)}  # AIST++

_BODY, _HANDS = len(BODY_JOINTS), len(HAND_JOINTS)
_WITH_ROOT = {24: "SMPL", 52: "SMPL-H", 55: "SMPL-X", 22: "SMPL-X without hands"}
_WITHOUT_ROOT = {21: "SMPL-X", 23: "SMPL"}
_HAND_STARTS = (_BODY, _BODY + _HANDS // 2)
"""Index of the first joint of the left and of the right hand."""


def amass_frames(path: Path) -> int | None:
    """Number of frames of a file, from its header where it has one; None for one without poses.

    AMASS's files of body shapes have none. Raises `UserError` for a file that cannot be read or
    whose arrays have other shapes.
    """
    check_not_empty(path)
    try:
        return _frames(path)
    except UserError:
        raise
    except Exception as error:  # a broken archive may raise anything
        raise UserError(f"cannot read motion from {path}: {first_line(error)}") from error


def _frames(path: Path) -> int | None:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        with open_regular(path, MAX_ARRAYS) as whole, zipfile.ZipFile(whole) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
            key = next((key for key in _KEYS if key in names), None)
            if key is not None:
                with archive.open(f"{key}.npy") as file:
                    size = archive.getinfo(f"{key}.npy").file_size
                    frames = _layout(_numeric_shape(file, size, key), key, path)[0]
                if key == "pose_body" and "pose_hand" in names:
                    with archive.open("pose_hand.npy") as file:
                        size = archive.getinfo("pose_hand.npy").file_size
                        hands = _numeric_shape(file, size, "pose_hand")
                    if hands != (frames, 3 * _HANDS):
                        raise UserError(
                            f"{path}: pose_hand has the shape {hands}; expected ({frames}, "
                            f"{3 * _HANDS})"
                        )
                return frames
    elif suffix == ".npy":
        with open_regular(path, MAX_ARRAYS) as file:
            if _header(file)[1].kind != "O":
                file.seek(0)
                shape = _numeric_shape(file, path.stat().st_size, "the array")
                return _layout(shape, "", path)[0]
    found = _pickled(path)
    return sum(_layout(one.array.shape, one.key, path)[0] for one in found) if found else None


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _numeric_shape(file: IO[bytes], size: int, name: str) -> tuple[int, ...]:
    if size > _MAX_ARRAY_BYTES:
        raise ValueError(f"{name} unpacks to {size:,} bytes; split the file")
    shape, dtype = _header(file)
    if dtype.kind not in "fiu":
        raise ValueError(f"{name} holds {dtype}, not numbers")
    if math.prod(shape) * dtype.itemsize > size:
        raise ValueError(f"{name} is truncated: {shape} numbers need more than {size:,} bytes")
    return shape


def _pickled(path: Path) -> list[Found]:
    """The arrays of poses in a file's pickles."""
    suffix = path.suffix.lower()
    contents = []
    if suffix == ".npz":
        with open_regular(path, MAX_ARRAYS) as whole, zipfile.ZipFile(whole) as archive:
            for info in archive.infolist():
                with archive.open(info) as file:
                    if info.file_size <= _MAX_ARRAY_BYTES and _header(file)[1].kind == "O":
                        contents.append(read_pickle(path, file.read()))
    elif suffix == ".npy":
        with open_regular(path, MAX_ARRAYS) as file:
            _header(file)
            contents.append(read_pickle(path, file.read()))
    else:
        if path.stat().st_size > _MAX_ARRAY_BYTES:
            raise ValueError(f"it has more than {_MAX_ARRAY_BYTES:,} bytes; split it")
        contents.append(read_pickle(path, read_regular(path, MAX_ARRAYS)))
        numbers = as_numbers(contents[0])
        if numbers is not None:
            return [Found("", numbers)]
    return [found for content in contents for found in arrays_under(content, _KEYS, _ROOT_KEYS)]


def _layout(shape: tuple[int, ...], name: str, path: Path) -> tuple[int, int, bool]:
    """Frames, joints, and whether there are matrices, in an array of a shape."""
    known = (_WITHOUT_ROOT if name in _BODY_KEYS else _WITH_ROOT) if name else {}
    known = known or _WITH_ROOT | _WITHOUT_ROOT
    matrices = len(shape) >= 3 and shape[-2:] == (3, 3) and shape[-3] in known
    vectors = len(shape) >= 2 and shape[-1] == 3 and shape[-2] in known
    flat = len(shape) >= 1 and shape[-1] % 3 == 0 and shape[-1] // 3 in known
    if matrices:
        frames, joints = math.prod(shape[:-3]), shape[-3]
    elif vectors:
        frames, joints = math.prod(shape[:-2]), shape[-2]
    elif flat:
        frames, joints = math.prod(shape[:-1]), shape[-1] // 3
    else:
        widths = ", ".join(f"{3 * joints} ({model})" for joints, model in known.items())
        what = f"{path}: {name or 'the array'}"
        if len(shape) == 2:
            raise UserError(f"{what} has {shape[1]} values a frame; expected one of {widths}")
        raise UserError(
            f"{what} has the shape {shape}; expected (frames, values) with one of {widths} values, "
            "or as many rotation matrices"
        )
    if frames == 0:
        raise UserError(f"{path} has no frames")
    return frames, joints, matrices


def read_amass(path: Path) -> Clip:
    """The whole body's orientation and the body and hand joints of every frame, degrees.

    Jaw, eyes and SMPL's two joints of the hands are ignored, and so is a hand that is zero in all
    frames, since it was not measured. Raises `UserError` as `amass_frames` does, and for values
    that are not finite.
    """
    if amass_frames(path) is None:
        raise UserError(f"{path} holds no motion: it needs an array poses, body_pose or the like")
    try:
        arrays = _arrays(path)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"cannot read motion from {path}: {first_line(error)}") from error
    bodies = [_body_and_hands(one, path) for one in arrays]
    turns = [_orientations(one, path) for one in arrays]
    values, orientations = np.concatenate(bodies), np.concatenate(turns)
    above = [
        _clearances(one, vectors, turned, path)
        for one, vectors, turned in zip(arrays, bodies, turns, strict=True)
    ]
    degrees = np.degrees(values).astype(np.float32)
    body, *hands = np.split(degrees, _HAND_STARTS, axis=1)
    measured = [hand.any() for hand in hands]  # left, then right
    keep = np.repeat([True, *measured], [body.shape[1], *(hand.shape[1] for hand in hands)])
    joints = tuple(np.array(JOINTS)[keep].tolist())
    turn_degrees = np.degrees(orientations).astype(np.float32)
    return Clip(joints, degrees[:, keep], turn_degrees, np.concatenate(above))


def _arrays(path: Path) -> list[Found]:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        with open_regular(path, MAX_ARRAYS) as whole, np.load(whole, allow_pickle=False) as data:
            key = next((key for key in _KEYS if key in data.files), None)
            if key is not None:
                poses = _member(data, key)
                root = next((_member(data, k) for k in _ROOT_KEYS if k in data.files), None)
                at = next((_member(data, k) for k in _POSITION_KEYS if k in data.files), None)
                if key == "pose_body" and "pose_hand" in data.files:
                    root = np.zeros((len(poses), 3), poses.dtype) if root is None else root
                    poses, key = (
                        np.concatenate([root, poses, _member(data, "pose_hand")], axis=1),
                        "poses",
                    )
                return [Found(key, poses, root, at)]
    elif suffix == ".npy":
        with open_regular(path, MAX_ARRAYS) as file:
            if _header(file)[1].kind != "O":
                file.seek(0)
                return [Found("", np.load(file, allow_pickle=False))]
    return _pickled(path)


def _member(data: Any, name: str) -> np.ndarray:
    """An array of an open .npz file. Raises `ValueError` for a member that is none, or not of
    numbers."""
    array = data[name]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise ValueError(f"{name} is no array of numbers")
    return array


def _body_and_hands(found: Found, path: Path) -> Float[np.ndarray, "frames joints 3"]:
    """Rotation vectors of `JOINTS`, zero where the model has no such joint."""
    frames, joints, _ = _layout(found.array.shape, found.key, path)
    array = found.array.reshape(frames, joints, -1)
    vectors = _vectors(array, found.key or "the array", path)
    first = joints in _WITH_ROOT
    out = np.zeros((frames, len(JOINTS), 3), vectors.dtype)
    out[:, :_BODY] = vectors[:, first : first + _BODY]
    if joints > _BODY + _HANDS:
        out[:, _BODY:] = vectors[:, -_HANDS:]
    return out


def _orientations(found: Found, path: Path) -> Float[np.ndarray, "frames 3"]:
    """Rotation vectors of the whole body from one that stands; zero where the file has none."""
    frames, joints, _ = _layout(found.array.shape, found.key, path)
    if joints in _WITH_ROOT:
        root = found.array.reshape(frames, joints, -1)[:, :1]
    elif found.root is None:
        return np.zeros((frames, 3))
    elif found.root.size in (3 * frames, 9 * frames):
        root = found.root.reshape(frames, 1, -1)
    else:
        raise UserError(
            f"{path}: the rotations of the whole body have the shape {found.root.shape}; expected "
            f"({frames}, 3) or ({frames}, 3, 3)"
        )
    vectors = _vectors(root, "the rotation of the whole body", path)[:, 0]
    return matrices_to_vectors(_AXES[found.key] @ vectors_to_matrices(vectors))


def _clearances(
    found: Found,
    vectors: Float[np.ndarray, "frames joints 3"],
    orientations: Float[np.ndarray, "frames 3"],
    path: Path,
) -> Float32[np.ndarray, " frames"]:
    """`Clip.clearances`; zeros where the file has no heights above a floor."""
    frames = len(vectors)
    if found.positions is None or _AXES[found.key] is not _Z_UP:
        return np.zeros(frames, np.float32)
    if found.positions.size != 3 * frames or not np.isfinite(found.positions).all():
        raise UserError(
            f"{path}: the positions of the whole body have the shape {found.positions.shape}; "
            f"expected ({frames}, 3), all of them finite"
        )
    heights = found.positions.reshape(frames, 3)[:, 2].astype(np.float64)
    return clearances(vectors, orientations, heights)


def _vectors(
    array: Float[np.ndarray, "frames joints n"], name: str, path: Path
) -> Float[np.ndarray, "frames joints 3"]:
    """Rotation vectors, of vectors or of matrices with their nine numbers in a row."""
    frames, joints, size = array.shape
    if not np.isfinite(array).all():
        frame = int(np.argmin(np.isfinite(array).all(axis=(1, 2))))
        raise UserError(f"{path}: frame {frame} has values that are not finite")
    if size == 3:
        return array
    turns = array.reshape(-1, 3, 3).astype(np.float64)
    if (np.linalg.det(turns) <= 0).any():
        frame, joint = divmod(int(np.argmin(np.linalg.det(turns))), joints)
        raise UserError(
            f"{path}: {name} holds no rotations: matrix {joint} of frame {frame} has a determinant "
            "of 0 or less"
        )
    return matrices_to_vectors(nearest_rotations(turns)).reshape(frames, joints, 3)
