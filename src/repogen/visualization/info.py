"""`repogen info`: a summary of the installation or of a dataset."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from repogen.bodies import load_body
from repogen.bodies.anny_data import ANNY_VERSION
from repogen.bodies.intersection import intersecting_share
from repogen.cameras.viewpoints import BANDS, VIEWS
from repogen.config import checked, flat_options
from repogen.datasets.reading import open_dataset, read_run_info
from repogen.errors import UserError
from repogen.generation.config import PRESETS
from repogen.poses.acrobatic import ACROBATIC
from repogen.poses.bounds import default_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.plausibility import range_excess
from repogen.poses.sampling import NAMED_POSES, sample_body_pose, sample_hands
from repogen.visualization.summary import summarize

VARIANCES = (0.33, 0.67, 1.0, 1.5, 2.0)
"""Pose variances in the table of plausibility; Figure 5 of the paper goes from 0.2 to 2."""


class Text(str):
    """A string that notebooks and consoles show as it is, without quotes."""

    def __repr__(self) -> str:
        return str(self)


@checked
def info(dataset: Path | str | None = None, plausibility: int = 0) -> Text:
    """A summary of the installation, or of a finished dataset, as text.

    With `plausibility` the text is a table of how plausible random poses are, measured on that
    many poses for each distribution and variance. Raises `UserError` for a folder that is not a
    dataset, and for a dataset together with `plausibility`.

    >>> print(repogen.info("people"))
    dataset ...people
    images ...4
    ...
    """
    if plausibility < 0 or (dataset and plausibility):
        raise UserError("--plausibility takes a number of poses from 1 up, and no dataset")
    if plausibility:
        return Text(plausibility_table(plausibility))
    return Text(_dataset_text(Path(dataset)) if dataset else _installation_text())


def plausibility_table(poses: int) -> str:
    """How plausible random poses of random adults are, a line per angle distribution and variance.

    The columns are the mean, median and 90th percentile of the share of skin inside the body, and
    the mean sum of the angles beyond the human range, in degrees.
    """
    lines = [
        f"{poses} poses each: share of skin inside the body; degrees beyond the human range "
        "(elbows and knees folded past 180° count only here)",
        f"{'distribution':<20} {'variance':>8} {'mean':>7} {'median':>7} {'90 %':>7} {'beyond':>7}",
    ]
    for name in DISTRIBUTIONS:
        for variance in VARIANCES:
            shares, beyond = np.transpose(
                [_plausibility_of(k, name, variance) for k in range(poses)]
            )
            figures = (shares.mean(), np.median(shares), np.quantile(shares, 0.9))
            percent = " ".join(f"{100 * share:6.2f}%" for share in figures)
            lines.append(f"{name:<20} {variance:>8.2f} {percent} {beyond.mean():6.0f}°")
    return "\n".join(lines)


def _plausibility_of(seed: int, distribution: str, variance: float) -> tuple[float, float]:
    """The share of skin inside the body and the degrees beyond the human range of one pose."""
    body, rng = load_body(), np.random.default_rng(seed)
    shape = body.sample_shape(rng, ("adults",))
    angles = sample_hands(rng)
    angles |= sample_body_pose(rng, default_bounds(), DISTRIBUTIONS[distribution], variance)
    share = intersecting_share(body.surface, body.pose(shape, {}, angles))
    return share, sum(range_excess(angles).values())


def _installation_text() -> str:
    from repogen.warp_setup import wp

    devices = ", ".join(str(device) for device in wp.get_devices())
    rows = {
        "repogen": version("repogen"),
        "body": f"anny {ANNY_VERSION}",
        "devices": devices,
        "views": ", ".join(VIEWS),
        "pose distributions": ", ".join([*DISTRIBUTIONS, ACROBATIC]),
        "named poses": ", ".join(NAMED_POSES),
    }
    presets = {name: " ".join(_flags(options)) for name, options in PRESETS.items()}
    return f"{_table(rows)}\n\npresets (--preset; other options change them)\n{_table(presets)}"


def _flags(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in flat_options(options):
        if isinstance(value, bool):
            yield f"--{'' if value else 'no-'}{name.replace('_', '-')}"
            continue
        words = value if isinstance(value, tuple) else (value,)
        yield f"--{name.replace('_', '-')} {' '.join(map(str, words))}"


def _dataset_text(path: Path) -> str:
    folder = open_dataset(path)
    run, summary = read_run_info(folder), summarize(folder)
    people, flags = summary.people, summary.people["flags"]
    areas = people["area"] if len(people) else np.zeros(1)
    rows = {
        "dataset": str(folder.root),
        "images": str(summary.views.total()),
        "people": str(len(people)),
        "keypoints": f"{(flags == 2).mean():.1%} visible, {(flags == 1).mean():.1%} occluded, "
        f"{(flags == 0).mean():.1%} outside or dropped",
        "views": ", ".join(f"{name} {count}" for name, count in summary.views.most_common()),
        "elevations": _elevations(people["elevation_deg"]),
        "person area": f"median {np.median(areas):.0f} px",
        "backgrounds": run["backgrounds_found"],
        "seed": str(run["config"]["seed"]),
        "made with": f"repogen {run['versions'].get('repogen', 'unknown')}",
    }
    return _table(rows)


def _elevations(degrees: np.ndarray) -> str:
    """The number of people in each elevation band."""
    counts, _ = np.histogram(degrees, BANDS)
    return ", ".join(
        f"{low}° to {high}° {count}"
        for (low, high), count in zip(pairwise(BANDS), counts.tolist(), strict=True)
        if count
    )


def _table(rows: dict[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows.items())
