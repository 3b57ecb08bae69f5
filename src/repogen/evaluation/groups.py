"""Groups of a set's persons: by the trunk's orientation in the image, and by estimated views."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from repogen.arrays import Bool, Float
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.annotations import PersonAnnotations
from repogen.extras import how_to_install
from repogen.messages import say

_SHOULDERS, _HIPS = (
    [COCO_KEYPOINTS.index(f"{side}_{joint}") for side in ("left", "right")]
    for joint in ("shoulder", "hip")
)

ORIENTATIONS = (("upright", 0, 45), ("sideways", 45, 135), ("upside down", 135, 180))
"""Names, and angles in degrees between the trunk and the image's upward direction."""

_HEIGHTS = (("from below", -90, -30), ("level", -30, 30), ("from above", 30, 90))
"""Names, and estimated elevations in degrees. The estimate is off by 12 degrees in the median."""

_SIDES = ("front", "left", "back", "right")

_MIN_JOINTS = 6
"""Persons with fewer labelled joints have no estimated view, as in `repogen views`."""


@dataclass(frozen=True)
class PersonGroups:
    """Groups of n persons; a person may be in none."""

    title: str
    """What the groups differ in, after "by"."""
    masks: Mapping[str, Bool[np.ndarray, " n"]]


def trunk_angles(people: PersonAnnotations) -> Float[np.ndarray, " n"]:
    """Angles in degrees, 0 to 180, between the way from the hips to the shoulders and the image's
    upward direction; NaN where none of the hips or of the shoulders is labelled."""
    middles = []
    for joints in (_SHOULDERS, _HIPS):
        points = people.keypoints[:, joints]
        labelled = points[:, :, 2:] > 0
        with np.errstate(invalid="ignore"):
            middles.append((points[:, :, :2] * labelled).sum(axis=1) / labelled.sum(axis=1))
    x, y = (middles[0] - middles[1]).T
    return np.degrees(np.abs(np.arctan2(x, -y)))


def orientation_groups(people: PersonAnnotations) -> PersonGroups:
    """The persons by the orientation of their trunk in the image (`ORIENTATIONS`)."""
    angles = trunk_angles(people)
    masks = {
        name: (angles >= low) & ((angles < high) | (high == 180))
        for name, low, high in ORIENTATIONS
    }
    return PersonGroups("orientation of the trunk in the image", masks)


def estimated_views(people: PersonAnnotations) -> Float[np.ndarray, "n 2"] | None:
    """Azimuth and elevation of the camera in degrees, by the person's own axes, estimated from the
    labelled joints; NaN for persons with fewer than six.

    None without torch, which is said on stderr. The regressor is trained once on each machine.
    """
    if find_spec("torch") is None:
        say(f"no groups by estimated view, which need torch; {how_to_install('torch')}")
        return None
    from repogen.viewpoint_estimation.mixture import mode
    from repogen.viewpoint_estimation.regressor import estimate_views
    from repogen.viewpoint_estimation.sphere import directions_to_angles
    from repogen.viewpoint_estimation.trained import load_regressor

    out = np.full((len(people), 2), np.nan)
    labelled = (people.keypoints[:, :, 2] > 0).sum(axis=1)
    rows = np.flatnonzero((labelled >= _MIN_JOINTS) & ~people.crowd)
    if len(rows):
        found = mode(estimate_views(load_regressor().network, people.keypoints[rows])).numpy()
        out[rows] = directions_to_angles(found.astype(np.float64))
    return out


def view_groups(views: Float[np.ndarray, "n 2"]) -> tuple[PersonGroups, PersonGroups]:
    """The persons by estimated elevation, and by the side that is seen; NaN is in none."""
    azimuth, elevation = views.T
    heights = {
        name: (elevation >= low) & ((elevation < high) | (high == 90))
        for name, low, high in _HEIGHTS
    }
    with np.errstate(invalid="ignore"):
        quadrant = np.where(np.isnan(azimuth), -1, np.round(np.nan_to_num(azimuth) / 90) % 4)
    sides = {name: quadrant == i for i, name in enumerate(_SIDES)}
    return (
        PersonGroups("estimated elevation of the camera", heights),
        PersonGroups("estimated side of the person", sides),
    )
