"""Things that stand in the way: boxes, poles, furniture, and cut-outs of the user's."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from repogen.bodies.protocol import LAYERS, Surface
from repogen.errors import UserError, unknown_choice
from repogen.people.outfit import Fabric

CUTOUT = "cutout"


@dataclass(frozen=True)
class Occluder:
    """A thing of one of the shapes `SHAPES`, or a cut-out: a picture with alpha on a rectangle.

    `size` is its extent in metres along its own x, y and z, `rotation` takes those to the world's
    (row-major), `position` is where its middle is. `path` is a cut-out's picture. Raises
    `UserError` for an unknown shape, no size, or a picture where none or one is needed.
    """

    shape: str
    position: tuple[float, float, float]
    size: tuple[float, float, float]
    rotation: tuple[tuple[float, float, float], ...]
    fabric: Fabric
    path: str | None = None

    def __post_init__(self) -> None:
        if self.shape not in (*SHAPES, CUTOUT):
            raise unknown_choice("shape of an occluder", self.shape, (*SHAPES, CUTOUT))
        if not (all(0 <= side < np.inf for side in self.size) and any(self.size)):
            raise UserError(f"an occluder of size {self.size} m: give three lengths from 0 up")
        if (self.path is None) == (self.shape == CUTOUT):
            raise UserError(f"a {self.shape} with picture {self.path}: only cut-outs have one")


# Boxes as (low corner, high corner) in the unit cube around the origin.
_BOXES = {
    "box": (((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)),),
    "table": (
        ((-0.5, -0.5, 0.42), (0.5, 0.5, 0.5)),
        *(
            ((x, y, -0.5), (x + 0.08, y + 0.08, 0.42))
            for x in (-0.48, 0.4) for y in (-0.48, 0.4)
        ),
    ),
    "chair": (
        ((-0.5, -0.5, -0.06), (0.5, 0.5, 0.0)),
        ((-0.5, 0.42, 0.0), (0.5, 0.5, 0.5)),
        *(
            ((x, y, -0.5), (x + 0.1, y + 0.1, -0.06))
            for x in (-0.5, 0.4) for y in (-0.5, 0.4)
        ),
    ),
    "shelf": (
        ((-0.5, -0.5, -0.5), (-0.46, 0.5, 0.5)),
        ((0.46, -0.5, -0.5), (0.5, 0.5, 0.5)),
        *(((-0.46, -0.5, z), (0.46, 0.5, z + 0.03)) for z in (-0.5, -0.17, 0.15, 0.47)),
    ),
}  # fmt: skip

SHAPES = (*_BOXES, "pole", "ball")
"""What things there are beside cut-outs."""

_SIDES = 24
_GRID = 4
"""Squares along a side of a box: small triangles bend with a fisheye and meet the light evenly."""


def occluder_vertices(occluder: Occluder) -> Float[np.ndarray, "v 3"]:
    """The thing's corners in the world, metres."""
    local = occluder_surface(occluder.shape).canonical * np.array(occluder.size)
    turned = np.einsum("ij,vj->vi", np.array(occluder.rotation), local)
    return (turned + np.array(occluder.position)).astype(np.float32)


@lru_cache(maxsize=16)
def occluder_surface(shape: str) -> Surface:
    """The mesh of a shape, one metre in each direction."""
    if shape == CUTOUT:
        patches = [_patch((-0.5, 0, 0.5), (1, 0, 0), (0, 0, -1))]
    elif shape == "pole":
        patches = [_pole()]
    elif shape == "ball":
        patches = [_ball()]
    else:
        patches = [patch for low, high in _BOXES[shape] for patch in _box(low, high)]
    vertices, faces, uv = (
        np.concatenate(parts)
        for parts in zip(*_numbered(patches), strict=True)
    )  # fmt: skip
    count = len(faces)
    layer = "strands" if shape == CUTOUT else "occluder"
    return Surface(
        faces=faces,
        face_layers=np.full(count, LAYERS.index(layer), dtype=np.uint8),
        face_parts=np.zeros(count, dtype=np.uint8),
        face_keypoints=np.zeros(count, dtype=np.uint32),
        canonical=vertices.astype(np.float32),
        occlusion=np.ones(len(vertices), dtype=np.float32),
        lips=np.zeros(len(vertices), dtype=np.float32),
        uv=uv,
        face_uv=faces,
    )


Patch = tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"], Float[np.ndarray, "v 2"]]


def _numbered(patches: list[Patch]) -> list[Patch]:
    """The patches with faces that count on from one to the next."""
    starts = np.cumsum([0] + [len(vertices) for vertices, _, _ in patches])
    return [(v, f + start, uv) for (v, f, uv), start in zip(patches, starts, strict=False)]


def _grid(rows: int, columns: int) -> tuple[Float[np.ndarray, "v 2"], Int[np.ndarray, "f 3"]]:
    """Points of the unit square, row by row, and its triangles, anticlockwise seen from where u
    grows to the right and v downwards."""
    v, u = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, columns + 1), indexing="ij")
    index = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    triangles = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    return np.stack([u.ravel(), v.ravel()], axis=1), triangles.reshape(-1, 3)


def _patch(corner: tuple, along_u: tuple, along_v: tuple) -> Patch:
    uv, faces = _grid(_GRID, _GRID)
    return np.array(corner) + uv @ np.array([along_u, along_v], float), faces, uv


def _box(low: tuple, high: tuple) -> list[Patch]:
    x0, y0, z0 = low
    x1, y1, z1 = high
    dx, dy, dz = x1 - x0, y1 - y0, z1 - z0
    return [
        _patch((x0, y0, z1), (dx, 0, 0), (0, 0, -dz)),
        _patch((x1, y1, z1), (-dx, 0, 0), (0, 0, -dz)),
        _patch((x0, y1, z1), (0, -dy, 0), (0, 0, -dz)),
        _patch((x1, y0, z1), (0, dy, 0), (0, 0, -dz)),
        _patch((x0, y1, z1), (dx, 0, 0), (0, -dy, 0)),
        _patch((x0, y0, z0), (dx, 0, 0), (0, dy, 0)),
    ]


def _pole() -> Patch:
    uv, faces = _grid(12, _SIDES)
    turn = 2 * np.pi * uv[:, 0]
    return np.stack([np.cos(turn) / 2, np.sin(turn) / 2, 0.5 - uv[:, 1]], axis=1), faces, uv


def _ball() -> Patch:
    uv, faces = _grid(_SIDES // 2, _SIDES)
    turn, tilt = 2 * np.pi * uv[:, 0], np.pi * uv[:, 1]
    ring = np.sin(tilt) / 2
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), np.cos(tilt) / 2], 1), faces, uv
