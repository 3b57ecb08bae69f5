"""A set of hard people who are unlike each other, with a share of ordinary ones."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from repogen.arrays import Float, Int
from repogen.mining.records import Candidate

_POOL = 5
"""Candidates, the hardest, that the choice has for each image."""

_EPSILON = 1e-9

Kind = Literal["hard", "ordinary"]


@dataclass(frozen=True)
class Chosen:
    """A candidate that becomes an image."""

    candidate: Candidate
    kind: Kind
    hardness: float


@dataclass
class Hardest:
    """The hardest of any number of candidates, in memory that does not grow with it."""

    limit: int
    by: str
    """A key of `difficulty.WEIGHTS`."""
    _heap: list[tuple[float, int, Candidate]] = field(default_factory=list)

    def add(self, candidate: Candidate) -> None:
        """Keep a candidate if somebody was judged, and is among the hardest so far; of equals the
        one of lower index."""
        if candidate.person is None:
            return
        entry = candidate.person.hardness(self.by), -candidate.index, candidate
        if len(self._heap) < self.limit:
            heapq.heappush(self._heap, entry)
        elif self.limit:
            heapq.heappushpop(self._heap, entry)

    def found(self) -> list[tuple[float, Candidate]]:
        """Hardness and candidate, the hardest first."""
        return [(hardness, candidate) for hardness, _, candidate in sorted(self._heap)[::-1]]


def choose(
    candidates: Iterable[Candidate],
    images: int,
    ordinary: float,
    least_difficulty: float,
    diversity: float,
    by: str,
) -> list[Chosen]:
    """At most `images` candidates, by index: a share `ordinary` of people drawn as the options say,
    the first of them, and hard ones who are unlike each other. They are fewer than `images` where
    too few are as hard as `least_difficulty`.

    `candidates` come by index; `by` is a key of `difficulty.WEIGHTS`.
    """
    wanted = round(ordinary * images)
    usual: list[Chosen] = []
    hardest = Hardest(_POOL * images, by)
    for candidate in candidates:
        if candidate.person is None:
            continue
        if candidate.person.explored and len(usual) < wanted:
            usual.append(Chosen(candidate, "ordinary", candidate.person.hardness(by)))
        else:
            hardest.add(candidate)
    pool = [(h, one) for h, one in hardest.found() if h >= least_difficulty]
    hardness = np.array([h for h, _ in pool])
    table = np.array([one.person.descriptor for _, one in pool if one.person])
    count = min(images - len(usual), len(pool))
    rows = k_centres(table, hardness, count, diversity).tolist() if count else []
    hard = [Chosen(pool[i][1], "hard", pool[i][0]) for i in rows]
    return sorted(usual + hard, key=lambda one: one.candidate.index)


def k_centres(
    table: Float[np.ndarray, "n d"],
    weights: Float[np.ndarray, " n"],
    count: int,
    diversity: float,
) -> Int[np.ndarray, " count"]:
    """Rows, the one of most weight first, then each time the one with the most weight times its
    distance from the rows so far to the power `diversity`. Ties go to the lower row."""
    chosen = [int(np.argmax(weights))]
    away = np.full(len(table), np.inf)
    while len(chosen) < count:
        away = np.minimum(away, np.linalg.norm(table - table[chosen[-1]], axis=1))
        score = (weights + _EPSILON) * (away + _EPSILON) ** diversity
        score[chosen] = -1.0
        chosen.append(int(np.argmax(score)))
    return np.array(chosen)
