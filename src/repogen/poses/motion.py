"""Measured poses: random frames of SMPL and BVH files, asset packs and our own pose files.

Only the joint angles are used. The rotation and position of the whole body are ignored: cameras
are placed relative to the body (docs/method.md), so a person lying down equals one standing,
seen from another side.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from repogen.assets.packs import assets_dir, installed
from repogen.bodies.skeleton import BODY_JOINTS, mirrored
from repogen.errors import UserError
from repogen.messages import warn
from repogen.poses.amass import amass_frames, read_amass
from repogen.poses.clips import Clip, read_pose_file
from repogen.poses.sampling import Angles

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
    skipped: tuple[str, ...]
    """For each unusable file of the folder, the reason."""

    @property
    def frames(self) -> int:
        """Number of frames in all files."""
        return self.ends[-1]


def poses_of_pack(path: Path) -> Path | None:
    """The folder of poses of the installed asset pack that `path` names.

    None if there is no such pack with poses, or a file or folder at `path`.
    """
    if path.exists():
        return None
    pack = installed().get(str(path))
    poses = pack is not None and any(item.kind == "poses" for item in pack.items)
    return assets_dir() / str(path) / "poses" if poses else None


def load_motion(path: Path) -> Motion:
    """The motion of one file, of all files with `SUFFIXES` below a folder, or of the asset
    pack that `path` names.

    Of a folder, only the files' headers are read; those of SMPL without poses (AMASS's body shapes)
    are ignored. Raises `UserError` for a file that cannot be used, for a folder without motion,
    and for a folder with more unusable than usable files.
    """
    if path.is_file():
        return Motion((path,), (len(read_clip(path).degrees),), ())
    folder = poses_of_pack(path) or path
    if not folder.is_dir():
        raise UserError(
            f"--poses {path}: there is no such file or folder, nor an installed asset pack with "
            "poses (repogen assets add makehuman installs one)"
        )
    counts: dict[Path, int] = {}
    skipped = []
    found = (file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    for file in sorted(file for file in found if file.is_file()):
        try:
            count = _frames(file)
        except UserError as error:
            skipped.append(str(error))
        else:
            if count is not None:
                counts[file] = count
    if len(skipped) > len(counts):
        raise UserError(
            f"--poses {path}: {len(skipped)} of {len(skipped) + len(counts)} files cannot be used, "
            f"the first because {skipped[0]}"
        )
    if not counts:
        raise UserError(f"--poses {path} holds no motion: no {', '.join(SUFFIXES)} file with poses")
    return Motion(tuple(counts), tuple(accumulate(counts.values())), tuple(skipped))


def sample_motion(
    rng: np.random.Generator, motion: Motion, noise_deg: float = 0.0, mirror: bool = True
) -> Angles:
    """A random frame, uniform over all frames of all files.

    With `mirror`, half of the poses are mirrored. `noise_deg` is the standard deviation of
    Gaussian noise on each of the 63 body angles. Hands are included if the file has them.
    Raises `UserError` for a broken file.
    """
    frame = int(rng.integers(motion.frames))
    index = bisect_right(motion.ends, frame)
    clip = read_clip(motion.files[index])
    angles = clip.angles(frame - (motion.ends[index - 1] if index else 0))
    if mirror and rng.random() < 0.5:
        angles = mirrored_angles(angles)
    if noise_deg > 0:
        noise = rng.normal(0.0, noise_deg, (len(BODY_JOINTS), 3)).tolist()
        for joint, (dx, dy, dz) in zip(BODY_JOINTS, noise, strict=True):
            x, y, z = angles.get(joint, (0.0, 0.0, 0.0))
            angles[joint] = (x + dx, y + dy, z + dz)
    return angles


def mirrored_angles(angles: Angles) -> Angles:
    """The mirrored pose: left and right swapped, rotations about y and z reversed."""
    return {mirrored(joint): (x, -y, -z) for joint, (x, y, z) in angles.items()}


@lru_cache(maxsize=_CACHED_FILES)
def read_clip(path: Path) -> Clip:
    """All frames of one file, cached. Raises `UserError` for a file that cannot be read or whose
    name ends in none of `SUFFIXES`."""
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


def _frames(path: Path) -> int | None:
    suffix = path.suffix.lower()
    if suffix in SMPL_SUFFIXES:
        return amass_frames(path)
    if suffix == ".bvh":
        from repogen.poses.bvh import bvh_frames  # SciPy's rotations are slow to import

        return bvh_frames(path)
    return len(read_clip(path).degrees)


@lru_cache(maxsize=8)
def report_skipped(motion: Motion) -> None:
    """Report once on stderr how many files of a folder were skipped."""
    if motion.skipped:
        warn(
            f"--poses: {len(motion.skipped)} of {len(motion.skipped) + len(motion.files)} files "
            f"skipped, the first because {motion.skipped[0]}"
        )
