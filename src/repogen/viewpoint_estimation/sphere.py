"""The sphere in cells of five degrees, and how much of a set of people lies in each."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from repogen.cameras.viewpoints import BANDS
from repogen.viewpoint_estimation.mixture import Mixture, log_density

STEP_DEG = 5
ELEVATIONS = np.arange(-90, 91, STEP_DEG)
AZIMUTHS = np.arange(-180, 181, STEP_DEG)
"""Edges of the cells, degrees."""

AREAS = np.diff(np.sin(np.radians(ELEVATIONS)))[:, None] / 2 * np.full(72, 1 / 72)
"""Each cell's share of the sphere, elevation x azimuth."""

QUADRANTS = {"front": 0, "left": 90, "back": 180, "right": -90}
"""Azimuth of the middle of each, 90 degrees wide: left is the subject's left."""

_AT_ONCE = 512


@dataclass(frozen=True)
class Spread:
    """Distributions of n people over the cells."""

    cells: Float[np.ndarray, "36 72"]
    """Their mean: the share of people seen from each cell."""
    expected_deg: Float[np.ndarray, " n"]
    """How far each person's direction is off, if their own distribution is right."""


def to_angles(directions: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 2"]:
    """Azimuth and elevation, degrees, of unit vectors from person to camera."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.degrees(np.stack([np.arctan2(x, -y), np.arcsin(np.clip(z, -1, 1))], axis=-1))


def to_directions(
    azimuth_deg: Float[np.ndarray, "*n"], elevation_deg: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n 3"]:
    """Unit vectors from person to camera: `cameras.camera.angles_to_direction` of many."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    level = np.cos(elevation)
    return np.stack([level * np.sin(azimuth), -level * np.cos(azimuth), np.sin(elevation)], axis=-1)


def between_deg(
    one: Float[np.ndarray, "*n 3"], other: Float[np.ndarray, "*n 3"]
) -> Float[np.ndarray, "*n"]:
    """Angles between unit vectors, degrees."""
    return np.degrees(np.arccos(np.clip((one * other).sum(axis=-1), -1, 1)))


def middles() -> Float[np.ndarray, "36 72 3"]:
    """The directions of the cells' middles."""
    return to_directions(*np.meshgrid(AZIMUTHS[:-1] + STEP_DEG / 2, ELEVATIONS[:-1] + STEP_DEG / 2))


@torch.no_grad()
def spread_over(mixture: Mixture, directions: Float[np.ndarray, "n 3"]) -> Spread:
    """Where n people were seen from, and how sure of `directions` they are."""
    at = torch.from_numpy(middles().reshape(-1, 3)).float()
    areas = torch.from_numpy(AREAS.ravel()).float()
    chosen = torch.from_numpy(directions).float()
    total, expected = torch.zeros(len(areas), dtype=torch.float64), []
    for start in range(0, len(directions), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        logs = log_density(Mixture(*(values[part] for values in mixture)), at[None])
        shares = torch.softmax(logs + torch.log(areas), dim=1)
        total += shares.double().sum(dim=0)
        angles = torch.rad2deg(torch.arccos((chosen[part] @ at.T).clamp(-1, 1)))
        expected.append((shares * angles).sum(dim=1))
    cells = (total / max(len(directions), 1)).reshape(AREAS.shape).numpy()
    return Spread(cells, torch.cat(expected).double().numpy())


def smoothed(directions: Float[np.ndarray, "n 3"], sharpness: float = 60.0) -> Spread:
    """Known directions as a chart shows them: each blurred by about seven degrees."""
    means = torch.from_numpy(directions).float()[:, None]
    flat = torch.zeros(len(directions), 1)
    return spread_over(Mixture(flat, means, flat + sharpness), directions)


def counted(directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "36 72"]:
    """The share of known directions in each cell."""
    azimuth, elevation = to_angles(directions).T
    return np.histogram2d(elevation, azimuth, [ELEVATIONS, AZIMUTHS])[0] / len(directions)


def by_band(cells: Float[np.ndarray, "36 72"]) -> Float[np.ndarray, "6 4"]:
    """Sums of the cells by band of elevation and quadrant of azimuth, front, left, back, right."""
    rows = np.add.reduceat(cells, np.searchsorted(ELEVATIONS, BANDS[:-1]), axis=0)
    middle = AZIMUTHS[:-1] + STEP_DEG / 2
    quadrant = np.round(middle / 90).astype(int) % 4
    return np.stack([rows[:, quadrant == q].sum(axis=1) for q in (0, 1, 2, 3)], axis=1)
