"""Average precision over object keypoint similarity, as COCO defines it."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST = 20
"""Detections an image that count."""

AREAS = {"all": (0.0, 1e10), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}


@dataclass(frozen=True)
class Matches:
    """Detections of all images by falling score, at ten thresholds, in one range of areas."""

    image: Int[np.ndarray, " d"]
    hit: Bool[np.ndarray, "10 d"]
    ignored: Bool[np.ndarray, "10 d"]
    about: Int[np.ndarray, "10 d"]
    """The person that each hits, else the one from whose box it is; -1 for nobody."""
    asked: Bool[np.ndarray, " n"]
    """Which persons are asked for."""
    home: Int[np.ndarray, " n"]
    """The image of each person."""

    def within(self, persons: Bool[np.ndarray, " n"]) -> "Matches":
        """Only some of the persons are asked for, and what is about others is ignored. What is
        about nobody counts where its image shows one of them."""
        near = np.isin(self.image, self.home[persons])
        ignored = self.ignored | ~np.where(self.about < 0, near, persons[self.about])
        keep = ~ignored.all(axis=0)
        return replace(
            self,
            image=self.image[keep],
            hit=self.hit[:, keep],
            ignored=ignored[:, keep],
            about=self.about[:, keep],
            asked=self.asked & persons,
        )


def match(
    oks: Float[np.ndarray, "i d t"],
    ignore: Bool[np.ndarray, "i t"],
    crowd: Bool[np.ndarray, "i t"],
) -> tuple[Bool[np.ndarray, "10 i d"], Bool[np.ndarray, "10 i d"], Int[np.ndarray, "10 i d"]]:
    """Which of the detections of every image, by falling score, hit a person at each threshold,
    which hit one that does not count, and the place of whom they hit, -1 for nobody. OKS is -1
    where there is no detection or no person.

    Each takes the most similar person left, one that counts rather than one that does not.
    """
    images, most, persons = oks.shape
    limits = np.minimum(THRESHOLDS, 1 - 1e-10)[:, None, None]
    hit = np.zeros((len(THRESHOLDS), images, most), dtype=bool)
    ignored = np.zeros_like(hit)
    whom = np.full(hit.shape, -1)
    taken = np.zeros((len(THRESHOLDS), images, persons), dtype=bool)
    for rank in range(most if persons else 0):
        rows = np.flatnonzero((oks[:, rank] >= limits.min()).any(axis=1))
        here = oks[rows, rank]
        fits = (here >= limits) & (~taken[:, rows] | crowd[rows])
        counted = fits & ~ignore[rows]
        fits = np.where(counted.any(axis=2, keepdims=True), counted, fits)
        # Of equals the last is taken, as pycocotools does.
        at = persons - 1 - np.where(fits, here, -1)[:, :, ::-1].argmax(axis=2)
        found = fits.any(axis=2)
        hit[:, rows, rank] = found
        ignored[:, rows, rank] = found & ignore[rows, at]
        whom[:, rows, rank] = np.where(found, at, -1)
        row, place = np.nonzero(found)
        taken[row, rows[place], at[row, place]] = True
    return hit, ignored, whom


def precision_recall(
    matches: Matches, weights: UInt8[np.ndarray, "w i"]
) -> tuple[Float[np.ndarray, "w 10"], Float[np.ndarray, "w 10"]]:
    """Average precision and highest recall at each threshold, NaN where nobody is asked for.

    A row of `weights` counts each image so many times: a bootstrap draw.
    """
    blocks = [
        _precision_recall(matches, weights[start : start + _BLOCK])
        for start in range(0, len(weights), _BLOCK)
    ]
    average, highest = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return average, highest


_BLOCK = 32
"""Draws that are summed side by side: as many as fit into the processor's cache."""


def _precision_recall(
    matches: Matches, weights: UInt8[np.ndarray, "w i"]
) -> tuple[Float[np.ndarray, "w 10"], Float[np.ndarray, "w 10"]]:
    times = weights.T[matches.image].astype(np.int32)
    asked = np.bincount(matches.home[matches.asked], minlength=weights.shape[1])
    wanted = np.array([row @ asked for row in weights])[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        needed = np.ceil(RECALLS * wanted)  # hits for each recall, but for rounding
        needed -= (needed - 1) / wanted >= RECALLS
        needed += needed / wanted < RECALLS
    draws = np.arange(len(weights))[:, None]
    apart = draws * (wanted.max() + 2)  # one rising row of all draws' hits
    keys = (needed + apart).astype(np.int64)
    average, highest = np.zeros((2, len(weights), len(THRESHOLDS)))
    for row, (hit, ignored) in enumerate(zip(matches.hit, matches.ignored, strict=True)):
        if row == 0 or (ignored != matches.ignored[row - 1]).any():
            counted = np.flatnonzero(~ignored)
            counts = times.take(counted, axis=0)
            totals = np.cumsum(counts, axis=0, dtype=np.int32)
        at = np.flatnonzero(hit[counted])
        if len(at) == 0:
            continue
        hits = np.cumsum(counts.take(at, axis=0), axis=0, dtype=np.int32)
        precision = hits / (totals.take(at, axis=0) + np.spacing(1))
        precision = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
        first = np.searchsorted((hits.T + apart).ravel(), keys.ravel()).reshape(keys.shape)
        first -= draws * len(at)
        values = precision[np.minimum(first, len(at) - 1), draws] * (first < len(at))
        average[:, row] = values.sum(axis=1) / len(RECALLS)
        highest[:, row] = hits[-1] / np.maximum(wanted[:, 0], 1)
    average[wanted[:, 0] == 0] = highest[wanted[:, 0] == 0] = np.nan
    return average, highest
