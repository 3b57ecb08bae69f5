"""The results of an evaluation: scores with intervals, comparisons of models, the report."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from repogen.arrays import Float, Int


@dataclass(frozen=True)
class Score:
    """A metric with its 95 % bootstrap interval over images; NaN where it is undefined."""

    value: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 0: for a difference, whether the models differ."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Comparison:
    """The scores of every model, and its differences from the first model (the baseline)."""

    persons: int
    images: int
    scores: Mapping[str, Mapping[str, Score]]
    """By model, then by metric."""
    differences: Mapping[str, Mapping[str, Score]]
    """By model except the first, then by metric; paired: over the same bootstrap samples."""


@dataclass(frozen=True)
class Band:
    """The comparison over the persons seen from one range of camera elevations, in degrees."""

    low: int
    high: int
    comparison: Comparison


@dataclass(frozen=True)
class Group:
    """The comparison over some of a set's persons."""

    name: str
    comparison: Comparison


@dataclass(frozen=True)
class Grouping:
    """One way to group a set's persons; groups without a labelled person are left out."""

    title: str
    """What the groups differ in, after "by": `orientation of the trunk in the image`."""
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class SphereMap:
    """Mean OKS by the direction of the camera, in cells of equal area.

    Row 0 is the ring at elevation -90 degrees, column 0 the sector at azimuth -180 degrees.
    """

    persons: Int[np.ndarray, "r a"]
    oks: Mapping[str, Float[np.ndarray, "r a"]]
    """By model; NaN in empty cells."""


@dataclass(frozen=True)
class SetReport:
    """The results of all models on one set."""

    name: str
    boxes: str
    """Source of the boxes: "ground truth", or the path of a file of detections."""
    total: Comparison
    bands: tuple[Band, ...] = ()
    """The elevation bands that hold a labelled person; empty for a set without views."""
    sphere: SphereMap | None = None
    unreadable: int = 0
    """Images that are missing or broken, and left out."""
    groupings: tuple[Grouping, ...] = ()
    estimated_sphere: SphereMap | None = None
    """By the directions that were estimated from the labels, where the set has no views."""


@dataclass(frozen=True)
class Report:
    """The results of `evaluate`."""

    models: Mapping[str, str]
    """Where the weights of each model are, by name; the first is the baseline."""
    alphas: Mapping[str, float]
    """The alpha of each model of a blend, by name; empty without a blend."""
    flip: bool
    """Whether the heatmaps of the mirrored crop were averaged in."""
    bootstrap_samples: int
    """Bootstrap samples of the images behind each interval."""
    sets: Mapping[str, SetReport]
    rotations: int = 1
    """Quarter turns at which each crop was estimated: 1 or 4."""
