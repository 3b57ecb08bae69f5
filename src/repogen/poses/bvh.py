"""Read BVH files: Biovision's joint hierarchy and joint rotations frame by frame."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from reprlib import repr as shortened

import numpy as np

from repogen.arrays import Float
from repogen.bodies.rotations import vectors_to_matrices
from repogen.errors import UserError, check_not_empty, first_line, plain_number
from repogen.files import read_lines
from repogen.limits import MAX_MODEL_TEXT

_AXES = {"Xrotation": 0, "Yrotation": 1, "Zrotation": 2}
_POSITIONS = {"Xposition": 0, "Yposition": 1, "Zposition": 2}
_CHANNELS = (*_AXES, *_POSITIONS)
_BY_LOWERCASE = {channel.lower(): channel for channel in _CHANNELS}

_MAX_JOINTS = 1000
_MAX_JOINT_CHANNELS = 9
_MAX_ROTATIONS = 2 * 10**7
"""Joints times frames; each takes nine numbers of memory."""
_MAX_NUMBER = 1e9
"""Above any angle and any bone's length, in any unit."""

_NO_JOINT, _END_SITE = -1, -2


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints of a file, parents first. With all rotations zero, each joint is at its offset from
    its parent, in the file's axes and unit."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Index of each joint's parent, -1 for a root."""
    offsets: Float[np.ndarray, "joints 3"]
    """The mean of its translations for a joint that position channels move."""


@dataclass(frozen=True)
class _Header:
    skeleton: Skeleton
    channels: tuple[tuple[int, str], ...]
    """(joint, channel) of each number of a frame."""
    frames: int


def bvh_frames(path: Path) -> int:
    """Number of frames of a file, from its header. Raises `UserError` if it is not a BVH file."""
    return _parse(_read_text(path, until="frame time:"), path)[0].frames


def read_bvh(
    path: Path,
) -> tuple[Skeleton, Float[np.ndarray, "frames joints 3 3"], Float[np.ndarray, "frames joints 3"]]:
    """The skeleton of a file, and each joint's rotation matrices and translations relative to its
    parent.

    A joint's rotations are multiplied in the order of its channels. Raises `UserError` for a file
    that cannot be read, is not a BVH file, or has too few, too many or invalid numbers.
    """
    header, text = _parse(_read_text(path), path)
    try:
        numbers = np.array(text.split(), dtype=np.float64)
    except ValueError as error:
        raise UserError(f"{path}: the motion has a value that is not a number: {error}") from error
    width = len(header.channels)
    if len(numbers) != header.frames * width:
        raise UserError(
            f"{path}: the motion has {len(numbers)} numbers; expected {header.frames * width}: "
            f"{header.frames} frames of {width} channels"
        )
    if header.frames * len(header.skeleton.names) > _MAX_ROTATIONS:
        raise UserError(
            f"{path}: more than {_MAX_ROTATIONS:,} joint rotations in all frames; split the file"
        )
    if not np.isfinite(numbers).all():
        frame = int(np.argmin(np.isfinite(numbers))) // width
        raise UserError(f"{path}: frame {frame} has values that are not finite")
    if not (np.abs(numbers) < _MAX_NUMBER).all():
        raise UserError(f"{path}: the motion has numbers of {plain_number(_MAX_NUMBER)} or more")
    values = numbers.reshape(header.frames, width)
    rotations = np.tile(np.eye(3), (header.frames, len(header.skeleton.names), 1, 1))
    for step in _rotation_steps(header.channels):
        columns, joints, axes = np.transpose(step)
        vectors = np.deg2rad(values[:, columns, None] * np.eye(3)[axes])
        matrices = vectors_to_matrices(vectors.reshape(-1, 3))
        rotations[:, joints] = rotations[:, joints] @ matrices.reshape(header.frames, -1, 3, 3)
    return _with_translations(header, values, rotations)


def _with_translations(
    header: _Header,
    values: Float[np.ndarray, "frames channels"],
    rotations: Float[np.ndarray, "frames joints 3 3"],
) -> tuple[Skeleton, Float[np.ndarray, "frames joints 3 3"], Float[np.ndarray, "frames joints 3"]]:
    """Adds what position channels say. Below a root they take the place of the offset in most files
    (Blender's, 100STYLE's) and are added to it in others."""
    skeleton = header.skeleton
    moved = [
        (column, joint, _POSITIONS[channel])
        for column, (joint, channel) in enumerate(header.channels)
        if channel in _POSITIONS
    ]
    translations = np.tile(skeleton.offsets, (header.frames, 1, 1))
    for column, joint, axis in moved:
        translations[:, joint, axis] = values[:, column]
    joints = sorted({joint for _, joint, _ in moved if skeleton.parents[joint] >= 0})
    if not joints:
        return skeleton, rotations, translations
    offsets, means = skeleton.offsets[joints], translations[:, joints].mean(axis=0)
    added = np.linalg.norm(means - offsets, axis=1) > np.linalg.norm(means, axis=1)
    translations[:, joints] += np.where(added[:, None], offsets, 0.0)
    return replace(skeleton, offsets=translations.mean(axis=0)), rotations, translations


def _rotation_steps(channels: Sequence[tuple[int, str]]) -> list[list[tuple[int, int, int]]]:
    """(column, joint, axis) of every joint's first rotation, then of every joint's second, …"""
    out: list[list[tuple[int, int, int]]] = []
    seen: Counter[int] = Counter()
    for column, (joint, channel) in enumerate(channels):
        if channel in _AXES:
            if seen[joint] == len(out):
                out.append([])
            out[seen[joint]].append((column, joint, _AXES[channel]))
            seen[joint] += 1
    return out


def _read_text(path: Path, until: str | None = None) -> str:
    """The file's text, up to and including the first line that begins with `until`."""
    lines = []
    try:
        for line in read_lines(path, MAX_MODEL_TEXT, errors="replace"):
            lines.append(line)
            if until is not None and line.lstrip().lower().startswith(until):
                break
    except OSError as error:
        raise UserError(f"cannot read motion from {path}: {first_line(error)}") from error
    return "".join(lines)


def _parse(text: str, path: Path) -> tuple[_Header, str]:
    """The header, and the text of the motion's numbers."""
    parts = re.split(r"^[ \t]*MOTION[ \t]*$", text, maxsplit=1, flags=re.MULTILINE | re.IGNORECASE)
    check_not_empty(path)
    if not re.match(r"\ufeff?\s*HIERARCHY\b", parts[0], re.IGNORECASE):
        raise UserError(
            f"{path} is not a BVH file: it begins with {shortened(text[:20])}, not HIERARCHY"
        )
    if len(parts) != 2:
        raise UserError(f"{path} has no line MOTION after the hierarchy: it may be truncated")
    skeleton, channels = _hierarchy(parts[0], path)
    head = re.match(r"\s*Frames:\s*(\d{1,9})\s+Frame Time:\s*\S+", parts[1], re.IGNORECASE)
    if head is None:
        raise UserError(
            f"{path}: MOTION must begin with Frames: COUNT and Frame Time: SECONDS, not "
            f"{shortened(parts[1].lstrip()[:40])}"
        )
    frames = int(head[1])
    if frames == 0:
        raise UserError(f"{path} has no frames")
    return _Header(skeleton, channels, frames), parts[1][head.end() :]


def _hierarchy(text: str, path: Path) -> tuple[Skeleton, tuple[tuple[int, str], ...]]:
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[int, str]] = []
    open_joints = [_NO_JOINT]
    opening = _NO_JOINT
    text = text.lstrip("\ufeff \t\r\n")
    lines = text.lstrip("\ufeff \t\r\n").replace("{", "\n{\n").replace("}", "\n}\n").splitlines()
    for line in lines[1:]:
        word, rest = (*line.split(maxsplit=1), "", "")[:2]
        word, joint = word.upper(), open_joints[-1]
        if word in ("ROOT", "JOINT"):
            opening = len(names)
            names.append(rest.strip())
            parents.append(joint)
            offsets.append([0.0, 0.0, 0.0])
        elif word == "END":
            opening = _END_SITE
        elif word == "{":
            open_joints.append(opening)
        elif word == "}":
            if len(open_joints) == 1:
                raise UserError(f"{path}: a closing bracket without an opening one")
            open_joints.pop()
        elif word == "OFFSET" and joint >= 0:
            offsets[joint] = _offset(rest, f"{path}: joint {names[joint]}")
        elif word == "CHANNELS" and joint >= 0:
            channels += [(joint, c) for c in _channels(rest, f"{path}: joint {names[joint]}")]
        elif word and joint != _END_SITE:
            raise UserError(f"{path}: cannot read {line.strip()[:60]!r} in the hierarchy")
        if len(names) > _MAX_JOINTS:
            raise UserError(f"{path} has more than {_MAX_JOINTS} joints")
        if len(channels) > _MAX_JOINT_CHANNELS * len(names):
            raise UserError(f"{path} has more than {_MAX_JOINT_CHANNELS} channels for each joint")
    if len(open_joints) > 1:
        raise UserError(f"{path}: {len(open_joints) - 1} brackets of the hierarchy are not closed")
    if not names:
        raise UserError(f"{path}: the hierarchy has no joints")
    if not channels:
        raise UserError(f"{path}: no joint has channels, so there is no motion")
    return Skeleton(tuple(names), tuple(parents), np.array(offsets)), tuple(channels)


def _offset(text: str, where: str) -> list[float]:
    try:
        x, y, z = (float(word) for word in text.split())
    except ValueError as error:
        raise UserError(f"{where}: OFFSET {text} must be three numbers") from error
    if not all(abs(v) < _MAX_NUMBER for v in (x, y, z)):
        raise UserError(f"{where}: OFFSET {text} must be below {plain_number(_MAX_NUMBER)}")
    return [x, y, z]


def _channels(text: str, where: str) -> list[str]:
    count, *words = text.split() or [""]
    unknown = [word for word in words if word.lower() not in _BY_LOWERCASE]
    if unknown or count != str(len(words)):
        raise UserError(f"{where}: CHANNELS {text} must be a count, then as many of "
                        f"{', '.join(_CHANNELS)}")  # fmt: skip
    return [_BY_LOWERCASE[word.lower()] for word in words]
