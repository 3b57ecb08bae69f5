"""Object keypoint similarity (OKS) of two poses, as COCO defines it."""

import numpy as np

from repogen.arrays import Bool, Float

SIGMAS = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]
) / 1000  # fmt: skip
"""COCO's constants: the spread of annotators on each joint, relative to the person's size."""


def similarity(
    truth: Float[np.ndarray, "n 17 3"],
    boxes: Float[np.ndarray, "n 4"],
    areas: Float[np.ndarray, " n"],
    found: Float[np.ndarray, "n 17 2"],
) -> Float[np.ndarray, " n"]:
    """OKS of n labelled persons with the pose found for each.

    The mean over the labelled joints. For a person without any, the distance of a joint is how
    far it lies outside the box enlarged by its own size on each side, as in pycocotools.
    """
    labelled = np.asarray(truth[:, :, 2] > 0)
    away = found - truth[:, :, :2]
    empty = np.asarray(~labelled.any(axis=1))
    corner, size = boxes[empty, None, :2], boxes[empty, None, 2:]
    away[empty] = np.maximum(0, corner - size - found[empty]) + np.maximum(
        0, found[empty] - corner - 2 * size
    )
    counts = labelled | empty[:, None]
    return (joint_similarity(away, areas) * counts).sum(axis=1) / counts.sum(axis=1)


def joint_similarity(
    away: Float[np.ndarray, "n 17 2"], areas: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n 17"]:
    """Similarity of each joint: 1 at distance 0, falling with the offset `away` in pixels."""
    square = (away**2).sum(axis=2)
    return np.exp(-square / (2 * SIGMAS) ** 2 / (areas[:, None] + np.spacing(1)) / 2)


def oks_nms(
    keypoints: Float[np.ndarray, "n 17 2"],
    scores: Float[np.ndarray, " n"],
    areas: Float[np.ndarray, " n"],
    threshold: float = 0.9,
) -> Bool[np.ndarray, " n"]:
    """Mask of the poses of one image that OKS non-maximum suppression keeps.

    A pose is dropped if its OKS with a kept pose of a higher score exceeds `threshold`. OKS is
    over all joints, with the mean of the two areas.
    """
    keep = np.ones(len(scores), dtype=bool)
    order = np.argsort(-scores, kind="stable")
    visible = np.ones((len(scores), 17, 1))
    for rank, best in enumerate(order):
        rest = order[rank + 1 :]
        rest = rest[keep[rest]]
        if not keep[best] or len(rest) == 0:
            continue
        as_truth = np.concatenate([keypoints[rest], visible[rest]], axis=2)
        alike = similarity(
            as_truth,
            np.zeros((len(rest), 4)),
            (areas[rest] + areas[best]) / 2,
            np.broadcast_to(keypoints[best], (len(rest), 17, 2)),
        )
        keep[rest[alike > threshold]] = False
    return keep
