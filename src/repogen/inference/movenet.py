"""MoveNet, packaged or exported, as an estimator and as a detector of people."""

from collections.abc import Callable, Collection

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.coco.crops import FLIP
from repogen.errors import UserError
from repogen.inference.estimate import JointEstimator
from repogen.models.movenet_decoding import Heads, decode_pose

PADDING = 1.15
"""Size of a crop relative to the box's longer side; see experiments/results/movenet.md."""

HEADS = ("center", "heatmap", "offset", "regress")
"""Outputs of a network for one person."""

Network = Callable[[UInt8[np.ndarray, "n h w 3"]], Heads]
"""A function from RGB crops to MoveNet's heads."""


def movenet_estimator(network: Network, size: int) -> JointEstimator:
    """The estimator of a network for one person whose input has `size` pixels on a side."""

    def find(crops: UInt8[np.ndarray, "n h w 3"], flip: bool) -> Float[np.ndarray, "n 17 3"]:
        heads = network(crops)
        if flip:
            mirrored = _mirror(network(np.ascontiguousarray(crops[:, :, ::-1])))
            heads = {name: (heads[name] + mirrored[name]) / 2 for name in HEADS}
        # The decoded joints are 0 at the input's corner.
        return decode_pose(heads) - (0.5, 0.5, 0)

    return JointEstimator((size, size), PADDING, find)


def check_one_person(heads: Collection[str]) -> None:
    """Raise `UserError` for the heads of a network that finds several people."""
    if "box_scale" in heads:
        raise UserError("multipose finds people; give it as --detector, and thunder as --weights")


def _mirror(heads: Heads) -> Heads:
    """The heads of a picture from those of its mirror image."""
    back = {name: heads[name][..., ::-1] for name in HEADS}
    pairs = {name: _pairs(back[name]).copy() for name in ("regress", "offset")}
    for pair in pairs.values():
        pair[:, :, 1] = 1 - pair[:, :, 1]  # from a cell's other side
    return {
        "center": back["center"],
        "heatmap": back["heatmap"][:, FLIP],
        **{name: pair.reshape(back[name].shape) for name, pair in pairs.items()},
    }


def _pairs(values: Float[np.ndarray, "n 34 h w"]) -> Float[np.ndarray, "n 17 2 h w"]:
    """y and x of each joint, left and right exchanged."""
    n, _, rows, columns = values.shape
    return values.reshape(n, 17, 2, rows, columns)[:, FLIP]
