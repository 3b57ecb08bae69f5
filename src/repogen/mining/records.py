"""Records of judged candidates: small, so that memory does not grow with their number."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError
from repogen.files import cannot_read, read_lines
from repogen.limits import MAX_LINES
from repogen.mining.difficulty import Difficulty
from repogen.records import Between, Length, Matching, decode, parse_json

DESCRIPTOR = 41
"""Numbers in a descriptor: 12 joints below the head, the camera's direction, the trunk's in the
picture."""

REFUSED = ("motion", "inside", "balance", "hidden", "small", "unknown")
"""Why nobody of a candidate was judged: beyond the range of motion, skin inside the body, not
balanced, too few visible keypoints, too small, too few that --teacher finds. What all people fail
is named by the last of these that somebody reached."""

_Share = Annotated[float, Between(0, 1)]
_Degrees = Annotated[float, Between(-360, 360)]


@dataclass(frozen=True)
class JudgedPerson:
    """The hardest person of a candidate. Degrees, metres; pixels of an image of the full size."""

    number: Annotated[int, Between(0, 99)]
    """Index of the person in the scene."""
    difficulty: Annotated[tuple[tuple[_Share, _Share, _Share], ...], Length(1, 2)]
    """Loss, swaps and disagreement (`Difficulty`) of each estimator."""
    explored: bool
    """Whether the scene's first person and view were drawn as the options say, not by a sampler."""
    azimuth: _Degrees
    elevation: _Degrees
    roll: _Degrees
    """The camera's view of the person (`View`)."""
    subject_azimuth: _Degrees
    subject_elevation: _Degrees
    """The camera's direction by the axes of the person's hips."""
    orientation: tuple[_Degrees, _Degrees, _Degrees]
    """As in `Person`."""
    angles: Annotated[tuple[Annotated[float, Between(-1e4, 1e4)], ...], Length(63, 63)]
    """The rotation vectors of `BODY_JOINTS`, one after another."""
    descriptor: Annotated[tuple[float, ...], Length(DESCRIPTOR, DESCRIPTOR)]
    side: float
    """The longer side of the box of the visible part."""
    visible: Annotated[int, Between(0, 17)]
    outside: Annotated[int, Between(0, 17)]
    """Keypoints that are visible, and outside of the picture; the others are occluded."""
    excess: float
    inside: _Share
    clothes: str
    light: _Share
    """Mean brightness of the person's pixels."""
    joints: Annotated[
        tuple[Annotated[tuple[_Share | None, ...], Length(17, 17)], ...], Length(1, 2)
    ]
    """Mean OKS over the looks of each COCO keypoint, of each estimator; None for a keypoint that
    does not count: it cannot be seen or, with --teacher, is not found by it."""

    def hardness(self, by: str, estimator: int = 0) -> float:
        """The difficulty for an estimator, by a key of `difficulty.WEIGHTS`."""
        return Difficulty(*self.difficulty[estimator]).total(by)

    @property
    def joint_angles(self) -> Float[np.ndarray, "21 3"]:
        """The rotation vectors of `BODY_JOINTS`, degrees."""
        return np.array(self.angles).reshape(len(BODY_JOINTS), 3)


@dataclass(frozen=True)
class Candidate:
    """One judged scene."""

    index: int
    """The scene's index in its run."""
    refused: Annotated[str, Matching("|".join(("", *REFUSED)), "empty or a reason")]
    """Why nobody was judged, one of `REFUSED`; empty where somebody was."""
    person: JudgedPerson | None

    def to_line(self) -> str:
        """The candidate as a line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"


IMAGES = "mining.jsonl"
"""The file in the folder `mining` of a mined dataset with a record of each image."""


def read_difficulties(path: Path) -> dict[int, float]:
    """The difficulty, 0 to 1, of each image by its id, from a file `IMAGES`. Raises `UserError` for
    what is none."""
    out = {}
    for where, data in _records(path):
        try:
            out[int(data["image_id"])] = float(data["difficulty"])
        except (LookupError, TypeError, ValueError) as error:
            raise UserError(f"{where} is no record of repogen mine: {error}") from error
    return out


def read_candidates(path: Path) -> Iterator[Candidate]:
    """The candidates in a file of lines. Raises `UserError` for what is none."""
    for where, data in _records(path):
        yield decode(data, Candidate, where)


def _records(path: Path) -> Iterator[tuple[str, Any]]:
    """The lines of a file as JSON, and where each is. Raises `UserError` as `read_candidates`."""
    try:
        for number, line in enumerate(read_lines(path, MAX_LINES), start=1):
            where = f"{path}:{number}"
            yield where, parse_json(line, where)
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            raise cannot_read(path, error) from error
        raise UserError(f"{path} is not UTF-8: {error}") from error
