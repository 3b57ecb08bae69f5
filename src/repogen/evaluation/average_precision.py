"""Average precision over object keypoint similarity (OKS), as pycocotools computes it."""

from dataclasses import dataclass, replace

import numpy as np

from repogen.arrays import Bool, Float, Int, UInt8

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""OKS thresholds."""

RECALLS = np.linspace(0, 1, 101)
"""Recalls at which precision is averaged."""

MAX_DETECTIONS = 20
"""Detections per image that count, the highest scores first."""

AREAS = {"all": (0.0, 1e10), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""Ranges of the person's area in square pixels, as COCO defines them."""


@dataclass(frozen=True)
class Matches:
    """The d detections of all images by descending score, matched to n persons at ten OKS
    thresholds, for one range of areas."""

    image: Int[np.ndarray, " d"]
    """Index of each detection's image."""
    matched: Bool[np.ndarray, "10 d"]
    """Whether the detection matches a person."""
    ignored: Bool[np.ndarray, "10 d"]
    """Whether the detection is neither a true nor a false positive."""
    person: Int[np.ndarray, "10 d"]
    """The matched person, else the person whose box the pose was made from, else -1."""
    wanted: Bool[np.ndarray, " n"]
    """Which persons are to be detected; the others are ignored."""
    person_image: Int[np.ndarray, " n"]
    """Index of each person's image."""

    def within(self, persons: Bool[np.ndarray, " n"]) -> "Matches":
        """The matches with only the persons of a mask wanted.

        Detections of other persons are ignored. A detection of nobody is ignored unless its image
        shows a person of the mask.
        """
        near = np.isin(self.image, self.person_image[persons])
        ignored = self.ignored | ~np.where(self.person < 0, near, persons[self.person])
        keep = ~ignored.all(axis=0)
        return replace(
            self,
            image=self.image[keep],
            matched=self.matched[:, keep],
            ignored=ignored[:, keep],
            person=self.person[:, keep],
            wanted=self.wanted & persons,
        )


def match_detections(
    oks: Float[np.ndarray, "i d t"],
    ignore: Bool[np.ndarray, "i t"],
    crowd: Bool[np.ndarray, "i t"],
) -> tuple[Bool[np.ndarray, "10 i d"], Bool[np.ndarray, "10 i d"], Int[np.ndarray, "10 i d"]]:
    """Match the detections of every image, by descending score, to its persons at each threshold.

    `oks` of i images, d detections and t persons is -1 where an image has fewer; `ignore` and
    `crowd` are flags of the persons. Each detection takes the most similar person that is left, a
    person that counts before an ignored one; a crowd may be taken more than once. Returns whether
    a detection matches, whether it matches an ignored person, and the column of that person (-1
    for none).
    """
    images, most, persons = oks.shape
    limits = np.minimum(THRESHOLDS, 1 - 1e-10)[:, None, None]
    matched = np.zeros((len(THRESHOLDS), images, most), dtype=bool)
    ignored = np.zeros_like(matched)
    person = np.full(matched.shape, -1)
    taken = np.zeros((len(THRESHOLDS), images, persons), dtype=bool)
    for rank in range(most if persons else 0):
        rows = np.flatnonzero((oks[:, rank] >= limits.min()).any(axis=1))
        here = oks[rows, rank]
        fits = (here >= limits) & (~taken[:, rows] | crowd[rows])
        counted = fits & ~ignore[rows]
        fits = np.where(counted.any(axis=2, keepdims=True), counted, fits)
        # Of equals the last, as in pycocotools.
        best = persons - 1 - np.where(fits, here, -1)[:, :, ::-1].argmax(axis=2)
        found = fits.any(axis=2)
        matched[:, rows, rank] = found
        ignored[:, rows, rank] = found & ignore[rows, best]
        person[:, rows, rank] = np.where(found, best, -1)
        threshold, row = np.nonzero(found)
        taken[threshold, rows[row], best[threshold, row]] = True
    return matched, ignored, person


def precision_recall(
    matches: Matches, weights: UInt8[np.ndarray, "w i"]
) -> tuple[Float[np.ndarray, "w 10"], Float[np.ndarray, "w 10"]]:
    """Average precision (101-point interpolated) and highest recall at each OKS threshold.

    A row of `weights` says how often each image counts: one bootstrap sample. NaN where a sample
    holds no wanted person.
    """
    blocks = [
        _precision_recall(matches, weights[start : start + _SAMPLES_AT_ONCE])
        for start in range(0, len(weights), _SAMPLES_AT_ONCE)
    ]
    average, highest = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return average, highest


_SAMPLES_AT_ONCE = 32
"""Bootstrap samples that are summed together: as many as fit into the processor's cache."""


def _precision_recall(
    matches: Matches, weights: UInt8[np.ndarray, "w i"]
) -> tuple[Float[np.ndarray, "w 10"], Float[np.ndarray, "w 10"]]:
    times = weights.T[matches.image].astype(np.int32)
    wanted_by_image = np.bincount(matches.person_image[matches.wanted], minlength=weights.shape[1])
    wanted = np.array([row @ wanted_by_image for row in weights])[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        needed = np.ceil(RECALLS * wanted)  # true positives for each recall, but for rounding
        needed -= (needed - 1) / wanted >= RECALLS
        needed += needed / wanted < RECALLS
    samples = np.arange(len(weights))[:, None]
    # An offset per sample makes one ascending row of the true positives of all samples.
    offsets = samples * (wanted.max() + 2)
    keys = (needed + offsets).astype(np.int64)
    average, highest = np.zeros((2, len(weights), len(THRESHOLDS)))
    for row, (matched, ignored) in enumerate(zip(matches.matched, matches.ignored, strict=True)):
        if row == 0 or (ignored != matches.ignored[row - 1]).any():
            counted = np.flatnonzero(~ignored)
            counts = times.take(counted, axis=0)
            totals = np.cumsum(counts, axis=0, dtype=np.int32)
        at = np.flatnonzero(matched[counted])
        if len(at) == 0:
            continue
        positives = np.cumsum(counts.take(at, axis=0), axis=0, dtype=np.int32)
        precision = positives / (totals.take(at, axis=0) + np.spacing(1))
        precision = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
        first = np.searchsorted((positives.T + offsets).ravel(), keys.ravel()).reshape(keys.shape)
        first -= samples * len(at)
        values = precision[np.minimum(first, len(at) - 1), samples] * (first < len(at))
        average[:, row] = values.sum(axis=1) / len(RECALLS)
        highest[:, row] = positives[-1] / np.maximum(wanted[:, 0], 1)
    average[wanted[:, 0] == 0] = highest[wanted[:, 0] == 0] = np.nan
    return average, highest
