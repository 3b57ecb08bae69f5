"""Linear light to bytes."""

from repogen.rendering.kernels.codes import MOST_LIGHT, SRGB_STEPS
from repogen.warp_setup import wp

_STEPS = wp.constant(wp.float32(SRGB_STEPS / MOST_LIGHT))
_MOST = wp.constant(wp.float32(MOST_LIGHT))


@wp.func
def srgb_byte(to_srgb: wp.array(dtype=wp.uint8), light: float) -> wp.uint8:
    """The sRGB byte of linear light, clipped to the table (`buffers.color_tables`)."""
    return to_srgb[int(wp.clamp(light, 0.0, _MOST) * _STEPS + 0.5)]


@wp.func
def store_bgr(
    out: wp.array2d(dtype=wp.uint8),
    y: int,
    x: int,
    light: wp.vec3,
    to_srgb: wp.array(dtype=wp.uint8),
):
    """Write linear RGB light as the sRGB bytes of a pixel, in the order BGR."""
    for c in range(3):
        out[y, 3 * x + 2 - c] = srgb_byte(to_srgb, light[c])
