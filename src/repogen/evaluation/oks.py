"""Average precision over object keypoint similarity, as COCO defines it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

SIGMAS = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]
) / 1000  # fmt: skip
"""How far annotators stray on each joint, relative to the person's size (COCO)."""

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST = 20
"""Detections an image that count."""

AREAS = {"all": (0.0, 1e10), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}


def similarity(
    truth: Float[np.ndarray, "t 17 3"],
    boxes: Float[np.ndarray, "t 4"],
    areas: Float[np.ndarray, " t"],
    found: Float[np.ndarray, "d 17 2"],
) -> Float[np.ndarray, "d t"]:
    """OKS of every detection with every labelled person.

    Over the labelled joints; for a person with none, by how far joints lie outside twice the box.
    """
    variance = (2 * SIGMAS) ** 2
    labelled = np.asarray(truth[:, :, 2] > 0)
    x, y = found[:, None, :, 0], found[:, None, :, 1]
    dx, dy = x - truth[None, :, :, 0], y - truth[None, :, :, 1]
    empty = np.atleast_1d(~labelled.any(axis=1))
    if empty.any():
        left, top = (boxes[empty, i] - boxes[empty, i + 2] for i in (0, 1))
        right, bottom = (boxes[empty, i] + 2 * boxes[empty, i + 2] for i in (0, 1))
        left, top, right, bottom = (v[None, :, None] for v in (left, top, right, bottom))
        dx[:, empty] = np.maximum(0, left - x) + np.maximum(0, x - right)
        dy[:, empty] = np.maximum(0, top - y) + np.maximum(0, y - bottom)
    error = (dx**2 + dy**2) / variance / (areas[None, :, None] + np.spacing(1)) / 2
    counts = np.where(empty[:, None], True, labelled)
    return (np.exp(-error) * counts).sum(axis=2) / counts.sum(axis=1)


@dataclass(frozen=True)
class Matches:
    """Detections of all images in order of image, at ten thresholds, in one range of areas."""

    scores: Float[np.ndarray, " d"]
    image: Int[np.ndarray, " d"]
    hit: Bool[np.ndarray, "10 d"]
    ignored: Bool[np.ndarray, "10 d"]
    persons: Int[np.ndarray, " i"]
    """How many persons each image asks for."""


def match(
    similarities: Float[np.ndarray, "d t"],
    scores: Float[np.ndarray, " d"],
    found_areas: Float[np.ndarray, " d"],
    ignore: Bool[np.ndarray, " t"],
    crowd: Bool[np.ndarray, " t"],
    limits: tuple[float, float],
) -> tuple[Bool[np.ndarray, "10 d"], Bool[np.ndarray, "10 d"]]:
    """Which detections of one image (by falling score) hit a person, and which do not count.

    Each takes the most similar person left, one that counts rather than one that does not.
    """
    order = np.argsort(ignore, kind="stable")
    hit = np.zeros((len(THRESHOLDS), len(scores)), dtype=bool)
    ignored = np.zeros_like(hit)
    for row, threshold in enumerate(THRESHOLDS):
        taken = np.zeros(len(ignore), dtype=bool)
        for d in range(len(scores)):
            best, at = min(threshold, 1 - 1e-10), -1
            for t in order:
                if taken[t] and not crowd[t]:
                    continue
                if at >= 0 and not ignore[at] and ignore[t]:
                    break
                if similarities[d, t] >= best:
                    best, at = similarities[d, t], t
            if at >= 0:
                hit[row, d], ignored[row, d], taken[at] = True, ignore[at], True
    outside = (found_areas < limits[0]) | (found_areas > limits[1])
    return hit, ignored | (~hit & outside)


def precision_recall(
    matches: Matches, weights: Float[np.ndarray, " i"] | None = None
) -> tuple[Float[np.ndarray, "10"], Float[np.ndarray, "10"]]:
    """Average precision and highest recall at each threshold, -1 where nobody is asked for.

    `weights` counts each image so many times: a bootstrap draw.
    """
    weight = np.ones(len(matches.persons)) if weights is None else weights
    wanted = float((weight * matches.persons).sum())
    if wanted == 0:
        return np.full(len(THRESHOLDS), -1.0), np.full(len(THRESHOLDS), -1.0)
    order = np.argsort(-matches.scores, kind="mergesort")
    times = weight[matches.image[order]]
    right = np.cumsum(times * (matches.hit & ~matches.ignored)[:, order], axis=1)
    wrong = np.cumsum(times * (~matches.hit & ~matches.ignored)[:, order], axis=1)
    if right.shape[1] == 0:
        return np.zeros(len(THRESHOLDS)), np.zeros(len(THRESHOLDS))
    recall = right / wanted
    precision = right / (right + wrong + np.spacing(1))
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    average = np.empty(len(THRESHOLDS))
    for row in range(len(THRESHOLDS)):
        at = np.searchsorted(recall[row], RECALLS, side="left")
        reached = at < len(recall[row])
        average[row] = precision[row, at[reached]].sum() / len(RECALLS)
    return average, recall[:, -1]
