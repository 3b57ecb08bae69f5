"""Where COCO's annotators put a joint, as against where anatomy has it."""

import numpy as np
from jaxtyping import Float

from repogen.bodies.protocol import PosedBody


def annotators_keypoints(body: PosedBody) -> Float[np.ndarray, "17 3"]:
    """The 17 keypoints as COCO's annotators would click them, metres in the world."""
    return body.keypoints
