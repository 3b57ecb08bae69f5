"""Kinds of occluders, their real sizes and colours."""

import colorsys
from dataclasses import dataclass, replace

import numpy as np

from repogen.colors import from_hex, to_hex
from repogen.people.outfit import Fabric, sample_fabric

_Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """A kind of occluder: its shape, and the ranges of its size along x, y and z, metres."""

    shape: str
    size: tuple[_Range, _Range, _Range]
    stands: bool
    """Whether it stands on the floor; else somebody has it at hand."""
    round: bool = False
    """Whether it is a ball, or a pole along z: x and y are equal."""


KINDS = {
    # Furniture: usual sizes of furniture shops; tables 72 to 76 cm high and seats 43 to 46 cm, as
    # EN 527 and EN 1335 have them for adults.
    "table": Kind("table", ((0.6, 1.6), (0.6, 0.9), (0.7, 0.78)), True),
    "chair": Kind("chair", ((0.4, 0.55), (0.42, 0.58), (0.82, 0.98)), True),
    "shelf": Kind("shelf", ((0.6, 1.2), (0.25, 0.4), (0.8, 2.0)), True),
    # Building codes ask for handrails of 0.9 to 1.1 m.
    "rail": Kind("rail", ((1.0, 2.0), (0.04, 0.08), (0.9, 1.1)), True),
    # A broom's to a street lamp's.
    "post": Kind("pole", ((0.04, 0.15), (0.04, 0.15), (1.2, 3.0)), True, round=True),
    # Moving boxes.
    "crate": Kind("box", ((0.3, 0.6), (0.3, 0.6), (0.3, 0.6)), True),
    # Gymnastic balls are sold in 55, 65 and 75 cm.
    "gym ball": Kind("ball", ((0.55, 0.75), (0.55, 0.75), (0.55, 0.75)), True, round=True),
    # Volleyball 21 cm, football 22 cm, basketball 24 cm: the rules of FIVB, FIFA and FIBA.
    "ball": Kind("ball", ((0.2, 0.25), (0.2, 0.25), (0.2, 0.25)), False, round=True),
    # Parcels that one person carries.
    "parcel": Kind("box", ((0.15, 0.4), (0.12, 0.3), (0.1, 0.3)), False),
    # Brooms, hockey sticks, bars of weights.
    "stick": Kind("pole", ((0.025, 0.05), (0.025, 0.05), (0.8, 1.5)), False, round=True),
}
"""Kinds of occluders by name."""

CUTOUT_LENGTHS: dict[str, _Range] = {
    "dog": (0.35, 1.1), "cat": (0.35, 0.6), "bird": (0.1, 0.4), "sheep": (1.0, 1.4),
    "horse": (2.0, 2.4), "cow": (2.0, 2.5), "bear": (1.4, 2.2), "elephant": (4.0, 6.0),
    "bicycle": (1.6, 1.9), "motorcycle": (1.9, 2.3), "car": (3.6, 4.9), "bus": (9.0, 12.0),
    "bench": (1.2, 2.0), "chair": (0.8, 1.0), "couch": (1.4, 2.3), "table": (0.8, 1.8),
    "bed": (1.9, 2.2), "plant": (0.3, 1.6), "tree": (2.0, 6.0), "umbrella": (0.7, 1.1),
    "suitcase": (0.5, 0.8), "backpack": (0.4, 0.6), "bag": (0.25, 0.5), "ball": (0.2, 0.25),
    "skateboard": (0.75, 0.85), "surfboard": (1.7, 2.8), "skis": (1.5, 1.9), "kite": (0.8, 1.6),
    "laptop": (0.3, 0.4), "tv": (0.7, 1.5), "book": (0.2, 0.3), "bottle": (0.2, 0.35),
    "cup": (0.08, 0.15), "bowl": (0.12, 0.3), "phone": (0.13, 0.17), "teddy": (0.2, 0.6),
}  # fmt: skip
"""Range of the longest side, metres, of cut-outs whose file name holds the word: of grown animals
of usual breeds from nose to rump, and of articles as shops sell them. Our estimates."""

_OTHER_LENGTH = (0.2, 0.8)


def sample_size(rng: np.random.Generator, kind: Kind) -> tuple[float, float, float]:
    """A random size of a kind, metres."""
    x, y, z = (float(rng.uniform(*limits)) for limits in kind.size)
    if not kind.round:
        return x, y, z
    return x, x, x if kind.shape == "ball" else z


def sample_cutout_length(rng: np.random.Generator, file_name: str) -> float:
    """A random longest side of a cut-out, metres: a real one where the file's name says what it
    is."""
    words = "".join(c if c.isalpha() else " " for c in file_name.lower()).split()
    known = (CUTOUT_LENGTHS[word] for word in words if word in CUTOUT_LENGTHS)
    return float(rng.uniform(*next(known, _OTHER_LENGTH)))


def sample_finish(rng: np.random.Generator) -> Fabric:
    """A smooth surface: half of wood, a quarter from black to white, a quarter of any muted
    colour."""
    kind = rng.random()
    if kind < 0.5:
        return sample_wood(rng)
    fabric = replace(sample_fabric(rng, False), wrinkles=float(rng.uniform(0, 0.05)))
    if kind < 0.75:
        return _worn(rng, replace(fabric, color=to_hex(np.full(3, rng.uniform(0.12, 0.85)))))
    rgb = from_hex(fabric.color)
    return _worn(rng, replace(fabric, color=to_hex(0.12 + 0.45 * rgb + 0.3 * float(rgb.mean()))))


def sample_wood(rng: np.random.Generator) -> Fabric:
    """A surface of wood."""
    hue, saturation, value = rng.uniform([0.05, 0.2, 0.2], [0.11, 0.6, 0.75])
    color = to_hex(np.array(colorsys.hsv_to_rgb(hue, saturation, value)))
    return _worn(rng, replace(sample_fabric(rng, False), color=color, wrinkles=0.0))


def _worn(rng: np.random.Generator, fabric: Fabric) -> Fabric:
    """The surface with faint clouds: nothing that is used has one colour."""
    darker = from_hex(fabric.color) * rng.uniform(0.75, 0.93)
    scale = float(rng.uniform(0.1, 0.4))
    return replace(fabric, accent=to_hex(darker), pattern="noise", scale=scale)
