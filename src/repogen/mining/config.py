"""The options of mining and of probing."""

from dataclasses import dataclass
from typing import Literal

from repogen.config import Config
from repogen.errors import UserError, check_between
from repogen.generation.config import GenerateConfig

_PER_IMAGE = 5
"""Candidates for each image of a mined dataset, where --candidates does not say."""


@dataclass(frozen=True, init=False)
class JudgingConfig(Config):
    """How candidates are judged: what is hard, plausible, and seen."""

    difficulty: Literal["all", "labels", "agreement"] = "all"
    """What is hard. labels: people whose joints are found far from the labels, or with left and
    right exchanged. agreement: people on whom the estimator disagrees with itself when their crop
    is mirrored, turned and moved; labels do not count. all: both."""
    teacher: str | None = None
    """A better estimator, as --weights: only the joints count that it finds, so that people are
    hard who can be learnt from its answers (train --targets corrected --corrected-weight 0). By
    default every visible joint counts."""
    judge_size: int = 256
    """Longer side in pixels, 64 to 2048, of the pictures that candidates are judged by; smaller
    than image-size is faster."""
    max_excess: float = 60.0
    """Degrees, summed over the joints, by which a plausible pose may exceed the human range of
    motion."""
    max_inside: float = 0.02
    """Share of the skin, 0 to 1, of a plausible pose that may lie inside the body."""
    max_overhang: float = 0.1
    """With --ground floor: metres by which the centre of mass of a plausible pose may lie beside
    what carries it."""
    least_visible: int = 8
    """Least number of visible keypoints, 1 to 17, of somebody whom a person could label; with
    --teacher as many must be found by it."""
    least_side: float = 48.0
    """Least length in pixels, in an image of image-size, of the longer side of that person's
    box."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range."""
        check_between("--judge-size", self.judge_size, 64, 2048)
        check_between("--max-excess", self.max_excess, 0, 10_000)
        check_between("--max-inside", self.max_inside, 0, 1)
        check_between("--max-overhang", self.max_overhang, 0, 10)
        check_between("--least-visible", self.least_visible, 1, 17)
        check_between("--least-side", self.least_side, 1, 8192)


@dataclass(frozen=True, init=False)
class SearchConfig(Config):
    """The search: rounds of candidates, and the choice among them."""

    candidates: int | None = None
    """Candidates that are judged, over all rounds; by default 5 for each image."""
    rounds: int = 4
    """Rounds, 1 to 100. After each, the distribution of poses and views is fitted to what was
    hard, and the next round draws from it."""
    explore: float = 0.3
    """Share of the candidates, 0 to 1, that later rounds still draw as the options say."""
    components: int = 64
    """Most components of a fitted distribution, 1 to 256: one for each of the hardest people, or
    for a group of them who are alike where they are more."""
    elite: float = 0.2
    """Share of the plausible and seen candidates, 0.01 to 1, that the distribution is fitted to:
    the hardest of all rounds so far."""
    ordinary: float = 0.2
    """Share of the images, 0 to 1, that show people drawn as the options say, hard or not, so that
    training forgets nothing."""
    diversity: float = 1.0
    """How much the choice prefers people unlike those already chosen, 0 (only how hard they are
    counts) to 10."""
    least_difficulty: float = 0.1
    """Least difficulty, 0 to 1, of somebody who counts as hard."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range."""
        if self.candidates is not None:
            check_between("--candidates", self.candidates, 1, 10**9)
        check_between("--rounds", self.rounds, 1, 100)
        check_between("--explore", self.explore, 0, 1)
        check_between("--components", self.components, 1, 256)
        check_between("--elite", self.elite, 0.01, 1)
        check_between("--ordinary", self.ordinary, 0, 1)
        check_between("--diversity", self.diversity, 0, 10)
        check_between("--least-difficulty", self.least_difficulty, 0, 1)


@dataclass(frozen=True, init=False, kw_only=True)
class MineConfig(GenerateConfig):
    """Options of `repogen.mine`, in groups: those of `repogen.generate`, from which candidates are
    drawn, and those of the search."""

    judging: JudgingConfig
    """How candidates are judged."""
    search: SearchConfig
    """The search."""

    @property
    def count(self) -> int:
        """The number of candidates over all rounds."""
        return self.search.candidates or _PER_IMAGE * self.images

    def check(self) -> None:
        """Raise `UserError` for numbers out of range, and options that contradict each other."""
        super().check()
        if self.images > self.count:
            raise UserError(
                f"--images {self.images} of --candidates {self.count}: the images are chosen "
                "among the candidates; give more candidates, or fewer images"
            )
        if self.search.rounds > self.count:
            raise UserError(
                f"--rounds {self.search.rounds} needs as many --candidates, not {self.count}"
            )
        if self.camera.views_per_pose > 1:
            raise UserError(
                "--views-per-pose is for repogen generate; each image of a mined dataset is chosen "
                "by itself"
            )


@dataclass(frozen=True, init=False, kw_only=True)
class ProbeConfig(GenerateConfig):
    """Options of `repogen.probe`, in groups: those of `repogen.generate`, from which `images`
    people are drawn, and how they are judged."""

    judging: JudgingConfig
    """How people are judged."""
    worst: int = 3
    """Pictures shown of each region, the hardest, 0 to 20."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range."""
        super().check()
        check_between("--worst", self.worst, 0, 20)
        if self.images < 20:
            raise UserError(f"--images {self.images} is too few for a map; give at least 20")
