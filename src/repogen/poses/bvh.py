"""BVH files (Biovision's hierarchy of joints and their rotations, frame by frame)."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from repogen.errors import UserError

_AXES = {"Xrotation": 0, "Yrotation": 1, "Zrotation": 2}
_CHANNELS = (*_AXES, "Xposition", "Yposition", "Zposition")
_MOST_JOINTS = 1000
_FARTHEST = 1e9
"""No angle is as large and no bone as long, in any unit."""
_MOST_CHANNELS = 9
"""Of a joint."""
_MOST_TURNS = 2 * 10**7
"""Joints times frames: each is kept as nine numbers."""
_KEYS = {channel.lower(): channel for channel in _CHANNELS}


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints of a file, parents first. With no joint turned, each stands `offset` from its
    parent, in the file's own axes and unit."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Index of each joint's parent, -1 for a root."""
    offsets: Float[np.ndarray, "joints 3"]


@dataclass(frozen=True)
class _Header:
    skeleton: Skeleton
    channels: tuple[tuple[int, str], ...]
    """(joint, channel) of each number of a frame."""
    frames: int


def bvh_frames(path: Path) -> int:
    """Frames of a file, from its header. Raises `UserError` for one that is no BVH."""
    return _parsed(_text(path, until="frame time:"), path)[0].frames


def read_bvh(path: Path) -> tuple[Skeleton, Float[np.ndarray, "frames joints 3 3"]]:
    """The skeleton, and each joint's rotation relative to its parent.

    A joint's rotations multiply in the order of its channels. Raises `UserError` for a file that
    cannot be read, is no BVH, or whose numbers are too few, too many or not finite.
    """
    header, text = _parsed(_text(path), path)
    try:
        numbers = np.array(text.split(), dtype=np.float64)
    except ValueError as error:
        raise UserError(f"{path}: the motion holds something that is no number: {error}") from error
    width = len(header.channels)
    if len(numbers) != header.frames * width:
        raise UserError(
            f"{path}: the motion has {len(numbers)} numbers; expected {header.frames * width}: "
            f"{header.frames} frames of {width} channels"
        )
    if header.frames * len(header.skeleton.names) > _MOST_TURNS:
        raise UserError(f"{path}: more than {_MOST_TURNS:,} joints in all frames; cut it in parts")
    if not np.isfinite(numbers).all():
        frame = int(np.argmin(np.isfinite(numbers))) // width
        raise UserError(f"{path}: frame {frame} has values that are not finite")
    if not (np.abs(numbers) < _FARTHEST).all():
        raise UserError(f"{path}: the motion has numbers of {_FARTHEST:g} and more")
    values = numbers.reshape(header.frames, width)
    turns = np.tile(np.eye(3), (header.frames, len(header.skeleton.names), 1, 1))
    for step in _steps(header.channels):
        columns, joints, axes = np.transpose(step)
        vectors = values[:, columns, None] * np.eye(3)[axes]
        matrices = Rotation.from_rotvec(vectors.reshape(-1, 3), degrees=True).as_matrix()
        turns[:, joints] = turns[:, joints] @ matrices.reshape(header.frames, -1, 3, 3)
    return header.skeleton, turns


def _steps(channels: Sequence[tuple[int, str]]) -> list[list[tuple[int, int, int]]]:
    """(column, joint, axis) of each joint's first rotation, then of each joint's second, …"""
    out: list[list[tuple[int, int, int]]] = []
    seen: Counter[int] = Counter()
    for column, (joint, channel) in enumerate(channels):
        if channel in _AXES:
            if seen[joint] == len(out):
                out.append([])
            out[seen[joint]].append((column, joint, _AXES[channel]))
            seen[joint] += 1
    return out


def _text(path: Path, until: str | None = None) -> str:
    """The file's text; only to the line that begins with `until`, where that is given."""
    lines = []
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            if until is None:
                return file.read()
            for line in file:
                lines.append(line)
                if line.lstrip().lower().startswith(until):
                    break
    except OSError as error:
        raise UserError(f"cannot read motion from {path}: {error.strerror}") from error
    return "".join(lines)


def _parsed(text: str, path: Path) -> tuple[_Header, str]:
    """What stands before the numbers of the motion, and those numbers."""
    parts = re.split(r"^[ \t]*MOTION[ \t]*$", text, maxsplit=1, flags=re.MULTILINE | re.IGNORECASE)
    if len(parts) != 2 or not re.match(r"\ufeff?\s*HIERARCHY\b", parts[0], re.IGNORECASE):
        raise UserError(f"{path} is no BVH file: it needs a HIERARCHY and a MOTION")
    skeleton, channels = _hierarchy(parts[0], path)
    head = re.match(r"\s*Frames:\s*(\d{1,9})\s+Frame Time:\s*\S+", parts[1], re.IGNORECASE)
    if head is None:
        raise UserError(f"{path}: MOTION must begin with 'Frames:' and 'Frame Time:'")
    frames = int(head[1])
    if frames == 0:
        raise UserError(f"{path} has no frames")
    return _Header(skeleton, channels, frames), parts[1][head.end() :]


def _hierarchy(text: str, path: Path) -> tuple[Skeleton, tuple[tuple[int, str], ...]]:
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[int, str]] = []
    open_joints = [-1]
    opening = -1
    lines = text.replace("{", "\n{\n").replace("}", "\n}\n").splitlines()
    for line in lines[1:]:
        word, rest = (*line.split(maxsplit=1), "", "")[:2]
        word, joint = word.upper(), open_joints[-1]
        if word in ("ROOT", "JOINT"):
            opening = len(names)
            names.append(rest.strip())
            parents.append(joint)
            offsets.append([0.0, 0.0, 0.0])
        elif word == "END":
            opening = -2
        elif word == "{":
            open_joints.append(opening)
        elif word == "}":
            if len(open_joints) == 1:
                raise UserError(f"{path}: a bracket closes that was never opened")
            open_joints.pop()
        elif word == "OFFSET" and joint >= 0:
            offsets[joint] = _offset(rest, f"{path}: joint {names[joint]}")
        elif word == "CHANNELS" and joint >= 0:
            channels += [(joint, c) for c in _channels(rest, f"{path}: joint {names[joint]}")]
        elif word and joint != -2:
            raise UserError(f"{path}: cannot read {line.strip()[:60]!r} in the hierarchy")
        if len(names) > _MOST_JOINTS or len(channels) > _MOST_CHANNELS * len(names):
            raise UserError(
                f"{path}: more than {_MOST_JOINTS} joints, or {_MOST_CHANNELS} channels a joint"
            )
    if len(open_joints) > 1 or not names or not channels:
        raise UserError(f"{path}: the hierarchy is cut off or empty")
    return Skeleton(tuple(names), tuple(parents), np.array(offsets)), tuple(channels)


def _offset(text: str, where: str) -> list[float]:
    try:
        x, y, z = (float(word) for word in text.split())
        if not all(abs(v) < _FARTHEST for v in (x, y, z)):
            raise ValueError(text)
    except ValueError as error:
        raise UserError(f"{where}: OFFSET {text} must be three numbers") from error
    return [x, y, z]


def _channels(text: str, where: str) -> list[str]:
    count, *words = text.split() or [""]
    unknown = [word for word in words if word.lower() not in _KEYS]
    if unknown or count != str(len(words)):
        raise UserError(f"{where}: CHANNELS {text} must be a count, then that many of "
                        f"{', '.join(_CHANNELS)}")  # fmt: skip
    return [_KEYS[word.lower()] for word in words]
