"""sRGB hex strings, sRGB and linear light."""

import numpy as np
import pytest

from repogen.colors import from_hex, to_hex, to_linear, to_srgb
from repogen.errors import UserError


@pytest.mark.parametrize("color", ["#000000", "#ffffff", "#7f8001", "#12ab9f"])
def test_hex_strings_round_trip(color):
    assert to_hex(from_hex(color)) == color


def test_hex_is_red_green_blue():
    assert from_hex("#FF0080").tolist() == pytest.approx([1, 0, 128 / 255])


def test_colours_outside_0_to_1_are_clipped():
    assert to_hex(np.array([-1.0, 0.5, 7.0])) == "#0080ff"


@pytest.mark.parametrize(
    "color", ["", "#12345", "#1234567", "123456", "#12345g", "red", "#12345\n"]
)
def test_invalid_colour_strings_are_user_errors(color):
    with pytest.raises(UserError, match="write it as #rrggbb"):
        from_hex(color)


def test_transfer_functions_are_inverse_and_standard():
    levels = np.arange(256) / 255
    assert to_srgb(to_linear(levels)) == pytest.approx(levels, abs=1e-6)
    assert (np.diff(to_linear(levels)) > 0).all()
    assert to_linear(np.array([0.0, 0.5, 1.0])) == pytest.approx([0, 0.21404, 1], abs=1e-4)
