"""How far a pose goes beyond what human joints do.

The ranges are what healthy adults do, as clinicians state it. Where a line names no other source
it is the American Academy of Orthopaedic Surgeons (Joint Motion: Method of Measuring and
Recording, 1965), as Norkin & White, Measurement of Joint Motion, cite it. Neither book could be
had: the values are as others quote them, and the lines name who agrees. Children go further: at
2 to 8 years hips bend by 131 to 141 degrees and knees by 148 to 153 (means of the CDC's Joint
Range of Motion Study).

No source was found for the little that joints turn about other axes, such as the foot about the
shin: 15 to either side is our choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from repogen.bodies.skeleton import mirrored

_HARDLY = (-15.0, 15.0)

_Range = tuple[float, float]


@dataclass(frozen=True)
class _Motion:
    """What some joints do together: rotation vectors, degrees from the T-pose, about the
    subject's left (x), up (y) and front (z)."""

    joints: tuple[str, ...]
    x: _Range
    y: _Range
    z: _Range


_MIDDLE = (
    # x: backwards, forwards; y: rotation; z: to the sides.
    _Motion(("spine1", "spine2", "spine3"), (-25, 80), (-45, 45), (-35, 35)),
    # The same. US Code of Federal Regulations, 38 CFR 4.71a, note 2 on the spine.
    _Motion(("neck", "head"), (-45, 45), (-80, 80), (-45, 45)),
)

_LEFT = (
    # x: flexion, extension; y: medial, lateral rotation; z: adduction, abduction. Merck's manual
    # has the same rotations and abduction; Kurz, Stretching Scientifically, the same extension,
    # flexion 110 to 130 and adduction 20 to 30.
    _Motion(("left_hip",), (-120, 30), (-45, 45), (-30, 45)),
    # x: flexion; 130 in Merck's manual
    _Motion(("left_knee",), (0, 135), _HARDLY, _HARDLY),
    # x: dorsiflexion, plantar flexion; z: inversion, eversion. World J Orthop 8 (2017) 21,
    # table 5.
    _Motion(("left_ankle",), (-20, 50), _HARDLY, (-35, 15)),
    # x: toes up, down; of the great toe (orthopaedicsone.com, first metatarsophalangeal joint)
    _Motion(("left_foot",), (-70, 45), _HARDLY, _HARDLY),
    # x: lateral, medial rotation; y: forwards, backwards (Kurz); z: down, and up to 180 from the
    # flank
    _Motion(("left_collar", "left_shoulder"), (-90, 70), (-130, 45), (-90, 90)),
    # y: flexion
    _Motion(("left_elbow",), (-80, 80), (-150, 0), _HARDLY),
    # y: radial, ulnar deviation; z: flexion, extension
    _Motion(("left_wrist",), (-80, 80), (-20, 30), (-80, 70)),
)
"""x of elbow and wrist: supination, pronation of the forearm, which rigs put in either."""


def _on_the_right(motion: _Motion) -> _Motion:
    def swap(limits: _Range) -> _Range:
        return -limits[1], -limits[0]

    joints = tuple(mirrored(joint) for joint in motion.joints)
    return _Motion(joints, motion.x, swap(motion.y), swap(motion.z))


_MOTIONS = _MIDDLE + _LEFT + tuple(_on_the_right(motion) for motion in _LEFT)


def range_excess(angles: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    """Degrees beyond the human range, summed over the three axes, of each joint beyond it.

    `angles` are rotation vectors as `Body.pose` takes them; fingers are not looked at. Vertebrae,
    neck and head, and collar and shoulder each share one range, under their last joint's name:
    their angles are added. A component is compared with the range about its axis, which is exact
    for a turn about one axis and an approximation for others.
    """
    out = {}
    for motion in _MOTIONS:
        turn = np.sum([angles.get(joint, (0.0, 0.0, 0.0)) for joint in motion.joints], axis=0)
        low, high = np.transpose([motion.x, motion.y, motion.z])
        beyond = float(np.maximum(low - turn, 0.0).sum() + np.maximum(turn - high, 0.0).sum())
        if beyond > 0:
            out[motion.joints[-1]] = beyond
    return out
