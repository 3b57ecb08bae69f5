"""Joint bounds, angle distributions, and random, named and measured poses."""

from repogen.poses.bounds import default_bounds, load_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.sampling import NAMED_POSES, named_pose, sample_body_pose

__all__ = [
    "DISTRIBUTIONS",
    "NAMED_POSES",
    "default_bounds",
    "load_bounds",
    "named_pose",
    "sample_body_pose",
]
