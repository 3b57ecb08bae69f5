"""Drawing a bed below a person who lies."""

from dataclasses import replace

import numpy as np

from repogen.cameras.camera import yaw_matrix
from repogen.colors import LUMINANCE, from_hex, to_hex
from repogen.environment.blanket import OVERHANG
from repogen.environment.occluder_kinds import sample_wood
from repogen.environment.occluders import BLANKET, Occluder
from repogen.people.outfit import Fabric, sample_fabric
from repogen.people.posing import PosedPerson

_BLANKETS = 0.85
"""Share of the beds with a blanket, where one stays on the person."""

_SINKS = 0.03
"""Metres that a person sinks into the mattress."""

_PILLOW_SINKS = 0.02
"""Metres that the middle of a pillow is below the mattress's top: its seam does not show."""

_HIGHEST = 0.65
"""Metres above the mattress up to which a blanket is laid on somebody: it slips off a leg that
points up."""

_MOST_CHROMA = 0.3
"""Largest difference of a blanket's red, green and blue, sRGB from 0 to 1."""

_GREYS = (0.25, 0.75)
"""Range of a blanket's grey, sRGB from 0 to 1."""

_PATTERNS = ("plain", "stripes", "pinstripes", "checks", "plaid")
"""Patterns of blankets; those of clothes become plain."""

_HEADBOARDS = 0.7
"""Share of the beds with a headboard."""


def sample_bed(rng: np.random.Generator, posed: PosedPerson) -> tuple[Occluder, ...]:
    """A mattress below the person, along the trunk, a pillow at the head, often a headboard, and
    mostly a blanket from the feet up to between the knees and the shoulders."""
    points = posed.body.keypoints[:17]
    shoulders, hips = points[5:7].mean(axis=0), points[11:13].mean(axis=0)
    right, up = (shoulders - hips)[:2]
    heading = float(np.arctan2(-right, up)) + np.radians(rng.uniform(-8, 8))
    turn = yaw_matrix(heading)
    own = np.einsum("vj,ji->vi", posed.outer_points, turn)
    head, (middle, *_) = points[0] @ turn, (shoulders + hips) @ turn / 2
    top = posed.lowest + _SINKS
    width, length, height = rng.uniform((1.0, 2.0, 0.4), (1.8, 2.15, 0.65)).tolist()
    free = max(width / 2 - 0.55, 0.0)
    across = float(middle + rng.uniform(-free, free))
    low, head_end = float(own[:, 1].min()), float(own[:, 1].max() + rng.uniform(0.05, 0.25))
    length = max(length, head_end - low + 0.05)
    linen = _linen(rng)

    def part(
        shape: str, at: tuple[float, float, float], size: tuple[float, float, float],
        fabric: Fabric, heading_deg: float = 0.0,
    ) -> Occluder:  # fmt: skip
        x, y, z = (turn @ np.array(at)).tolist()
        rows = (turn @ yaw_matrix(np.radians(heading_deg))).tolist()
        first, second, third = (tuple(row) for row in rows)
        return Occluder(shape, (x, y, z), size, (first, second, third), fabric)

    bed = [
        part("mattress", (across, head_end - length / 2, top - height / 2),
             (width, length, height), linen),
        part("pillow", (float(head[0]), head_end - 0.27, top - _PILLOW_SINKS),
             (min(width - 0.1, 0.7), 0.45, 0.22), _linen(rng), float(rng.uniform(-12, 12))),
    ]  # fmt: skip
    if rng.random() < _HEADBOARDS:
        thick, above = rng.uniform((0.03, 0.1), (0.08, 0.35)).tolist()
        at = (across, head_end + thick / 2, top + (above - height) / 2)
        bed.append(part("box", at, (width + 0.06, thick, height + above), sample_wood(rng)))
    foot = head_end - length - OVERHANG
    hem = low + float(rng.uniform(0.4, 1.0)) * (float((shoulders @ turn)[1]) - low)
    covered = own[own[:, 1] < hem]
    if rng.random() < _BLANKETS and covered[:, 2].max() - top < _HIGHEST:
        middle_of_cloth = (across, (foot + hem) / 2, top)
        size = (width + 2 * OVERHANG, hem - foot, float(rng.uniform(0.01, 0.04)))
        bed.append(part(BLANKET, middle_of_cloth, size, _bedding(rng)))
    return tuple(bed)


def _bedding(rng: np.random.Generator) -> Fabric:
    """A blanket's fabric, in colours of bedding: none that glow, none black or white."""
    fabric = sample_fabric(rng, True)

    def calm(color: str) -> str:
        rgb = from_hex(color)
        grey = float(rgb @ LUMINANCE)
        least = min(1.0, _MOST_CHROMA / max(float(np.ptp(rgb)), 1e-6))
        low, high = _GREYS
        return to_hex(low + (high - low) * grey + least * (rgb - grey))

    return replace(
        fabric,
        color=calm(fabric.color),
        accent=calm(fabric.accent),
        pattern=fabric.pattern if fabric.pattern in _PATTERNS else "plain",
        scale=float(rng.uniform(0.05, 0.25)),
        wrinkles=float(rng.uniform(0.02, 0.15)),
    )


def _linen(rng: np.random.Generator) -> Fabric:
    """A pale plain cloth, not as white as paper: cameras take white beds for the light around."""
    light = rng.uniform(0.5, 0.82) + rng.uniform(-0.04, 0.04, 3)
    return replace(sample_fabric(rng, False), color=to_hex(np.clip(light, 0, 1)), wrinkles=0.06)
