"""Panoramas packed into 32 bits a pixel, against the numbers they were packed from."""

import numpy as np
import pytest

from repogen.rendering.packed_light import CHANNEL_BITS, pack_light


def unpacked(packed, factors):
    shifts = CHANNEL_BITS * np.arange(3)
    bits = packed[..., None] >> shifts.astype(np.uint32) & (2**CHANNEL_BITS - 1)
    return bits * factors[packed >> 3 * CHANNEL_BITS][..., None]


@pytest.mark.parametrize("scale", [1e-4, 1.0, 3e4])
def test_a_channel_is_within_a_part_in_500_of_the_brightest(scale):
    rng = np.random.default_rng(1)
    pixels = (scale * np.exp(rng.normal(0, 2, (64, 128, 3)))).astype(np.float32)
    found = unpacked(*pack_light(pixels))
    error = np.abs(found - pixels).max(axis=2) / pixels.max(axis=2)
    assert error.max() < 1 / 500


def test_powers_of_two_and_what_rounds_up_to_them_keep_their_value():
    light = np.array([1, 2, 1 - 1e-7, 2 - 1e-7, 0.9995, 1.9995], np.float32)
    pixels = np.repeat(light[None, :, None], 3, axis=2)
    assert unpacked(*pack_light(pixels))[0, :, 0] == pytest.approx(light, rel=1 / 500)


def test_black_is_black_and_a_sun_stays_far_above_white():
    pixels = np.full((100, 200, 3), 0.5, np.float32)
    pixels[0, 0] = 0
    pixels[50, 100] = 1e9
    found = unpacked(*pack_light(pixels))
    assert (found[0, 0] == 0).all()
    assert found[50, 100].min() > 1e6


def test_colours_far_below_the_mean_are_black():
    pixels = np.full((4, 8, 3), 1.0, np.float32)
    pixels[0, 0] = [1e-4, 2e-4, 1e-9]
    found = unpacked(*pack_light(pixels))[0, 0]
    assert found == pytest.approx(pixels[0, 0], abs=1 / 16_000)
