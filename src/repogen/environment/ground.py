"""The texture of a panorama's ground, to continue it beyond the panorama's resolution."""

from dataclasses import dataclass

import cv2
import numpy as np

from repogen.arrays import Float32
from repogen.colors import LUMINANCE

_ROWS = 512
"""Rows of a panorama in which texture is measured, at most."""

_CELL = 4
"""Pixels along a side of a cell of the map of contrast."""

_BAND = 8.0
"""Pixels of the wavelength at which contrast is measured."""

_BAND_SIGMA = 1.0
"""Pixels: the Gaussians of this width and of twice it differ by the octave around `_BAND`."""

_OCTAVE_OF_BAND = 2.4
"""Standard deviation of an octave over the mean absolute difference of the two Gaussians, of a
texture with as much contrast in every octave."""

_FALLOFF = 0.5, 1.0
"""Range of the ratio of an octave's contrast to that of the next coarser one."""

_PIXELS_BLUR = 1.13
"""Ratio of two octaves' contrasts, over what is measured: pixels are means over their area."""

_ROUGH = 0.8, 0.95
"""Ratios from which on and up to which lines give way to grains: rooms and streets have the first,
woods and meadows the second."""

_FAINT = 0.08
"""Contrast below which ground counts as less rough: on smooth ground only edges would change."""

_EDGE = 2.0, 4.0
"""Contrast of a cell over what is usual around it, from which on and up to which it is an edge."""

_MOST = 0.35
"""Largest contrast: what has more is an edge."""

_MOST_OF_FLOOR = 1.25
"""Largest contrast over that of the ground around the viewpoint: farther away furniture and walls
have more, which noise would make rough."""


@dataclass(frozen=True, eq=False)
class GroundTexture:
    """Texture of the lower half of a panorama, along its rows."""

    contrast: Float32[np.ndarray, "h w 3"]
    """Standard deviation of the logarithm of linear RGB in the octave around `wavelength`, by
    direction: row 0 is at the horizon, the last one at the nadir, columns as in the panorama."""
    wavelength: float
    """Radians of azimuth and elevation."""
    falloff: float
    """Ratio of an octave's contrast to that of the next coarser octave."""
    roughness: Float32[np.ndarray, "h w"]
    """How much the ground looks like grains (1) and not like lines and smooth surfaces (0), by
    direction."""


def ground_texture(panorama: Float32[np.ndarray, "h w 3"]) -> GroundTexture:
    """The texture of a panorama's ground, linear RGB.

    Rows of a panorama keep their resolution over the ground, columns do not: texture is measured
    along rows. Edges count little: of several cells around a point the median counts.
    """
    rows = min(_ROWS, panorama.shape[0])
    black = 0.01 * float(panorama.mean()) + 1e-9
    pixels = panorama
    if rows < panorama.shape[0]:
        pixels = cv2.resize(panorama, (2 * rows, rows), interpolation=cv2.INTER_AREA)
    log = np.log(pixels[rows // 2 :] + np.float32(black))
    measured, coarse = _band(log, _BAND_SIGMA), _band(log, 2 * _BAND_SIGMA)
    # Rows at the horizon show what stands on the ground, the last ones a tripod.
    own = slice(len(log) // 4, max(7 * len(log) // 8, 1))
    levels = [float(np.median(band[own] @ LUMINANCE)) + 1e-6 for band in (measured, coarse)]
    ratio = _PIXELS_BLUR * levels[0] / levels[1]
    size = (-(-measured.shape[1] // _CELL), -(-measured.shape[0] // _CELL))
    cells = cv2.resize(measured, size, interpolation=cv2.INTER_AREA)
    usual = _usual(cells)
    floor = usual[len(usual) // 2 : max(5 * len(usual) // 6, 1)]
    most = np.minimum(_MOST_OF_FLOOR * np.median(floor, axis=(0, 1)), _MOST / _OCTAVE_OF_BAND)
    contrast = _OCTAVE_OF_BAND * np.minimum(usual, most).astype(np.float32)
    rough = np.clip((ratio - _ROUGH[0]) / (_ROUGH[1] - _ROUGH[0]), 0, 1)
    rough = rough * np.minimum(contrast @ LUMINANCE / _FAINT, 1)
    edges = cv2.dilate(cells @ LUMINANCE, np.ones((3, 3))) / (usual @ LUMINANCE + 1e-6)
    rough *= np.clip((_EDGE[1] - edges) / (_EDGE[1] - _EDGE[0]), 0, 1)
    return GroundTexture(
        contrast=contrast,
        wavelength=_BAND * np.pi / rows,
        falloff=float(np.clip(ratio, *_FALLOFF)),
        roughness=cv2.GaussianBlur(rough, None, 0.7).astype(np.float32),
    )


def _usual(cells: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """Values of cells without what few of the cells around have."""
    edge = 8
    cells = np.pad(cells, ((0, 0), (edge, edge), (0, 0)), "wrap")
    for _ in range(2):  # OpenCV's largest median of floats is that of 5 x 5
        cells = cv2.medianBlur(cells, 5)
    return cv2.GaussianBlur(cells, None, 2.0)[:, edge:-edge]


def _band(log: Float32[np.ndarray, "h w 3"], sigma: float) -> Float32[np.ndarray, "h w 3"]:
    """Absolute difference of two Gaussian blurs along the rows, which close to rings."""
    edge = int(8 * sigma) + 1
    rings = np.pad(log, ((0, 0), (edge, edge), (0, 0)), "wrap")
    near, far = (
        cv2.GaussianBlur(rings, None, sigmaX=width, sigmaY=1e-6) for width in (sigma, 2 * sigma)
    )
    return np.abs(near - far)[:, edge:-edge]
