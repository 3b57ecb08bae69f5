"""The sphere of camera directions in cells of five degrees, and the share of people in each."""

from dataclasses import dataclass

import numpy as np
import torch

from repogen.arrays import Float
from repogen.cameras.viewpoints import BANDS
from repogen.viewpoint_estimation.mixture import Mixture, log_density

STEP_DEG = 5
ELEVATIONS = np.arange(-90, 91, STEP_DEG)
AZIMUTHS = np.arange(-180, 181, STEP_DEG)
"""Edges of the cells in degrees."""

CELL_AREAS = np.diff(np.sin(np.radians(ELEVATIONS)))[:, None] / 2 * np.full(72, 1 / 72)
"""Each cell's share of the sphere; rows are elevations, columns azimuths."""

QUADRANTS = {"front": 0, "left": 90, "back": 180, "right": -90}
"""Azimuth of the centre of each quadrant, 90 degrees wide; left is the subject's left."""

_PERSONS_AT_ONCE = 512


@dataclass(frozen=True)
class CellDistribution:
    """The distributions of n people over the cells."""

    cells: Float[np.ndarray, "36 72"]
    """The mean over people: the share of people seen from each cell."""
    expected_deg: Float[np.ndarray, " n"]
    """The expected angle between each person's direction and their distribution, in degrees."""


def directions_to_angles(directions: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 2"]:
    """Azimuth and elevation, in degrees, of unit vectors from person to camera."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.degrees(np.stack([np.arctan2(x, -y), np.arcsin(np.clip(z, -1, 1))], axis=-1))


def angles_to_directions(
    azimuth_deg: Float[np.ndarray, "*n"], elevation_deg: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n 3"]:
    """Unit vectors from person to camera; array form of `cameras.camera.angles_to_direction`."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    level = np.cos(elevation)
    return np.stack([level * np.sin(azimuth), -level * np.cos(azimuth), np.sin(elevation)], axis=-1)


def angles_between_deg(
    one: Float[np.ndarray, "*n 3"], other: Float[np.ndarray, "*n 3"]
) -> Float[np.ndarray, "*n"]:
    """Angles between unit vectors, in degrees."""
    return np.degrees(np.arccos(np.clip((one * other).sum(axis=-1), -1, 1)))


def cell_centers() -> Float[np.ndarray, "36 72 3"]:
    """The directions of the cells' centres."""
    return angles_to_directions(
        *np.meshgrid(AZIMUTHS[:-1] + STEP_DEG / 2, ELEVATIONS[:-1] + STEP_DEG / 2)
    )


@torch.no_grad()
def distribution_over_cells(
    mixture: Mixture, directions: Float[np.ndarray, "n 3"]
) -> CellDistribution:
    """The distribution over cells of n mixtures, and the expected errors of `directions`."""
    centers = torch.from_numpy(cell_centers().reshape(-1, 3)).float()
    areas = torch.from_numpy(CELL_AREAS.ravel()).float()
    chosen = torch.from_numpy(directions).float()
    total, expected = torch.zeros(len(areas), dtype=torch.float64), []
    for start in range(0, len(directions), _PERSONS_AT_ONCE):
        part = slice(start, start + _PERSONS_AT_ONCE)
        logs = log_density(Mixture(*(values[part] for values in mixture)), centers[None])
        shares = torch.softmax(logs + torch.log(areas), dim=1)
        total += shares.double().sum(dim=0)
        angles = torch.rad2deg(torch.arccos((chosen[part] @ centers.T).clamp(-1, 1)))
        expected.append((shares * angles).sum(dim=1))
    cells = (total / max(len(directions), 1)).reshape(CELL_AREAS.shape).numpy()
    return CellDistribution(cells, torch.cat(expected).double().numpy())


def smoothed_cells(
    directions: Float[np.ndarray, "n 3"], sharpness: float = 60.0
) -> CellDistribution:
    """The distribution over cells of known directions, each blurred by about seven degrees."""
    means = torch.from_numpy(directions).float()[:, None]
    flat = torch.zeros(len(directions), 1)
    return distribution_over_cells(Mixture(flat, means, flat + sharpness), directions)


def cell_shares(directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "36 72"]:
    """The share of known directions in each cell."""
    azimuth, elevation = directions_to_angles(directions).T
    return np.histogram2d(elevation, azimuth, [ELEVATIONS, AZIMUTHS])[0] / len(directions)


def sum_by_band(cells: Float[np.ndarray, "36 72"]) -> Float[np.ndarray, "6 4"]:
    """Sums of the cells by elevation band and quadrant (front, left, back, right)."""
    rows = np.add.reduceat(cells, np.searchsorted(ELEVATIONS, BANDS[:-1]), axis=0)
    middle = AZIMUTHS[:-1] + STEP_DEG / 2
    quadrant = np.round(middle / 90).astype(int) % 4
    return np.stack([rows[:, quadrant == q].sum(axis=1) for q in (0, 1, 2, 3)], axis=1)
