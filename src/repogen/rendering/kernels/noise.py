"""Smooth noise from a table: four values at every point of space."""

import numpy as np

from repogen.warp_setup import wp

SIZE = 32
_SIZE = wp.constant(SIZE)


SLOPE = 0.5
"""Deviation of the noise's derivative along an axis, for each texel."""


def noise_table() -> np.ndarray:
    """Noise of shape (SIZE**3, 4), float32: periodic, zero mean, unit deviation, about 3 texels
    smooth.

    The last three of its values are the gradient of the first, divided by `SLOPE`: at any one point
    all four are independent of each other.
    """
    rng = np.random.default_rng(20240527)
    white = np.fft.fftn(rng.normal(size=(SIZE, SIZE, SIZE)))
    k = np.stack(np.meshgrid(*3 * [np.fft.fftfreq(SIZE)], indexing="ij"))
    smooth = white * np.exp(-40.0 * (k * k).sum(axis=0))
    # The first axis of the table is z.
    derivatives = [2j * np.pi * k[axis] * smooth for axis in (2, 1, 0)]
    table = np.stack([np.fft.ifftn(one).real for one in (smooth, *derivatives)])
    table -= table.mean(axis=(1, 2, 3), keepdims=True)
    table[0] /= table[0].std()
    table[1:] /= table[1:].std(axis=(1, 2, 3), keepdims=True)
    return np.ascontiguousarray(table.reshape(4, -1).T.astype(np.float32))


@wp.func
def noise(table: wp.array(dtype=wp.vec4), at: wp.vec3) -> wp.vec4:
    """Trilinear look-up; one unit of `at` is one texel, and the table repeats."""
    bx = wp.floor(at[0])
    by = wp.floor(at[1])
    bz = wp.floor(at[2])
    fx = at[0] - bx
    fy = at[1] - by
    fz = at[2] - bz
    x0 = int(bx) & (_SIZE - 1)
    y0 = (int(by) & (_SIZE - 1)) * _SIZE
    z0 = (int(bz) & (_SIZE - 1)) * _SIZE * _SIZE
    x1 = (int(bx) + 1) & (_SIZE - 1)
    y1 = ((int(by) + 1) & (_SIZE - 1)) * _SIZE
    z1 = ((int(bz) + 1) & (_SIZE - 1)) * _SIZE * _SIZE
    a = table[z0 + y0 + x0]
    b = table[z0 + y1 + x0]
    c = table[z1 + y0 + x0]
    d = table[z1 + y1 + x0]
    a += fx * (table[z0 + y0 + x1] - a)
    b += fx * (table[z0 + y1 + x1] - b)
    c += fx * (table[z1 + y0 + x1] - c)
    d += fx * (table[z1 + y1 + x1] - d)
    a += fy * (b - a)
    c += fy * (d - c)
    return a + fz * (c - a)
