"""Pictures of the persons whose poses a model finds best and worst, beside their labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from repogen.arrays import Bool, Float, Int, UInt8
from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import box_to_window, window_to_crop
from repogen.coco.images import read_crop
from repogen.evaluation.joints import assigned_joints, person_oks
from repogen.inference.estimate import Estimates
from repogen.labels.stick import draw_skeleton
from repogen.pictures import encode_jpeg

TRUTH = "labels"
"""The title of the picture with the labels."""

_SIDE = 168
"""Pixels along a side of a picture on a page."""

_MARGIN = 1.4
"""Size of a picture relative to the longer side of the person's box."""

_QUALITY = 80


@dataclass(frozen=True)
class ShownPerson:
    """JPEG files of one person by title: the labels, then each model's answer."""

    caption: str
    pictures: Mapping[str, bytes]


@dataclass(frozen=True)
class PictureRow:
    """Some persons of a group."""

    group: str
    kind: str
    """What they are in the group, such as `worst`."""
    people: tuple[ShownPerson, ...]


def picture_rows(
    people: PersonAnnotations,
    estimates: Mapping[str, Estimates],
    groups: Mapping[str, Bool[np.ndarray, " n"]],
    count: int,
) -> tuple[PictureRow, ...]:
    """`count` persons of each group on whom the last model is worst, and as many on whom it is
    best, by OKS; of several models, in the first group also those with the largest change against
    the first model. Groups are masks over the persons by name.
    """
    labelled = people.labelled()
    scores = {name: person_oks(people, found) for name, found in estimates.items()}
    joints = {name: assigned_joints(people, found) for name, found in estimates.items()}
    names = list(estimates)
    first, last = scores[names[0]], scores[names[-1]]
    drawn: dict[int, ShownPerson] = {}

    def shown(row: int) -> ShownPerson:
        if row not in drawn:
            drawn[row] = _shown_person(
                people,
                int(labelled[row]),
                {name: joints[name][labelled[row]] for name in names},
                {name: float(scores[name][row]) for name in names},
            )
        return drawn[row]

    out = []
    for group, mask in groups.items():
        rows = np.flatnonzero(mask[labelled])
        kinds = {
            f"worst for {names[-1]}": _lowest(last, rows, count),
            f"best for {names[-1]}": _lowest(-last, rows, count),
        }
        if len(names) > 1 and group == next(iter(groups)):
            change = last - first
            kinds[f"most gained against {names[0]}"] = _lowest(
                -change, rows[change[rows] > 0], count
            )
            kinds[f"most lost against {names[0]}"] = _lowest(change, rows[change[rows] < 0], count)
        out += [
            PictureRow(group, kind, tuple(map(shown, chosen.tolist())))
            for kind, chosen in kinds.items()
            if len(chosen)
        ]
    return tuple(out)


def _lowest(
    values: Float[np.ndarray, " m"], rows: Int[np.ndarray, " r"], count: int
) -> Int[np.ndarray, " c"]:
    return rows[np.argsort(values[rows], kind="stable")][:count]


def _shown_person(
    people: PersonAnnotations,
    person: int,
    answers: Mapping[str, Float[np.ndarray, "17 2"]],
    scores: Mapping[str, float],
) -> ShownPerson:
    shape = (_SIDE, _SIDE)
    image = int(people.image[person])
    window = box_to_window(people.boxes[person], _MARGIN, shape)
    matrix = window_to_crop(window, shape)
    crop = read_crop(people, image, window, shape)

    def draw(points: Float[np.ndarray, "17 2"], flags: Float[np.ndarray, " 17"]) -> bytes:
        known = np.isfinite(points).all(axis=1) & (flags > 0)
        at = np.where(known[:, None], points, 0.0) - people.pixel_centers[person]
        at = at @ matrix[:, :2].T + matrix[:, 2] + 0.5
        picture: UInt8[np.ndarray, "h w 3"] = crop.copy()
        draw_skeleton(picture, np.column_stack([at, flags * known]).ravel().tolist(), 1)
        return encode_jpeg(picture, _QUALITY)

    truth = people.keypoints[person]
    pictures = {TRUTH: draw(truth[:, :2], truth[:, 2])}
    pictures |= {name: draw(points, np.full(17, 2.0)) for name, points in answers.items()}
    each = ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
    return ShownPerson(f"image {people.image_ids[image]}, OKS: {each}", pictures)
