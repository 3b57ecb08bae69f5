"""Pictures in linear light, packed into 32 bits a pixel: a third of their size as floats."""

import numpy as np

from repogen.arrays import Float32, UInt32

CHANNEL_BITS = 9
"""Bits of each of red, green and blue, from the lowest; above them are five of the exponent."""

_STEPS = 2**CHANNEL_BITS
_EXPONENTS = 32
_ABOVE_MEAN = 17
"""Powers of two above the mean's that can be stored. What is brighter is white in any exposure."""


def pack_light(
    pixels: Float32[np.ndarray, "h w 3"],
) -> tuple[UInt32[np.ndarray, "h w"], Float32[np.ndarray, "32"]]:
    """Pixels of not negative, finite linear RGB that share an exponent, and the factor of each
    exponent by which a channel's bits are multiplied.

    Each channel is within 1/500 of the pixel's brightest channel, down to 1/16,000 of the
    picture's mean.
    """
    red, green, blue = np.moveaxis(pixels, 2, 0)
    brightest = np.maximum(np.maximum(red, green), blue)
    highest = int(np.frexp(max(float(pixels.mean(dtype=np.float64)), 1e-30))[1]) + _ABOVE_MEAN
    lowest = highest - _EXPONENTS + 1
    # A little more, so that no channel rounds up to a bit more than it has.
    exponents = np.frexp(brightest * np.float32(1 + 1 / _STEPS))[1].clip(lowest, highest)
    factors = np.ldexp(np.float32(1 / _STEPS), np.arange(lowest, highest + 1)).astype(np.float32)
    inverse = (1 / factors)[exponents - lowest]
    packed = (exponents - lowest).astype(np.uint32)
    for channel in (blue, green, red):
        bits = np.minimum(np.rint(channel * inverse), _STEPS - 1).astype(np.uint32)
        packed = packed << np.uint32(CHANNEL_BITS) | bits
    return packed, factors
