"""Training and caching the regressor, with its errors on held-out people."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from repogen.arrays import Float
from repogen.bodies import Body, load_body
from repogen.bodies.anny_data import ANNY_VERSION
from repogen.cache import cache_dir, read_or_make
from repogen.cameras.viewpoints import BANDS
from repogen.messages import say
from repogen.viewpoint_estimation.mixture import mode
from repogen.viewpoint_estimation.regressor import ViewRegressor, estimate_views, train_regressor
from repogen.viewpoint_estimation.sphere import (
    angles_between_deg,
    directions_to_angles,
    distribution_over_cells,
)
from repogen.viewpoint_estimation.training_data import (
    FACE_JOINTS,
    drop_joints,
    sample_labels,
    sample_people,
)

FORMAT = 3
"""Part of the cached file's name: increase it when the training or the network changes."""

_POSES, _HELD_OUT_POSES, _HELD_OUT_VIEWS = 4000, 1000, 4000

_HELD_OUT = "held_out"
"""The file's entry of the errors: JSON as bytes."""


@dataclass(frozen=True)
class TrainedRegressor:
    """A regressor and its errors on held-out generated people (see `held_out_errors`)."""

    network: ViewRegressor
    held_out: list[dict[str, Any]]


def train_and_evaluate(seed: int = 0, body: Body | None = None) -> TrainedRegressor:
    """Train a regressor on random people, and evaluate it on others; takes minutes on a laptop."""
    body = body or load_body()
    rng = np.random.default_rng([seed, 0])
    network = train_regressor(rng, sample_people(rng, body, _POSES))
    rng = np.random.default_rng([seed, 1])
    return TrainedRegressor(
        network, held_out_errors(rng, network, sample_people(rng, body, _HELD_OUT_POSES))
    )


def held_out_errors(
    rng: np.random.Generator,
    network: ViewRegressor,
    points: Float[np.ndarray, "p 17 3"],
    count: int = _HELD_OUT_VIEWS,
) -> list[dict[str, Any]]:
    """Angular errors, in degrees, on `count` views of people with the 3D keypoints `points`.

    The rows are, for each choice of labelled joints, all elevations and then each band. `expected`
    is the mean error that the regressor's own distributions predict.
    """
    labels, towards = sample_labels(rng, points, count)
    faceless = labels.copy()
    faceless[:, FACE_JOINTS] = 0.0
    rows = []
    for joints, keypoints in (
        ("all joints", labels),
        ("no face joints", faceless),
        ("some joints missing", drop_joints(rng, labels)),
    ):
        mixture = estimate_views(network, keypoints)
        found = mode(mixture).numpy().astype(np.float64)
        errors = angles_between_deg(found, towards)
        expected = distribution_over_cells(mixture, found).expected_deg
        elevation = directions_to_angles(towards)[:, 1]
        for low, high in ((-90, 90), *pairwise(BANDS)):
            inside = (elevation >= low) & (elevation <= high)
            rows.append(
                {"joints": joints, "elevation_deg": [low, high]}
                | error_summary(errors[inside])
                | {"expected": round(float(expected[inside].mean()), 2)}
            )
    return rows


def error_summary(errors: Float[np.ndarray, " n"]) -> dict[str, float]:
    """The number of errors, their mean, median and quartiles."""
    lower, median, upper = np.percentile(errors, [25, 50, 75])
    named = {"mean": errors.mean(), "lower_quartile": lower, "median": median}
    named["upper_quartile"] = upper
    return {"persons": len(errors)} | {k: round(float(v), 2) for k, v in named.items()}


def cached_regressor() -> Path:
    """The path of this version's cached regressor; the file may not exist yet."""
    return cache_dir() / "viewpoints" / f"anny-{ANNY_VERSION}-{FORMAT}.cache"


def load_regressor() -> TrainedRegressor:
    """The cached regressor; trains it first where this machine has none, or a damaged one.

    Raises `UserError` as `read_or_make` does.
    """
    data = read_or_make(cached_regressor(), _train)
    network = ViewRegressor(np.random.default_rng(0))
    weights = safetensors.torch.load(data)
    held_out = json.loads(weights.pop(_HELD_OUT).numpy().tobytes())
    network.load_state_dict(weights)
    return TrainedRegressor(network.eval(), held_out)


def _train() -> bytes:
    say(f"training the view regressor, once per machine (minutes) → {cached_regressor()}")
    trained = train_and_evaluate()
    held_out = np.frombuffer(json.dumps(trained.held_out).encode(), np.uint8).copy()
    weights = trained.network.state_dict() | {_HELD_OUT: torch.from_numpy(held_out)}
    return safetensors.torch.save(weights)
