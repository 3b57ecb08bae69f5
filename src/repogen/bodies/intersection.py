"""The share of a body's skin that lies inside the body: self-intersection of implausible poses.

anny's own test (`anny.utils.collision`) marks faces that cut one another and share no bone: the
rim of an intersection. This one measures the area of the skin inside, works for any body, and
ignores the folds of bent joints, where every mesh cuts itself.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from repogen.arrays import Float, Int, UInt8, UInt32
from repogen.bodies.mesh_kernels import find_intersecting
from repogen.bodies.protocol import PARTS, PosedBody, Surface
from repogen.warp_setup import wp

FOLD_M = 0.12
"""Skin within this distance of another part, along the average adult's skin, may lie inside it."""

CONTACT_M = 0.01
"""Depth up to which contact is no intersection, since flesh gives way."""

_HINGES = tuple(
    (f"{side}_{near}", f"{side}_{far}")
    for side in ("left", "right")
    for near, far in (
        ("upper_arm", "lower_arm"),
        ("lower_arm", "hand"),
        ("upper_leg", "lower_leg"),
        ("lower_leg", "foot"),
    )
)
"""Parts that may fold flat on one another, as calf and thigh do."""

SAMPLES = 6000
"""Sampled skin faces, one for each 3 cm² of an adult."""

_ONE_AT_A_TIME = threading.Lock()
"""Threads share the mesh of a surface."""


@dataclass(frozen=True, eq=False)
class _Skin:
    """The skin as a mesh, its faces' parts, and the sampled faces with the parts forbidden to
    them."""

    mesh: wp.Mesh
    """Its tree is built once and fitted to each pose, which is faster: parts keep together."""
    parts: wp.array
    samples: wp.array
    forbidden: wp.array


def intersecting_share(surface: Surface, posed: PosedBody, samples: int = SAMPLES) -> float:
    """Share, 0 to 1, of a posed body's skin that lies inside another body part.

    Each face counts with its area on the average adult. Not counted: skin within `FOLD_M` of the
    other part, skin inside the part across a hinge (elbow, wrist, knee, ankle), and contact
    less than `CONTACT_M` deep. So a hinge folded through itself counts little or nothing (an
    elbow at 180 degrees 2 %, at 220 nothing, a knee never more than 0.3 %); use
    `repogen.poses.plausibility.range_excess` to find such poses. The error of `samples` faces is at
    most 0.2 % of the skin with 6000 of them, 0.4 % with 2000.
    """
    skin = _skin(surface, samples)
    out = wp.zeros(samples, dtype=wp.uint8, device="cpu")
    with _ONE_AT_A_TIME:
        skin.mesh.points.assign(posed.vertices)
        skin.mesh.refit()
        wp.launch(
            find_intersecting,
            dim=samples,
            inputs=[skin.mesh.id, skin.samples, skin.parts, skin.forbidden, CONTACT_M],
            outputs=[out],
            device="cpu",
        )
    return float(out.numpy().mean())


@lru_cache(maxsize=4)
def _skin(surface: Surface, count: int) -> _Skin:
    on_skin = surface.faces_of("skin")
    faces, parts = surface.faces[on_skin], surface.face_parts[on_skin]
    a, b, c = (surface.canonical[faces[:, i]].astype(np.float64) for i in range(3))
    areas = np.cumsum(np.linalg.norm(np.cross(b - a, c - a), axis=1))
    quantiles = (np.arange(count) + 0.5) / count
    samples = np.searchsorted(areas, quantiles * areas[-1])
    forbidden = _forbidden_parts(surface.canonical, faces, parts)[samples]
    points = wp.array(surface.canonical, dtype=wp.vec3, device="cpu")
    return _Skin(
        mesh=wp.Mesh(points, wp.array(faces.ravel(), dtype=wp.int32, device="cpu")),
        parts=wp.array(parts, dtype=wp.uint8, device="cpu"),
        samples=wp.array(samples, dtype=wp.int32, device="cpu"),
        forbidden=wp.array(forbidden, dtype=wp.uint32, device="cpu"),
    )


def _forbidden_parts(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    parts: UInt8[np.ndarray, " f"],
) -> UInt32[np.ndarray, " f"]:
    """For each face a bit field; bit p is set where the face must not lie inside part p."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    lengths = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    out = np.zeros(len(faces), dtype=np.uint32)
    for part in np.unique(parts).tolist():
        allowed = {part}.union(
            *({PARTS.index(side) for side in hinge} for hinge in _HINGES if PARTS[part] in hinge)
        )
        away = np.full(len(vertices), np.inf)
        away[faces[parts == part]] = 0.0
        _measure_along(edges, lengths, away)
        far = (away[faces] > FOLD_M).all(axis=1) & ~np.isin(parts, list(allowed))
        out[far] |= np.uint32(1 << part)
    return out


def _measure_along(
    edges: Int[np.ndarray, "e 2"], lengths: Float[np.ndarray, " e"], away: Float[np.ndarray, " v"]
) -> None:
    """Lower the distances `away` to those along edges from where they are 0, up to `FOLD_M`."""
    both = np.concatenate([edges, edges[:, ::-1]])
    lengths = np.tile(lengths, 2)
    while True:
        reached = away[both[:, 0]] + lengths
        shorter = (reached < away[both[:, 1]]) & (reached <= FOLD_M)
        if not shorter.any():
            return
        np.minimum.at(away, both[shorter, 1], reached[shorter])
