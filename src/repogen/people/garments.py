"""Clothes, shoes, hats and hair of asset packs, fitted to a body's mesh.

A garment's vertex rides on three vertices of MakeHuman's base mesh (`repogen.assets.Garment`). It
is fitted to the body before that is posed, then moved by the bones that move the skin under it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from repogen.assets import Garment
from repogen.bodies.anny import AnnyBody
from repogen.bodies.kernels import count_hits, skin_points
from repogen.bodies.protocol import LAYERS, PosedBody, Surface
from repogen.bodies.surface import vertex_normals
from repogen.people.outfit import REGIONS
from repogen.warp_setup import wp

TUCK = 0.012
"""Metres by which skin under cloth is drawn further in."""

_DECIMETRE = 0.1
_BONES = 8
_PAIR = 0.02
_UNDER, _OVER = 0.03, 0.06
_MARGIN = 2
"""Rings of faces inside a garment's border whose skin stays: one sees in there."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A garment and what is known of it on one body model."""

    garment: Garment
    texture: Path
    surface: Surface
    bones: wp.array
    weights: wp.array
    regions: UInt8[np.ndarray, " f"]
    """Which piece of the garment a face belongs to, from the largest; REGIONS for small ones."""
    hidden: Bool[np.ndarray, " b"]
    """Vertices of the body that nobody sees under this garment."""
    covered: Bool[np.ndarray, " b"]
    """Vertices of the body that it covers."""
    texel_density: float
    """As `texel_density` says."""


def fit_garment(body: AnnyBody, garment: Garment, texture: Path) -> Fitted:
    """Everything about a garment on this body that no shape and no pose changes."""
    bones, weights = _skinning(body, garment)
    device_bones = wp.array(bones, dtype=wp.int32, device="cpu")
    device_weights = wp.array(weights, dtype=wp.float32, device="cpu")
    tpose = body.average
    rest = _on_body(garment, tpose, tpose)
    canonical = _moved(rest, device_bones, device_weights, tpose)
    hidden, covered = _covered_skin(body, garment, canonical)
    return Fitted(
        garment=garment,
        texture=texture,
        surface=_surface(body, garment, canonical),
        bones=device_bones,
        weights=device_weights,
        regions=_regions(garment, canonical),
        hidden=hidden,
        covered=covered,
        texel_density=texel_density(canonical[garment.faces], garment.face_uv),
    )


def pose_garment(body: AnnyBody, fitted: Fitted, posed: PosedBody) -> Float[np.ndarray, "v 3"]:
    """The garment's vertices on a posed body, in that body's frame (`PosedBody`)."""
    rest = _on_body(fitted.garment, posed, body.average)
    return _moved(rest, fitted.bones, fitted.weights, posed)


def _on_body(garment: Garment, posed: PosedBody, average: PosedBody) -> Float[np.ndarray, "v 3"]:
    """The garment on a body that is shaped but not posed; offsets grow as the body part did."""
    assert posed.rest is not None
    assert average.rest is not None
    rest = posed.rest.astype(np.float64)
    carried = np.einsum("vk,vki->vi", garment.weights, rest[garment.refs])
    scale = np.ones(3)
    for axis, ((a, b), length) in enumerate(
        zip(garment.scale_refs, garment.scale_lengths, strict=True)
    ):
        own = (0, 2, 1)[axis]  # MakeHuman's y is up, its z the front
        made_for = length * _DECIMETRE or abs(average.rest[a, own] - average.rest[b, own])
        if made_for > 0:
            scale[axis] = abs(rest[a, own] - rest[b, own]) / made_for
    x, y, z = (garment.offsets * scale * _DECIMETRE).T
    return (carried + np.stack([x, -z, y], axis=1)).astype(np.float32)


def _moved(
    rest: Float[np.ndarray, "v 3"], bones: wp.array, weights: wp.array, posed: PosedBody
) -> Float[np.ndarray, "v 3"]:
    assert posed.bones is not None
    out = wp.empty(len(rest), dtype=wp.vec3, device="cpu")
    wp.launch(
        skin_points,
        dim=len(rest),
        inputs=[
            wp.array(rest, dtype=wp.vec3, device="cpu"),
            bones,
            weights,
            wp.array(posed.bones[0], dtype=wp.mat33, device="cpu"),
            wp.array(posed.bones[1], dtype=wp.vec3, device="cpu"),
        ],
        outputs=[out],
        device="cpu",
    )
    return out.numpy()


def _skinning(
    body: AnnyBody, garment: Garment
) -> tuple[Int[np.ndarray, "v k"], Float[np.ndarray, "v k"]]:
    """The bones of the three skin vertices under each vertex, by what those weigh."""
    bone_ids, bone_weights = body.skinning
    count = len(garment.refs)
    rows = np.repeat(np.arange(count), garment.refs.shape[1] * bone_ids.shape[1])
    shares = np.maximum(garment.weights, 0)[:, :, None] * bone_weights[garment.refs]
    dense = csr_array(
        (shares.ravel(), (rows, bone_ids[garment.refs].ravel())),
        shape=(count, int(bone_ids.max()) + 1),
    ).toarray()
    bones = np.argsort(-dense, axis=1, kind="stable")[:, :_BONES]
    weights = np.take_along_axis(dense, bones, axis=1)
    return bones.astype(np.int32), weights / weights.sum(axis=1, keepdims=True)


def _surface(body: AnnyBody, garment: Garment, canonical: Float[np.ndarray, "v 3"]) -> Surface:
    """The garment's faces take part, joint neighbourhood and folds from the skin under them."""
    skin = np.flatnonzero(body.surface.faces_of("skin"))
    corners = body.surface.canonical[body.surface.faces[skin]]
    nearest = skin[cKDTree(corners.mean(axis=1)).query(canonical[garment.faces].mean(axis=1))[1]]
    # Hair and hats hide what is under them; the rest is where the skin under it is.
    worn = garment.kind != "hair" and "hats" not in garment.tags
    used = np.unique(body.surface.faces[skin])
    under = used[cKDTree(body.surface.canonical[used]).query(canonical)[1]]
    count = len(garment.faces)
    more = body.surface.face_more
    assert more is not None
    return Surface(
        faces=garment.faces,
        face_layers=np.full(
            count, LAYERS.index("cloth" if garment.kind == "clothes" else "strands"), np.uint8
        ),
        face_parts=body.surface.face_parts[nearest],
        face_keypoints=body.surface.face_keypoints[nearest] * np.uint32(worn),
        canonical=canonical,
        occlusion=body.surface.occlusion[under],
        lips=np.zeros(len(canonical), dtype=np.float32),
        uv=garment.face_uv.reshape(-1, 2),
        face_uv=np.arange(3 * count).reshape(-1, 3),
        face_more=more[nearest] * np.uint32(worn),
    )


def _regions(garment: Garment, canonical: Float[np.ndarray, "v 3"]) -> UInt8[np.ndarray, " f"]:
    """Connected pieces, left and right of a pair as one, in the order of their areas; all the
    smaller ones are REGIONS."""
    faces = garment.faces
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    links = csr_array((np.ones(len(edges)), edges.T), shape=(len(canonical), len(canonical)))
    part = connected_components(links, directed=False)[1][faces[:, 0]]
    a, b, c = canonical[faces].swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    sizes = np.bincount(part, area)
    sums = np.stack([np.bincount(part, area * axis) for axis in (a + b + c).T / 3], axis=1)
    middles = sums / np.maximum(sizes, 1e-9)[:, None]
    away, twin = cKDTree(middles).query(middles * [-1, 1, 1])
    paired = (away < _PAIR) & (np.abs(sizes[twin] - sizes) < 0.1 * sizes)
    own = np.arange(len(sizes))
    piece = np.where(paired, np.minimum(twin, own), own)[part]
    sizes = np.bincount(piece, area, minlength=len(sizes))
    rank = np.full(len(sizes), REGIONS)
    largest = np.argsort(-sizes, kind="stable")[:REGIONS]
    largest = largest[sizes[largest] > 0.02 * sizes.sum()]
    rank[largest] = np.arange(len(largest))
    return rank[piece].astype(np.uint8)


def texel_density(corners: Float[np.ndarray, "f 3 3"], uv: Float[np.ndarray, "f 3 2"]) -> float:
    """Widths of the texture that a metre of surface takes (median over the faces)."""
    a, b, c = corners.swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    p, q, r = uv.swapaxes(0, 1)
    (x1, y1), (x2, y2) = (q - p).T, (r - p).T
    solid = area > 1e-9
    return float(np.median(np.sqrt(np.abs(x1 * y2 - x2 * y1)[solid] / area[solid])))


def _covered_skin(
    body: AnnyBody, garment: Garment, canonical: Float[np.ndarray, "v 3"]
) -> tuple[Bool[np.ndarray, " b"], Bool[np.ndarray, " b"]]:
    """Vertices hidden and covered: a face of the garment lies on the way out of the skin."""
    surface = body.surface
    skin = surface.faces[surface.faces_of("skin")]
    hidden = np.zeros(len(surface.canonical), dtype=bool)
    if garment.kind != "clothes" or "hats" in garment.tags:
        return hidden, hidden.copy()
    mesh = wp.Mesh(
        wp.array(canonical, dtype=wp.vec3, device="cpu"),
        wp.array(garment.faces.ravel(), dtype=wp.int32, device="cpu"),
    )
    hits = wp.zeros(len(hidden), dtype=wp.uint8, device="cpu")
    normals = vertex_normals(surface.canonical, skin)
    wp.launch(
        count_hits,
        dim=len(hidden),
        inputs=[
            mesh.id,
            wp.array(surface.canonical, dtype=wp.vec3, device="cpu"),
            wp.array(normals, dtype=wp.vec3, device="cpu"),
            _UNDER,
            _OVER,
        ],
        outputs=[hits],
        device="cpu",
    )
    covered = hits.numpy() > 0
    hidden[garment.hidden] = True
    covered |= hidden
    inner = covered.copy()
    for _ in range(_MARGIN):
        border = ~inner[skin].all(axis=1)
        inner[skin[border]] = False
    return hidden | inner, covered
