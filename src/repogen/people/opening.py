"""Tops worn open at the front, like a jacket over a shirt."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from repogen.arrays import Float
from repogen.bodies.anny import AnnyBody
from repogen.people.alterations import altered
from repogen.people.cutting import cut, uncut
from repogen.people.garments import FittedGarment
from repogen.people.tops import WIDEST, find_pieces

_FRONT = -0.03
"""y on the T-pose that is before the neck, metres."""

_AT_COLLAR = 0.35
"""Half the opening at the collar, over that at the hem."""

_BARE, _SEEN = -0.02, 0.05
"""Metres before the edges up to which skin is covered, and hidden: it passes under the edges, and
one looks below them."""

_WAIST = -0.01
"""Metres from the top's hem to the upper edge of trousers or skirt below it: above, where the top
covers them, their textures are black."""


def with_opening(body: AnnyBody, original: FittedGarment, half_width: float) -> FittedGarment:
    """The garment with its top open at the front by twice `half_width` metres at the hem; as it is
    where it has no top."""
    at = original.surface.canonical.astype(np.float64)
    top, bottom = find_pieces(original.surface.faces, at)
    front = top & (np.abs(at[:, 0]) < WIDEST) & (at[:, 1] < _FRONT)
    if not front.any():
        return original
    hem = float(at[front, 2].min())
    beyond = _beyond(hem, float(at[front, 2].max()), half_width)
    past_waist = np.minimum(at[:, 2] - hem - _WAIST, _FRONT - at[:, 1])
    past = np.where(top, beyond(at), np.where(bottom, past_waist, -1.0))
    cloth = cut(uncut(original.surface.faces, len(at)), past)
    skin = beyond(body.surface.canonical)
    return replace(
        altered(original, cloth),
        hidden=original.hidden & (skin < -_SEEN),
        covered=original.covered & (skin < -_BARE),
    )


def _beyond(
    hem: float, collar: float, half_width: float
) -> Callable[[Float[np.ndarray, "n 3"]], Float[np.ndarray, " n"]]:
    """Metres of points on the T-pose past the edges of the opening, negative beside it."""

    def beyond(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        x, y, z = points.T
        down = np.clip((collar - z) / (collar - hem), 0, 1)
        half = half_width * (_AT_COLLAR + (1 - _AT_COLLAR) * down)
        return np.minimum(np.minimum(half - np.abs(x), _FRONT - y), z - hem - _WAIST)

    return beyond
