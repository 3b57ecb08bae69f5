"""Colour scales of maps, as hex strings of sRGB."""

import cv2
import numpy as np

from repogen.arrays import Float

_LOSS, _SAME, _GAIN = (np.array(rgb) for rgb in ((194, 85, 10), (170, 176, 184), (0, 125, 112)))
"""Ends and middle of the scale of differences: orange is below 0, teal above."""


def sequential(values: Float[np.ndarray, " n"]) -> list[str]:
    """Viridis from dark (0) to light (1); values beyond are clipped."""
    levels = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)[:, None]
    return [_hex(rgb) for rgb in cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[:, 0, ::-1]]


def diverging(values: Float[np.ndarray, " n"]) -> list[str]:
    """Orange (-1) over grey (0) to teal (1); values beyond are clipped."""
    share = np.clip(values, -1, 1)[:, None]
    ends = np.where(share < 0, _LOSS, _GAIN)
    return [_hex(rgb) for rgb in np.rint(_SAME + np.abs(share) * (ends - _SAME)).astype(int)]


def scale_html(low: str, high: str, label: str, signed: bool = False, empty: str = "") -> str:
    """The legend of a map: the scale between the words for its ends; `empty` names what grey
    cells are."""
    colors = ", ".join(
        diverging(np.linspace(-1, 1, 9)) if signed else sequential(np.linspace(0, 1, 9))
    )
    none = f'<i class="none"></i>{empty}' if empty else ""
    return (
        f'<div class="scale">{label}: {low}<i style="background:linear-gradient(90deg, {colors})">'
        f"</i>{high}{none}</div>"
    )


def _hex(rgb: np.ndarray) -> str:
    return "#" + bytes(rgb.astype(np.uint8)).hex()
