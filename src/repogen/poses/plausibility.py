"""How far a pose exceeds the range of motion of human joints.

The ranges are those of healthy adults in clinical references. Where a line names no other source
it is the American Academy of Orthopaedic Surgeons (Joint Motion: Method of Measuring and
Recording, 1965), as cited by Norkin & White, Measurement of Joint Motion. Both books are quoted
from secondary sources; the lines name references that agree. Children exceed these ranges: at 2
to 8 years hips flex by 131 to 141 degrees and knees by 148 to 153 (means of the CDC's Joint Range
of Motion Study).

No source was found for the small rotations about a joint's other axes, such as the foot about the
shin; ±15 degrees is our choice.
"""

from dataclasses import dataclass

import numpy as np

from repogen.bodies.skeleton import Angles, mirrored

_SMALL = (-15.0, 15.0)

_Range = tuple[float, float]


@dataclass(frozen=True)
class _JointRange:
    """The range of the summed rotation vectors of some joints, degrees from the T-pose, about the
    subject's left (x), up (y) and front (z)."""

    joints: tuple[str, ...]
    x: _Range
    y: _Range
    z: _Range


_MIDDLE = (
    # x: backwards, forwards; y: rotation; z: to the sides.
    _JointRange(("spine1", "spine2", "spine3"), (-25, 80), (-45, 45), (-35, 35)),
    # The same. US Code of Federal Regulations, 38 CFR 4.71a, note 2 on the spine.
    _JointRange(("neck", "head"), (-45, 45), (-80, 80), (-45, 45)),
)

_LEFT = (
    # x: flexion, extension; y: medial, lateral rotation; z: adduction, abduction. Merck's manual
    # has the same rotations and abduction; Kurz, Stretching Scientifically, the same extension,
    # flexion 110 to 130 and adduction 20 to 30.
    _JointRange(("left_hip",), (-120, 30), (-45, 45), (-30, 45)),
    # x: flexion; 130 in Merck's manual
    _JointRange(("left_knee",), (0, 135), _SMALL, _SMALL),
    # x: dorsiflexion, plantar flexion; z: inversion, eversion. World J Orthop 8 (2017) 21,
    # table 5.
    _JointRange(("left_ankle",), (-20, 50), _SMALL, (-35, 15)),
    # x: toes up, down; of the great toe (orthopaedicsone.com, first metatarsophalangeal joint)
    _JointRange(("left_foot",), (-70, 45), _SMALL, _SMALL),
    # x: lateral, medial rotation; y: forwards, backwards (Kurz); z: down, and up to 180 from the
    # flank
    _JointRange(("left_collar", "left_shoulder"), (-90, 70), (-130, 45), (-90, 90)),
    # y: flexion
    _JointRange(("left_elbow",), (-80, 80), (-150, 0), _SMALL),
    # y: radial, ulnar deviation; z: flexion, extension
    _JointRange(("left_wrist",), (-80, 80), (-20, 30), (-80, 70)),
)
"""x of elbow and wrist: supination, pronation of the forearm, which rigs put in either."""


def _mirror_range(left: _JointRange) -> _JointRange:
    def negate(limits: _Range) -> _Range:
        return -limits[1], -limits[0]

    joints = tuple(mirrored(joint) for joint in left.joints)
    return _JointRange(joints, left.x, negate(left.y), negate(left.z))


_RANGES = _MIDDLE + _LEFT + tuple(_mirror_range(left) for left in _LEFT)


def range_excess(angles: Angles) -> dict[str, float]:
    """Degrees beyond the human range, summed over the axes, for each joint that exceeds it.

    `angles` are rotation vectors as `Body.pose` takes them; fingers are ignored. Vertebrae, neck
    and head, and collar and shoulder each share one range under their last joint's name; their
    angles are added. Each component is compared with the range about its axis, which is exact for
    a rotation about one axis and approximate otherwise.
    """
    out = {}
    for limits in _RANGES:
        total = np.sum([angles.get(joint, (0.0, 0.0, 0.0)) for joint in limits.joints], axis=0)
        low, high = np.transpose([limits.x, limits.y, limits.z])
        excess = float(np.maximum(low - total, 0.0).sum() + np.maximum(total - high, 0.0).sum())
        if excess > 0:
            out[limits.joints[-1]] = excess
    return out
