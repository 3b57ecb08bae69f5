"""Measured poses: random frames of SMPL and BVH files, asset packs and our own pose files.

The joint angles, the rotation of the whole body and its height above the floor are used, its
position is not: cameras are placed around the body (docs/method.md).
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from repogen.assets.packs import check_pack_file, pack_folders, read_index
from repogen.bodies.skeleton import BODY_JOINTS, mirrored
from repogen.errors import UserError
from repogen.poses.amass import amass_frames, read_amass
from repogen.poses.clips import Clip, Pose, read_pose_file
from repogen.usable_files import Usable, draw_readable, find_usable, report_bad

SMPL_SUFFIXES = (".npz", ".npy", ".pkl")
SUFFIXES = (*SMPL_SUFFIXES, ".bvh", ".json")

_CACHED_FILES = 40
"""Files kept in memory; MakeHuman's poses are 37 files of one frame."""


@dataclass(frozen=True)
class Motion:
    """Files of measured poses, ordered by name."""

    files: tuple[Path, ...]
    ends: tuple[int, ...]
    """Number of frames in each file and all before it."""
    found: Usable
    """The files looked at, with the reasons of those left out."""

    @property
    def frames(self) -> int:
        """Number of frames in all files."""
        return self.ends[-1]


def poses_of_pack(path: Path) -> Path | None:
    """The folder of poses of the asset pack that `path` names.

    None if there is no such pack with poses, or a file or folder at `path`.
    """
    if path.exists():
        return None
    folder = next((folder for folder in pack_folders() if folder.name == str(path)), None)
    poses = folder is not None and any(item.kind == "poses" for item in read_index(folder).items)
    return folder / "poses" if folder is not None and poses else None


def load_motion(path: Path) -> Motion:
    """The motion of one file, of all files with `SUFFIXES` below a folder, or of the asset
    pack that `path` names.

    Files of a folder that cannot be used are left out; those of SMPL without poses (AMASS's body
    shapes) are ignored. Of more than 1 GiB only the headers are read. Raises `UserError`
    for a single file that cannot be used, and for a folder without a usable one.
    """
    if path.is_file():
        count = len(read_clip(path).degrees)
        return Motion((path,), (count,), Usable((path,), (count,), ()))
    folder = poses_of_pack(path) or path
    if not folder.is_dir():
        raise UserError(
            f"--poses {path}: there is no such file or folder, nor an asset pack with poses (core "
            "is one)"
        )
    paths = sorted(
        file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()
    )
    found = find_usable(paths, frames_of, str(folder), quick=_frames)
    counts = {file: count for file, count in zip(found.files, found.values, strict=True) if count}
    if not counts:
        if found.bad:
            raise UserError(
                f"--poses {path}: {len(found.bad)} of {found.count} files cannot be used and none "
                f"holds motion, the first because {found.bad[0]}"
            )
        raise UserError(f"--poses {path} holds no motion: no {', '.join(SUFFIXES)} file with poses")
    return Motion(tuple(counts), tuple(accumulate(counts.values())), found)


def sample_motion(
    rng: np.random.Generator, motion: Motion, noise_deg: float = 0.0, mirror: bool = True
) -> Pose:
    """A random frame, uniform over all frames of all files.

    With `mirror`, half of the poses are mirrored. `noise_deg` is the standard deviation of
    Gaussian noise on each of the 63 body angles. Hands are included if the file has them.
    A file that cannot be read any more is drawn again; raises `UserError` after 50 in a row.
    """
    pose = draw_readable(lambda: _random_frame(rng, motion))
    if mirror and rng.random() < 0.5:
        pose = mirrored_pose(pose)
    angles = pose.angles
    if noise_deg > 0:
        noise = rng.normal(0.0, noise_deg, (len(BODY_JOINTS), 3)).tolist()
        for joint, (dx, dy, dz) in zip(BODY_JOINTS, noise, strict=True):
            x, y, z = angles.get(joint, (0.0, 0.0, 0.0))
            angles[joint] = (x + dx, y + dy, z + dz)
    return pose


def _random_frame(rng: np.random.Generator, motion: Motion) -> Pose:
    frame = int(rng.integers(motion.frames))
    index = bisect_right(motion.ends, frame)
    first = motion.ends[index - 1] if index else 0
    clip = read_clip(motion.files[index])
    if len(clip.degrees) != motion.ends[index] - first:
        raise UserError(f"{motion.files[index]} has another number of frames than at the beginning")
    return clip.pose(frame - first)


def mirrored_pose(pose: Pose) -> Pose:
    """The mirrored pose: left and right swapped, rotations about y and z reversed."""
    x, y, z = pose.orientation
    angles = {mirrored(joint): (x, -y, -z) for joint, (x, y, z) in pose.angles.items()}
    return Pose(angles, (x, -y, -z), pose.clearance)


@lru_cache(maxsize=_CACHED_FILES)
def read_clip(path: Path) -> Clip:
    """All frames of one file, cached. Raises `UserError` for a file that cannot be read or whose
    name ends in none of `SUFFIXES`, or that is of an asset pack and has changed."""
    check_pack_file(path)
    suffix = path.suffix.lower()
    if suffix in SMPL_SUFFIXES:
        return read_amass(path)
    if suffix == ".bvh":
        from repogen.poses.bvh import read_bvh
        from repogen.poses.retarget import retarget

        return retarget(*read_bvh(path), str(path))
    if suffix == ".json":
        return read_pose_file(path)
    raise UserError(f"--poses {path}: give a folder or a file that ends in {', '.join(SUFFIXES)}")


def frames_of(path: Path) -> int | None:
    """Number of frames of a file that is read completely; None for one of SMPL without poses.

    Raises `UserError` as `read_clip` does.
    """
    if path.suffix.lower() in SMPL_SUFFIXES and amass_frames(path) is None:
        return None
    return len(read_clip(path).degrees)


def _frames(path: Path) -> int | None:
    suffix = path.suffix.lower()
    if suffix in SMPL_SUFFIXES:
        return amass_frames(path)
    if suffix == ".bvh":
        from repogen.poses.bvh import bvh_frames  # SciPy's rotations are slow to import

        return bvh_frames(path)
    return len(read_clip(path).degrees)


def report_skipped(motion: Motion) -> None:
    """Warn once of the files of a folder that were left out."""
    report_bad("--poses", motion.found)
