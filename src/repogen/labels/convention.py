"""Offset from the centre of a joint to where COCO's annotators click."""

from typing import Literal, get_args

import numpy as np

from repogen.arrays import Float
from repogen.bodies.protocol import PosedBody
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import unknown_choice

TRUNK_SHIFT = 0.046
"""Annotators click shoulders and hips above the joints' centres. The offset is this share of the
trunk's length (2.5 cm on an adult), along the line from the middle of the hips to the middle of
the shoulders.

A pretrained COCO model places shoulders and hips higher by about 3 % of the square root of the
person's area. Labels of upright people agree (tests/labels/test_convention.py): trunk to leg is
0.62 in LSPet and 0.64 at the joints' centres, thigh to shank 1.07 and 1.00. See docs/method.md."""

SHIFTED = [COCO_KEYPOINTS.index(f"{s}_{j}") for s in ("left", "right") for j in ("shoulder", "hip")]
"""Indices of the joints that move: shoulders and hips."""

LabelConvention = Literal["annotators", "anatomical"]
"""`annotators`: shoulders and hips where COCO's annotators click; `anatomical`: at the joints'
centres."""

CONVENTIONS: tuple[str, ...] = get_args(LabelConvention)


def labelled_keypoints(body: PosedBody, convention: str) -> Float[np.ndarray, "17 3"]:
    """The 17 keypoints by one of the `CONVENTIONS`, metres in the world frame.

    Raises `UserError` for another convention.
    """
    if convention not in CONVENTIONS:
        raise unknown_choice("--label-convention", convention, CONVENTIONS)
    return annotators_keypoints(body) if convention == "annotators" else body.keypoints


def annotators_keypoints(body: PosedBody) -> Float[np.ndarray, "17 3"]:
    """The 17 keypoints where COCO's annotators click, metres in the world frame."""
    points = body.keypoints.copy()
    shoulders, hips = points[5:7].mean(axis=0), points[11:13].mean(axis=0)
    points[SHIFTED] += TRUNK_SHIFT * (shoulders - hips)
    return points
