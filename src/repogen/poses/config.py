"""The options of poses: random ones, a named one, or measured ones."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from repogen.config import Config
from repogen.errors import UserError, check_between
from repogen.mixes import Mix
from repogen.poses.acrobatic import ACROBATIC
from repogen.poses.bounds import Bounds, default_bounds, load_bounds
from repogen.poses.motion import Motion, load_motion, report_skipped
from repogen.poses.orientation import OF_POSE, parse_orientations
from repogen.poses.sampler import Sampler, read_sampler


@dataclass(frozen=True, init=False)
class PoseConfig(Config):
    """How people are posed: at random within the joints' bounds, as named, or as measured."""

    pose_distribution: Literal[
        "pair_of_gaussians", "uniform", "truncated_gaussian", "exponential_uniform", "acrobatic"
    ] = "pair_of_gaussians"
    """Distribution of each joint angle between its bounds. acrobatic: joints move together, in
    tucked, piked, arched, lunging and other poses; it has no bounds and no variance."""
    pose_variance: float | Literal["random"] = 1.0
    """Factor on all joint bounds, 0 (no movement) to 4. random: 1/s for each person, s uniform
    between 1 and 1.5."""
    bounds: Path | None = None
    """TOML file of joint bounds in degrees that replace the paper's."""
    pose: (
        Literal[
            "max", "min", "sit", "stand", "stretch", "tpose", "handstand", "headstand", "cartwheel",
            "bridge", "lying-back", "lying-front", "lying-side", "crouch", "hang",
        ]
        | None
    ) = None  # fmt: skip
    """Give everybody this one pose: max and min are the ends of all joint bounds."""
    orientation: tuple[str, ...] = (OF_POSE,)
    """How people are turned, equally likely or with weights that sum to 1 (upright=0.7
    lying=0.3): file, as the measured or named pose says, random poses upright; upright; any,
    all directions alike; inverted, upside down within 35 degrees; lying, within 20 degrees of
    level on any side."""
    poses: Path | None = None
    """Measured poses: a .npz, .npy or .pkl file of SMPL (AMASS), a .bvh or pose .json file, a
    folder of such files, or an asset pack with poses (core)."""
    poses_share: float = 1.0
    """Share of the people, 0 to 1, who take a measured pose; the others' poses are random."""
    poses_noise: float = 0.0
    """Standard deviation in degrees, 0 to 90, of noise on each angle of a measured pose."""
    poses_mirror: bool = True
    """Mirror half of the measured poses."""
    sampler: Path | None = None
    """TOML file of a distribution that repogen mine learnt. Most people take their pose,
    orientation and view from it, the others as the other options say; azimuth and elevation limit
    its views."""
    max_intersection: float | None = None
    """Largest share of the skin, 0 to 1, that may lie inside the body (0.01 = 1 %). A pose with
    more is drawn again, at most 20 times; then the best of them is used. Elbows and knees bent past
    180 degrees hardly count: bounds and pose-variance limit those."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range, and options that contradict each other."""
        if self.pose_distribution == ACROBATIC and (self.pose_variance != 1.0 or self.bounds):
            raise UserError(
                "--pose-distribution acrobatic has bounds of its own; leave out --bounds and "
                "--pose-variance"
            )
        parse_orientations(self.orientation)
        if self.pose_variance != "random":
            check_between("--pose-variance", self.pose_variance, 0, 4)
        check_between("--poses-share", self.poses_share, 0, 1)
        check_between("--poses-noise", self.poses_noise, 0, 90)
        if self.poses is not None and self.pose is not None:
            raise UserError("give --pose or --poses, not both")
        if self.sampler is not None and self.pose is not None:
            raise UserError("give --pose or --sampler, not both")
        if self.poses is None and (self.poses_share, self.poses_noise, self.poses_mirror) != (
            1,
            0,
            True,
        ):
            raise UserError("--poses-share, --poses-noise and --poses-mirror need --poses")
        if self.max_intersection is not None:
            check_between("--max-intersection", self.max_intersection, 0, 1)
            if self.pose is not None:
                raise UserError("--max-intersection chooses among random poses; --pose is only one")

    def check_files(self) -> None:
        """Raise `UserError` for files that hold no bounds or no poses."""
        if self.bounds is not None:
            _ = self.joint_bounds
        if self.sampler is not None:
            _ = self.learnt
        if self.poses is not None:
            report_skipped(self.motion)

    @cached_property
    def joint_bounds(self) -> Bounds:
        """The bounds in the file, or the paper's. Read once for each config."""
        return load_bounds(self.bounds) if self.bounds else default_bounds()

    @cached_property
    def orientations(self) -> Mix:
        """The orientations by weight. Parsed once for each config."""
        return parse_orientations(self.orientation)

    @cached_property
    def learnt(self) -> Sampler | None:
        """The distribution of the option `sampler`, if given. Read once for each config."""
        return None if self.sampler is None else read_sampler(self.sampler)

    @cached_property
    def motion(self) -> Motion:
        """The measured poses. Read once for each config."""
        assert self.poses is not None
        return load_motion(self.poses)
