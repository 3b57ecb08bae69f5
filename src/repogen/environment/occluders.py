"""Occluders: boxes, poles, furniture, beds, and the user's cut-outs."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np

from repogen.arrays import Bool, Float, Int
from repogen.assets.sources import Source
from repogen.bodies.protocol import LAYERS, Surface
from repogen.environment.blanket import COLUMNS, ROWS, drape
from repogen.errors import UserError, unknown_choice
from repogen.people.outfit import Fabric
from repogen.records import Between, Point, Rotation

CUTOUT = "cutout"

BLANKET = "blanket"

_Side = Annotated[float, Between(0, 1000)]


@dataclass(frozen=True)
class Occluder:
    """An object of one of the shapes `SHAPES`; part of a bed; or a cut-out: a picture with alpha on
    a rectangle.

    `size` is its extent in metres along its own x, y and z, `rotation` takes those axes to the
    world's (row-major), `position` is its centre in the world, metres; of a blanket the middle of
    the cloth, on the mattress. `picture` is that of a cut-out. Raises `UserError` for an unknown
    shape, a size that is not three lengths, a cut-out without a picture, or another shape with one.
    """

    shape: str
    position: Point
    size: tuple[_Side, _Side, _Side]
    rotation: Rotation
    fabric: Fabric
    picture: Source | None = None

    def __post_init__(self) -> None:
        if self.shape not in _ALL_SHAPES:
            raise unknown_choice("occluder shape", self.shape, _ALL_SHAPES)
        if not (all(0 <= side < np.inf for side in self.size) and any(self.size)):
            raise UserError(
                f"an occluder of size {self.size} m: give three lengths, none below 0, one above"
            )
        if (self.picture is None) == (self.shape == CUTOUT):
            picture = f"the picture {self.picture.name!r}" if self.picture else "no picture"
            raise UserError(
                f"an occluder of shape {self.shape} with {picture}: a cut-out needs one, other "
                "shapes have none"
            )


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
    "rail": (
        ((-0.5, -0.5, 0.44), (0.5, 0.5, 0.5)),
        ((-0.47, -0.5, -0.5), (-0.43, 0.5, 0.44)),
        ((0.43, -0.5, -0.5), (0.47, 0.5, 0.44)),
    ),
}  # fmt: skip

SHAPES = (*_BOXES, "pole", "ball")
"""Shapes other than parts of a bed and cut-outs."""

BED_SHAPES = ("mattress", "pillow", BLANKET)

CLIMBING_WALL = "climbing wall"

HOLDS = ("holds 1", "holds 2", "holds 3")
"""Holds of a climbing wall, spread over a rectangle in three ways; y is into the wall."""

_ALL_SHAPES = (*SHAPES, *BED_SHAPES, CLIMBING_WALL, *HOLDS, CUTOUT)

_SIDES = 24
_NOBODY = np.zeros((0, 3))

_GRID = 4
"""Squares along a side of a box: small triangles follow a fisheye's curves and shade smoothly."""


def distance_to_box(occluder: Occluder, points: Float[np.ndarray, "n 3"]) -> np.ndarray:
    """Distance of each point from the box around an occluder, metres, 0 inside; world frame."""
    local = (points - np.array(occluder.position)) @ np.array(occluder.rotation)
    outside = np.maximum(np.abs(local) - np.array(occluder.size) / 2, 0)
    return np.linalg.norm(outside, axis=1)


def hides(
    occluder: Occluder, eye: Float[np.ndarray, "3"], points: Float[np.ndarray, "n 3"]
) -> Bool[np.ndarray, " n"]:
    """Whether the occluder crosses the line from the eye to each point; a ball or a pole counts as
    its box, a cut-out as its rectangle. World frame."""
    rotation, size = np.array(occluder.rotation), np.maximum(occluder.size, 1e-6)
    start, end = ((p - np.array(occluder.position)) @ rotation / size for p in (eye, points))
    along = end - start
    along = np.where(np.abs(along) < 1e-12, 1e-12, along)
    crossed = np.zeros(len(points), dtype=bool)
    for low, high in _BOXES.get(occluder.shape, _BOXES["box"]):
        to_low, to_high = (np.array(low) - start) / along, (np.array(high) - start) / along
        enter = np.minimum(to_low, to_high).max(axis=1)
        leave = np.maximum(to_low, to_high).min(axis=1)
        crossed |= (leave >= np.maximum(enter, 0)) & (enter <= 1)
    return crossed


def occluder_vertices(
    occluder: Occluder, people: Float[np.ndarray, "n 3"] = _NOBODY
) -> Float[np.ndarray, "v 3"]:
    """The occluder's vertices in the world, metres; `people` are points on which a blanket lies."""
    rotation, position = np.array(occluder.rotation), np.array(occluder.position)
    if occluder.shape == BLANKET:
        local = drape(occluder.size, np.einsum("vj,ji->vi", people - position, rotation))
    else:
        local = occluder_surface(occluder.shape).canonical * np.array(occluder.size)
    return (np.einsum("ij,vj->vi", rotation, local) + position).astype(np.float32)


@lru_cache(maxsize=16)
def occluder_surface(shape: str) -> Surface:
    """The mesh of a shape, one metre in each direction around the origin."""
    if shape == CUTOUT:
        patches = [_patch((-0.5, 0, 0.5), (1, 0, 0), (0, 0, -1))]
    elif shape == BLANKET:
        uv, triangles = _grid(ROWS, COLUMNS)
        # In metres of a usual size, for patterns and wrinkles; none of it at a sleeve's height.
        u, v = (uv - 0.5).T
        patches = [(np.column_stack([2.0 * u, 0 * u, 1.6 * v - 0.6]), triangles, uv)]
    elif shape in HOLDS:
        patches = _holds(np.random.default_rng(HOLDS.index(shape)))
    elif shape in ("mattress", CLIMBING_WALL):
        patches = _box((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5))
    elif shape == "pillow":
        patches = [_pillow()]
    elif shape == "pole":
        patches = [_pole()]
    elif shape == "ball":
        patches = [_ball()]
    else:
        patches = [patch for low, high in _BOXES[shape] for patch in _box(low, high)]
    vertices, faces, uv = (
        np.concatenate(parts)
        for parts in zip(*_with_offsets(patches), strict=True)
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


_Point = tuple[float, float, float]

Patch = tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"], Float[np.ndarray, "v 2"]]


def _with_offsets(patches: list[Patch]) -> list[Patch]:
    """The patches, with each one's face indices offset by the vertices before it."""
    starts = np.cumsum([0] + [len(vertices) for vertices, _, _ in patches])
    return [(v, f + start, uv) for (v, f, uv), start in zip(patches, starts, strict=False)]


def _grid(rows: int, columns: int) -> tuple[Float[np.ndarray, "v 2"], Int[np.ndarray, "f 3"]]:
    """Points (u, v) of the unit square, row by row, and its triangles: anticlockwise where u grows
    to the right and v downwards."""
    v, u = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, columns + 1), indexing="ij")
    index = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    triangles = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    return np.stack([u.ravel(), v.ravel()], axis=1), triangles.reshape(-1, 3)


def _patch(corner: _Point, along_u: _Point, along_v: _Point) -> Patch:
    uv, faces = _grid(_GRID, _GRID)
    return np.array(corner) + uv @ np.array([along_u, along_v], float), faces, uv


def _box(low: _Point, high: _Point) -> list[Patch]:
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


_HOLD_COUNT = 16


def _holds(rng: np.random.Generator) -> list[Patch]:
    """Half of each is inside the wall."""
    uv, faces = _grid(6, 10)
    turn, tilt = 2 * np.pi * uv[:, 0], np.pi * uv[:, 1]
    ring = np.sin(tilt) / 2
    ball = np.stack([ring * np.cos(turn), ring * np.sin(turn), np.cos(tilt) / 2], 1)
    patches = []
    for _ in range(_HOLD_COUNT):
        sizes = rng.uniform((0.02, 0.4, 0.015), (0.08, 1.0, 0.045))
        middle = rng.uniform(-0.45, 0.45, 2)
        # Uneven, and broader on one side.
        bumps = 1 + 0.25 * np.sin(ball @ rng.normal(0, 6, 3) + rng.uniform(0, 6))[:, None]
        at = ball * bumps * sizes
        heading = rng.uniform(0, np.pi)
        c, s = np.cos(heading), np.sin(heading)
        x, z = c * at[:, 0] - s * at[:, 2], s * at[:, 0] + c * at[:, 2]
        patches.append((np.column_stack([x + middle[0], at[:, 1], z + middle[1]]), faces, uv))
    return patches


def _pillow() -> Patch:
    """A ball pulled out to the corners of a square, and thin there."""
    ball, faces, uv = _ball()
    x, y, z = ball.T
    ring = np.maximum(np.hypot(x, y), 1e-9)
    pulled = ring / np.maximum((x**4 + y**4) ** 0.25, 1e-9)
    thin = 1 - 2.4 * (pulled - 1) * (2 * ring) ** 2
    return np.stack([x * pulled, y * pulled, z * thin], axis=1), faces, uv
