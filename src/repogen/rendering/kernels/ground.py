"""Detail of a panorama's ground that the panorama is too coarse for.

Pixels of the ground reach far along the line of sight from the panorama's viewpoint, and are
narrow across it. Where only the first is larger than a pixel of the picture, look-ups are shifted
across that line by noise: the panorama's own colours then vary along the line as they do across it.
Below the width across it, noise continues the contrast that the panorama shows there.
"""

import numpy as np

from repogen.warp_setup import wp

SIZE = 128
_SIZE = wp.constant(SIZE)

_WAVELENGTH = 6.0
"""Texels of the tile's wavelength."""

_SHIFT = wp.constant(wp.float32(0.3))
"""Standard deviation of an octave's shift over its wavelength."""

_WIDEST = wp.constant(wp.float32(8.0))
"""Largest wavelength of shifts over the width of a panorama's pixel."""


_BLUR = wp.constant(wp.float32(1.7))
"""Texels of a panorama that are blurred into one: half the shortest wavelength that it shows."""

_NO_TEXTURE = wp.constant(wp.float32(0.01))
"""Contrast and roughness below which ground has no detail."""

_LONGEST = 4.0
"""Metres: the first level's wavelength."""
_INVERSE_LONGEST = wp.constant(wp.float32(1 / _LONGEST))

_LEVELS = 12
_LAST_LEVEL = wp.constant(_LEVELS - 1)
_TURN = 2.4
"""Radians by which an octave's tile is turned against the next one's."""


@wp.struct
class Ground:
    """`environment.ground.GroundTexture`, with roughness as the fourth channel of `contrast` and
    the logarithm to base 2 of the falloff; `texel` is the width of the panorama's pixels, radians.
    `tile` is `ground_tile`, in rows, `to_tile` is `ground_levels`."""

    contrast: wp.array2d(dtype=wp.vec4)
    wavelength: float
    falloff: float
    log_falloff: float
    texel: float
    tile: wp.array(dtype=wp.vec2)
    to_tile: wp.array(dtype=wp.vec2)


@wp.struct
class Detail:
    """Metres to shift a look-up across the line of sight, and by how much the logarithm of the
    light changes."""

    shift: float
    light: wp.vec3


def ground_tile() -> np.ndarray:
    """Noise of shape (SIZE**2, 2), float32: one octave, periodic, zero mean, unit deviation."""
    rng = np.random.default_rng(20250921)
    k = np.fft.fftfreq(SIZE)
    octave = np.log2(np.maximum(np.hypot(k[:, None], k), 1e-9) * _WAVELENGTH)
    white = np.fft.fft2(rng.normal(size=(2, SIZE, SIZE)))
    tile = np.fft.ifft2(white * np.exp(-2 * octave**2)).real
    tile /= tile.std(axis=(1, 2), keepdims=True)
    return np.ascontiguousarray(tile.reshape(2, -1).T.astype(np.float32))


def ground_levels() -> np.ndarray:
    """Cosine and sine, over the texel's width in metres, that turn metres to texels of the tile:
    for wavelengths of 4, 2, 1 … metres; shape (n, 2), float32."""
    level = np.arange(_LEVELS)
    turn = np.stack([np.cos(_TURN * level), np.sin(_TURN * level)], axis=1)
    return (turn * (_WAVELENGTH / _LONGEST * 2.0**level)[:, None]).astype(np.float32)


@wp.func
def tile_at(tile: wp.array(dtype=wp.vec2), x: float, y: float) -> wp.vec2:
    """Bilinear look-up; one unit is one texel, and the tile repeats."""
    left = wp.floor(x)
    top = wp.floor(y)
    fx = x - left
    fy = y - top
    x0 = int(left) & (_SIZE - 1)
    x1 = (x0 + 1) & (_SIZE - 1)
    y0 = (int(top) & (_SIZE - 1)) * _SIZE
    y1 = ((int(top) + 1) & (_SIZE - 1)) * _SIZE
    a = tile[y0 + x0]
    b = tile[y1 + x0]
    a += fx * (tile[y0 + x1] - a)
    b += fx * (tile[y1 + x1] - b)
    return a + fy * (b - a)


@wp.func
def ground_detail(
    ground: Ground, x: float, y: float, away: float, slant: float, pixel: float, column: float,
    row: float,
) -> Detail:  # fmt: skip
    """Detail of the ground at (x, y), metres, where a pixel of the picture is `pixel` metres wide.

    `away` is the distance from the panorama's viewpoint in metres, `slant` its ratio to the
    viewpoint's height, `column` and `row` are the direction in the panorama, from 0 to 1.
    """
    out = Detail()
    across = _BLUR * ground.texel * away
    coarsest = across * wp.min(2.0 * slant, _WIDEST)
    finest = 1.5 * pixel
    if coarsest <= finest:
        return out
    rows = ground.contrast.shape[0]
    columns = ground.contrast.shape[1]
    i = wp.clamp(int((2.0 * row - 1.0) * float(rows)), 0, rows - 1)
    j = wp.clamp(int(column * float(columns)), 0, columns - 1)
    contrast = ground.contrast[i, j]
    if wp.max(contrast[1], contrast[3]) < _NO_TEXTURE:
        return out
    level = int(0)
    inverse = float(_INVERSE_LONGEST)  # one over the wavelength
    while inverse * coarsest < 1.0 and level < _LAST_LEVEL:
        level += 1
        inverse *= 2.0
    # An octave's contrast over that of the octave that was measured.
    amplitude = wp.pow(ground.wavelength * away * inverse, ground.log_falloff)
    least = 1.0 / finest
    length = 1.0 / inverse
    light = float(0.0)
    while inverse < least and level <= _LAST_LEVEL:
        turn = ground.to_tile[level]
        n = tile_at(ground.tile, turn[0] * x - turn[1] * y, turn[1] * x + turn[0] * y)
        weight = wp.min(coarsest * inverse - 1.0, 1.0) * wp.min(length * least - 1.0, 1.0)
        unknown = wp.clamp(2.0 * across * inverse - 0.25, 0.0, 1.0)
        out.shift += weight * (1.0 - unknown) * contrast[3] * _SHIFT * length * n[0]
        light += weight * unknown * amplitude * n[1]
        level += 1
        inverse *= 2.0
        length *= 0.5
        amplitude *= ground.falloff
    out.light = light * wp.vec3(contrast[0], contrast[1], contrast[2])
    return out
