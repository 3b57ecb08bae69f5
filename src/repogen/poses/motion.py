"""Measured poses: random frames of AMASS npz files, BVH files, asset packs and our own pose files.

Only how the joints are bent is taken. How the whole body is turned and where it is in the world
is left out: cameras are placed around the body itself (docs/method.md#views), so a person that
lies is one that stands, seen from another side.
"""

import sys
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from repogen.assets.packs import assets_dir, installed
from repogen.bodies.skeleton import BODY_JOINTS, mirrored
from repogen.errors import UserError
from repogen.poses.amass import amass_frames, read_amass
from repogen.poses.clips import Clip, read_pose_file
from repogen.poses.sampling import Angles

SUFFIXES = (".npz", ".bvh", ".json")

_REMEMBERED = 40
"""Files that are kept in memory: all poses of MakeHuman, at one frame a file, are 37."""


@dataclass(frozen=True)
class Motion:
    """Files of measured poses, in order of their names."""

    files: tuple[Path, ...]
    ends: tuple[int, ...]
    """Frames of each file and all before it."""
    skipped: tuple[str, ...]
    """Why files of the folder were left out."""

    @property
    def frames(self) -> int:
        """Frames of all files."""
        return self.ends[-1]


def poses_of_pack(path: Path) -> Path | None:
    """The folder of an installed asset pack's poses, if `path` is the pack's name and no file or
    folder of the user's; None otherwise."""
    if path.exists():
        return None
    pack = installed().get(str(path))
    poses = pack is not None and any(item.kind == "poses" for item in pack.items)
    return assets_dir() / str(path) / "poses" if poses else None


def load_motion(path: Path) -> Motion:
    """The motion of one file, of all .npz, .bvh and .json files below a folder, or of the asset
    pack that `path` names.

    Of a folder only the files' heads are read; npz files without poses (AMASS's body shapes) are
    passed over. Raises `UserError` for a file that cannot be used, for a folder without motion,
    and for one of whose files more than half cannot be used.
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
    """One random frame, each as likely as any other.

    With `mirror` half of them are mirrored; `noise_deg` is the standard deviation of what is
    added to each of the 63 angles of the body. Hands are in it where the file has them.
    Raises `UserError` for a file that turns out to be broken.
    """
    frame = int(rng.integers(motion.frames))
    place = bisect_right(motion.ends, frame)
    clip = read_clip(motion.files[place])
    angles = clip.angles(frame - (motion.ends[place - 1] if place else 0))
    if mirror and rng.random() < 0.5:
        angles = mirrored_angles(angles)
    if noise_deg > 0:
        noise = rng.normal(0.0, noise_deg, (len(BODY_JOINTS), 3)).tolist()
        for joint, (dx, dy, dz) in zip(BODY_JOINTS, noise, strict=True):
            x, y, z = angles.get(joint, (0.0, 0.0, 0.0))
            angles[joint] = (x + dx, y + dy, z + dz)
    return angles


def mirrored_angles(angles: Angles) -> Angles:
    """The pose a mirror shows: left and right swapped, turns about y and z reversed."""
    return {mirrored(joint): (x, -y, -z) for joint, (x, y, z) in angles.items()}


@lru_cache(maxsize=_REMEMBERED)
def read_clip(path: Path) -> Clip:
    """All frames of one file; the last few files are remembered. Raises `UserError` for a file
    that cannot be read or is of no known kind."""
    suffix = path.suffix.lower()
    if suffix == ".npz":
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
    if suffix == ".npz":
        return amass_frames(path)
    if suffix == ".bvh":
        from repogen.poses.bvh import bvh_frames  # SciPy's rotations are slow to import

        return bvh_frames(path)
    return len(read_clip(path).degrees)


@lru_cache(maxsize=8)
def report_skipped(motion: Motion) -> None:
    """Says once on stderr how many files of a folder were left out."""
    if motion.skipped:
        print(
            f"repogen: --poses: {len(motion.skipped)} of {len(motion.skipped) + len(motion.files)} "
            f"files left out, the first because {motion.skipped[0]}",
            file=sys.stderr,
        )
