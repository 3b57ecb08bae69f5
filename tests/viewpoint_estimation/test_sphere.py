"""Cells, bands and sides of the sphere."""

import numpy as np
import pytest

from repogen.cameras.camera import angles_to_direction
from repogen.cameras.viewpoints import BANDS
from repogen.viewpoint_estimation.sampling import sample_directions
from repogen.viewpoint_estimation.sphere import (
    AREAS,
    QUADRANTS,
    between_deg,
    by_band,
    counted,
    middles,
    smoothed,
    to_angles,
    to_directions,
)

SIDES = list(QUADRANTS)


def test_directions_are_the_cameras():
    rng = np.random.default_rng(0)
    azimuth, elevation = rng.uniform(-180, 180, 50), rng.uniform(-90, 90, 50)
    ours = to_directions(azimuth, elevation)
    assert ours == pytest.approx(
        np.stack([angles_to_direction(*pair) for pair in zip(azimuth, elevation, strict=True)])
    )
    assert to_angles(ours) == pytest.approx(np.stack([azimuth, elevation], axis=1))


def test_angles_between():
    up, front = to_directions(np.zeros(2), np.array([90.0, 0.0]))
    assert between_deg(np.stack([up, up, up]), np.stack([up, front, -up])) == pytest.approx(
        [0, 90, 180]
    )


def test_areas_are_of_the_sphere():
    assert AREAS.sum() == pytest.approx(1)
    rows = by_band(AREAS)
    heights = np.diff(np.sin(np.radians(BANDS))) / 2
    assert rows.sum(axis=1) == pytest.approx(heights)
    assert rows.sum(axis=0) == pytest.approx(np.full(4, 0.25))
    even = counted(sample_directions(np.random.default_rng(0), 200_000))
    assert by_band(even) == pytest.approx(rows, abs=0.005)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "side", "band"),
    [(0, 10, "front", 3), (90, -10, "left", 2), (-100, 80, "right", 5), (179, -70, "back", 0),
     (-180, 45, "back", 4), (-44, -45, "front", 1)],
)  # fmt: skip
def test_a_direction_falls_into_its_band_and_side(azimuth, elevation, side, band):
    one = to_directions(np.array([azimuth]), np.array([elevation]))
    exact = by_band(counted(one))
    assert exact[band, SIDES.index(side)] == exact.sum() == 1
    blurred = by_band(smoothed(one).cells)
    assert blurred.argmax() == exact.argmax()
    assert blurred.sum() == pytest.approx(1)


def test_a_known_direction_peaks_where_it_is():
    spread = smoothed(middles()[20, 30][None])
    density = spread.cells / AREAS
    assert np.unravel_index(density.argmax(), density.shape) == (20, 30)
    assert 3 < spread.expected_deg[0] < 12
