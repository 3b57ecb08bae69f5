"""The trained regressor, kept on this machine, and how far off it is on people it never saw."""

import json
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
from filelock import FileLock
from jaxtyping import Float
from safetensors import SafetensorError, safe_open

from repogen.bodies import Body, load_body
from repogen.bodies.anny_data import cache_dir
from repogen.cameras.viewpoints import BANDS
from repogen.errors import UserError
from repogen.files import cannot_write, write_atomic
from repogen.messages import say
from repogen.viewpoint_estimation.mixture import mode
from repogen.viewpoint_estimation.regressor import ViewRegressor, estimate_views, train_regressor
from repogen.viewpoint_estimation.sampling import (
    FACE,
    sample_labels,
    sample_points,
    with_lost_joints,
)
from repogen.viewpoint_estimation.sphere import between_deg, spread_over, to_angles

FORMAT = 1
"""Part of the file's name: raise it when training or the network changes."""

_POSES, _HELD_OUT_POSES, _HELD_OUT_VIEWS = 4000, 1000, 4000


@dataclass(frozen=True)
class Trained:
    """A regressor and its errors on held-out generated people, as `held_out_errors` gives them."""

    network: ViewRegressor
    held_out: list[dict[str, Any]]


def train_and_test(seed: int = 0, body: Body | None = None) -> Trained:
    """Train on poses of one seed and test on those of another; minutes on a laptop."""
    body = body or load_body()
    rng = np.random.default_rng([seed, 0])
    network = train_regressor(rng, sample_points(rng, body, _POSES))
    rng = np.random.default_rng([seed, 1])
    return Trained(
        network, held_out_errors(rng, network, sample_points(rng, body, _HELD_OUT_POSES))
    )


def held_out_errors(
    rng: np.random.Generator,
    network: ViewRegressor,
    points: Float[np.ndarray, "p 17 3"],
    count: int = _HELD_OUT_VIEWS,
) -> list[dict[str, Any]]:
    """Angular errors, in degrees, on `count` labelled views of people posed as `points`.

    A row for each choice of labelled joints, of all elevations and then of each band. `expected`
    is what the regressor itself expects its mean error to be.
    """
    labels, towards = sample_labels(rng, points, count)
    faceless = labels.copy()
    faceless[:, FACE] = 0.0
    rows = []
    for joints, keypoints in (
        ("all joints", labels),
        ("no face joints", faceless),
        ("some joints missing", with_lost_joints(rng, labels)),
    ):
        mixture = estimate_views(network, keypoints)
        found = mode(mixture).numpy().astype(np.float64)
        errors = between_deg(found, towards)
        expected = spread_over(mixture, found).expected_deg
        elevation = to_angles(towards)[:, 1]
        for low, high in ((-90, 90), *pairwise(BANDS)):
            inside = (elevation >= low) & (elevation <= high)
            rows.append(
                {"joints": joints, "elevation_deg": [low, high]}
                | error_summary(errors[inside])
                | {"expected": round(float(expected[inside].mean()), 2)}
            )
    return rows


def error_summary(errors: Float[np.ndarray, " n"]) -> dict[str, float]:
    """How many, the mean, and the three quartiles, of which the second is the median."""
    lower, median, upper = np.percentile(errors, [25, 50, 75])
    named = {"mean": errors.mean(), "lower_quartile": lower, "median": median}
    named["upper_quartile"] = upper
    return {"persons": len(errors)} | {k: round(float(v), 2) for k, v in named.items()}


def cached_regressor() -> Path:
    """Where this version's regressor is kept, whether or not it is there yet."""
    return cache_dir() / "viewpoints" / f"anny-{version('anny')}-{FORMAT}.safetensors"


def load_regressor() -> Trained:
    """The trained regressor, trained first if this machine has none.

    Of several processes that start together one trains and the others wait. Raises `UserError`
    where the file cannot be read or written.
    """
    path = cached_regressor()
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.lock"):
                if not path.exists():
                    say(f"training the view regressor, once for this machine (minutes) → {path}")
                    _save(path, train_and_test())
        except OSError as error:
            raise cannot_write(path, error) from error
    return _read(path)


def _save(path: Path, trained: Trained) -> None:
    data = safetensors.torch.save(
        trained.network.state_dict(), {"held_out": json.dumps(trained.held_out)}
    )
    write_atomic(path, data)


def _read(path: Path) -> Trained:
    try:
        with safe_open(path, "pt") as file:
            held_out = json.loads(file.metadata()["held_out"])
        weights = safetensors.torch.load_file(path)
        network = ViewRegressor(np.random.default_rng(0))
        network.load_state_dict(weights)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{path} is no view regressor; remove it to train one anew") from error
    return Trained(network.eval(), held_out)
