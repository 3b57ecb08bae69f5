"""Cells, elevation bands and quadrants of the sphere."""

import numpy as np
import pytest

from repogen.cameras.camera import angles_to_direction
from repogen.cameras.viewpoints import BANDS
from repogen.viewpoint_estimation.sphere import (
    CELL_AREAS,
    QUADRANTS,
    angles_between_deg,
    angles_to_directions,
    cell_centers,
    cell_shares,
    directions_to_angles,
    smoothed_cells,
    sum_by_band,
)
from repogen.viewpoint_estimation.training_data import sample_directions

SIDES = list(QUADRANTS)


def test_angles_to_directions_equals_the_direction_of_the_camera():
    rng = np.random.default_rng(0)
    azimuth, elevation = rng.uniform(-180, 180, 50), rng.uniform(-90, 90, 50)
    ours = angles_to_directions(azimuth, elevation)
    assert ours == pytest.approx(
        np.stack([angles_to_direction(*pair) for pair in zip(azimuth, elevation, strict=True)])
    )
    assert directions_to_angles(ours) == pytest.approx(np.stack([azimuth, elevation], axis=1))


def test_angles_between_known_directions():
    up, front = angles_to_directions(np.zeros(2), np.array([90.0, 0.0]))
    assert angles_between_deg(np.stack([up, up, up]), np.stack([up, front, -up])) == pytest.approx(
        [0, 90, 180]
    )


def test_cell_areas_are_shares_of_the_sphere():
    assert CELL_AREAS.sum() == pytest.approx(1)
    rows = sum_by_band(CELL_AREAS)
    heights = np.diff(np.sin(np.radians(BANDS))) / 2
    assert rows.sum(axis=1) == pytest.approx(heights)
    assert rows.sum(axis=0) == pytest.approx(np.full(4, 0.25))
    even = cell_shares(sample_directions(np.random.default_rng(0), 200_000))
    assert sum_by_band(even) == pytest.approx(rows, abs=0.005)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "side", "band"),
    [(0, 10, "front", 3), (90, -10, "left", 2), (-100, 80, "right", 5), (179, -70, "back", 0),
     (-180, 45, "back", 4), (-44, -45, "front", 1)],
)  # fmt: skip
def test_a_direction_falls_into_its_band_and_quadrant(azimuth, elevation, side, band):
    one = angles_to_directions(np.array([azimuth]), np.array([elevation]))
    exact = sum_by_band(cell_shares(one))
    assert exact[band, SIDES.index(side)] == exact.sum() == 1
    blurred = sum_by_band(smoothed_cells(one).cells)
    assert blurred.argmax() == exact.argmax()
    assert blurred.sum() == pytest.approx(1)


def test_a_smoothed_direction_peaks_in_its_cell():
    spread = smoothed_cells(cell_centers()[20, 30][None])
    density = spread.cells / CELL_AREAS
    assert np.unravel_index(density.argmax(), density.shape) == (20, 30)
    assert 3 < spread.expected_deg[0] < 12
