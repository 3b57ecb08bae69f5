"""Where COCO's annotators put a joint, as against where anatomy has it."""

import numpy as np
from jaxtyping import Float

from repogen.bodies.protocol import PosedBody
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import unknown_choice

TRUNK_SHIFT = 0.046
"""Annotators click shoulders and hips higher than the joints' centres, by this share of the
trunk's length (2.5 cm on an adult) along the line from the hips' middle to the shoulders'.

DESIGN saw about 3 % of the root of the person's area with a pretrained model. Upright people
of known labels agree (tests/labels/test_convention.py): trunk to leg is 0.62 in LSPet and 0.64
on the bare joints, thigh to shank 1.07 against 1.00."""

_RAISED = [COCO_KEYPOINTS.index(f"{s}_{j}") for s in ("left", "right") for j in ("shoulder", "hip")]


CONVENTIONS = ("annotators", "anatomical")
"""`annotators`: shoulders and hips where COCO's annotators click them; `anatomical`: at the joints'
centers."""


def labelled_keypoints(body: PosedBody, convention: str) -> Float[np.ndarray, "17 3"]:
    """The 17 keypoints by one of the `CONVENTIONS`, metres in the world frame.

    Raises `UserError` for another convention.
    """
    if convention not in CONVENTIONS:
        raise unknown_choice("--label-convention", convention, CONVENTIONS)
    return annotators_keypoints(body) if convention == "annotators" else body.keypoints


def annotators_keypoints(body: PosedBody) -> Float[np.ndarray, "17 3"]:
    """The 17 keypoints as COCO's annotators would click them, metres in the world."""
    points = body.keypoints.copy()
    shoulders, hips = points[5:7].mean(axis=0), points[11:13].mean(axis=0)
    points[_RAISED] += TRUNK_SHIFT * (shoulders - hips)
    return points
