"""The soft edge of an image circle, and the black outside it."""

from repogen.rendering.kernels.colors import srgb_byte
from repogen.rendering.kernels.lens import Lens
from repogen.rendering.kernels.room import STRIP
from repogen.warp_setup import wp

_STRIP = wp.constant(STRIP)

FADE = 0.01
"""Share of an image circle's radius over which its edge fades (our choice)."""
_FADE = wp.constant(wp.float32(FADE))


@wp.kernel
def darken_outside_circle(
    lens: Lens,
    radius: float,
    to_linear: wp.array(dtype=wp.float32),
    to_srgb: wp.array(dtype=wp.uint8),
    picture: wp.array2d(dtype=wp.uint8),
):
    """A strip of `STRIP` pixels of a picture, BGR, darkened in linear light: black outside the
    image circle, which has this radius at focal length 1, and fading just inside it."""
    row, strip = wp.tid()
    width = picture.shape[1] / 3
    y = (float(row) + 0.5 - lens.cy) / (lens.fy * radius)
    clear = (1.0 - _FADE) * (1.0 - _FADE)
    for column in range(strip * _STRIP, wp.min((strip + 1) * _STRIP, width)):
        x = (float(column) + 0.5 - lens.cx) / (lens.fx * radius)
        square = x * x + y * y
        if square > clear:
            inwards = (1.0 - wp.sqrt(square)) / _FADE
            share = inwards * inwards * (3.0 - 2.0 * inwards)
            for c in range(3):
                byte = wp.uint8(0)
                if inwards > 0.0:
                    value = share * to_linear[int(picture[row, 3 * column + c])]
                    byte = srgb_byte(to_srgb, value)
                picture[row, 3 * column + c] = byte
