"""Fit clothes, shoes, hats and hair of asset packs to a body and pose them with it.

Each vertex of a garment is bound to three vertices of MakeHuman's base mesh
(`repogen.assets.Garment`). The garment is fitted to the unposed body, then skinned with the bones
of the skin under it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from repogen.arrays import Bool, Float, Int, UInt8
from repogen.assets import Garment, check_pack_file, item_picture, read_garment
from repogen.assets.packs import item_files
from repogen.bodies.anny import AnnyBody
from repogen.bodies.kernels import find_hits, skin_points
from repogen.bodies.nearest import NearestPoint
from repogen.bodies.protocol import LAYERS, PosedBody, Surface
from repogen.bodies.surface import layer_vertices, vertex_normals
from repogen.people.cutting import mix
from repogen.people.hanging import HIPS, Hanging, find_skirt, spread_weights
from repogen.people.regions import find_regions
from repogen.warp_setup import wp

TUCK = 0.012
"""Metres by which covered skin is moved inwards, so that it does not pierce the garment."""

_DECIMETRE = 0.1
_BONES = 8
"""Most bones that move one vertex."""

_BELOW, _ABOVE = 0.03, 0.06
"""Metres along the skin's normal in which a garment's face covers the skin."""

_MARGIN = 2
"""Rings of faces inside a garment's border whose skin is not hidden, since it may be seen."""


@dataclass(frozen=True, eq=False)
class FittedGarment:
    """A garment fitted to one body model: all that depends on neither shape nor pose."""

    garment: Garment
    texture: Path
    surface: Surface
    bones: Int[np.ndarray, "v k"]
    weights: Float[np.ndarray, "v k"]
    regions: UInt8[np.ndarray, " f"]
    """Each face's piece of the garment, by size from 0; REGIONS for small pieces."""
    hidden: Bool[np.ndarray, " b"]
    """Vertices of the body that are never visible under the garment."""
    covered: Bool[np.ndarray, " b"]
    """Vertices of the body that the garment covers."""
    texel_density: float
    """See the function `texel_density`."""
    hanging: Hanging | None = None
    """What of it hangs free."""
    alteration: "Alteration | None" = None
    """How it differs from the garment as it was made."""


@dataclass(frozen=True, eq=False)
class Alteration:
    """How the vertices of an altered garment are made of the original's."""

    original: FittedGarment
    kept: Int[np.ndarray, " g"]
    """The number that each vertex of the original has now, -1 for one that is gone."""
    own: Int[np.ndarray, " k"]
    """Vertices of the original that it has, which come first."""
    refs: Int[np.ndarray, "n 3"]
    weights: Float[np.ndarray, "n 3"]
    """The new ones are between three of the original each."""
    outer: Int[np.ndarray, "o 3"]
    """Faces of rolled hems: their vertices lie `thickness` metres higher, along the normals."""
    thickness: float
    shift: Float[np.ndarray, "v 3"] | None = None
    """Metres by which each vertex of trunk or leg is moved on the T-pose of the average adult; on
    another body in proportion to its height."""
    height: float = 1.0
    """From the lowest to the highest vertex there, metres."""

    def mix(self, values: Float[np.ndarray, "g ..."]) -> Float[np.ndarray, "v ..."]:
        """Values of the vertices, from values of the original's."""
        new = mix(values, self.refs, self.weights)
        return np.concatenate([values[self.own], new.astype(values.dtype)])

    def apply(self, points: Float[np.ndarray, "g 3"]) -> Float[np.ndarray, "v 3"]:
        """The vertices, from the original's before posing or on the T-pose; metres."""
        out = self.mix(points)
        if self.shift is not None:
            out += (self.shift * (np.ptp(out[:, 2]) / self.height)).astype(out.dtype)
        if len(self.outer):
            used, own = np.unique(self.outer, return_inverse=True)
            normals = vertex_normals(out[used], own.reshape(-1, 3))
            out[used] += (self.thickness * normals).astype(out.dtype)
        return out


def fit_garment(body: AnnyBody, garment: Garment, texture: Path) -> FittedGarment:
    """Fit a garment to a body model; `texture` is the path of its picture."""
    bones, weights = _skinning(body, garment)
    tpose = body.average
    rest = _fit_to_shape(garment, tpose, tpose)
    canonical = _skin_mesh(rest, bones, weights, tpose)
    hidden, covered = _covered_skin(body, garment, canonical)
    skirt = find_skirt(garment.faces, canonical) if garment.kind == "clothes" else None
    if skirt is not None:
        bones, weights = spread_weights(skirt, garment.faces, canonical, bones, weights)
        hidden &= body.surface.canonical[:, 2] > HIPS  # one sees below it
    regions = find_regions(garment.faces, canonical)
    return FittedGarment(
        garment=garment,
        texture=texture,
        surface=_surface(body, garment, canonical),
        bones=bones,
        weights=weights,
        regions=regions,
        hidden=hidden,
        covered=covered,
        texel_density=texel_density(canonical[garment.faces], garment.face_uv),
        hanging=skirt,
    )


@lru_cache(maxsize=256)
def fitted_garment(body: AnnyBody, pack: str, kind: str, name: str) -> FittedGarment:
    """An installed garment on a body model. Raises `UserError` where it cannot be read or has
    changed."""
    path = item_files(pack, kind, name)[".safetensors"]
    texture = item_picture(pack, kind, name)
    for file in (path, texture):
        check_pack_file(file)
    return fit_garment(body, read_garment(path), texture)


def pose_garments(
    body: AnnyBody, fitted: Sequence[FittedGarment], posed: PosedBody
) -> list[tuple[Float[np.ndarray, "v 3"], Float[np.ndarray, "v 3"]]]:
    """The vertices of each garment on the body before posing and on the posed body, in that body's
    frame (`PosedBody`)."""
    rests = [_unposed(one, posed, body.average) for one in fitted]
    bones, weights = (
        np.concatenate([getattr(one, name) for one in fitted]) for name in ("bones", "weights")
    )
    vertices = _skin_mesh(np.concatenate(rests), bones, weights, posed)
    ends = np.cumsum([len(rest) for rest in rests])[:-1]
    return list(zip(rests, np.split(vertices, ends), strict=True))


def original(fitted: FittedGarment) -> FittedGarment:
    """The garment as it was made."""
    return original(fitted.alteration.original) if fitted.alteration else fitted


def _unposed(
    fitted: FittedGarment, posed: PosedBody, average: PosedBody
) -> Float[np.ndarray, "v 3"]:
    if (alteration := fitted.alteration) is None:
        return _fit_to_shape(fitted.garment, posed, average)
    return alteration.apply(_unposed(alteration.original, posed, average))


def _fit_to_shape(
    garment: Garment, posed: PosedBody, average: PosedBody
) -> Float[np.ndarray, "v 3"]:
    """The garment's vertices on the unposed body `posed.rest`, offsets scaled with its parts."""
    assert posed.rest is not None
    assert average.rest is not None
    a, b, c = posed.rest.take(garment.refs.T, axis=0).astype(np.float64)
    weight_a, weight_b, weight_c = garment.weights.astype(np.float64).T[..., None]
    bound = weight_a * a + weight_b * b + weight_c * c
    ends = posed.rest[garment.scale_refs].astype(np.float64)
    scale = np.ones(3)
    for axis, ((first, last), length) in enumerate(
        zip(garment.scale_refs, garment.scale_lengths, strict=True)
    ):
        world = (0, 2, 1)[axis]  # MakeHuman's y is up, its z the front
        original = length * _DECIMETRE or abs(
            average.rest[first, world] - average.rest[last, world]
        )
        if original > 0:
            scale[axis] = abs(ends[axis, 0, world] - ends[axis, 1, world]) / original
    x, y, z = (garment.offsets * scale * _DECIMETRE).T
    return (bound + np.stack([x, -z, y], axis=1)).astype(np.float32)


def _skin_mesh(
    rest: Float[np.ndarray, "v 3"],
    bones: Int[np.ndarray, "v k"],
    weights: Float[np.ndarray, "v k"],
    posed: PosedBody,
) -> Float[np.ndarray, "v 3"]:
    assert posed.bones is not None
    out = wp.empty(len(rest), dtype=wp.vec3, device="cpu")
    wp.launch(
        skin_points,
        dim=len(rest),
        inputs=[
            wp.array(rest, dtype=wp.vec3, device="cpu", copy=False),
            wp.array(bones, dtype=wp.int32, device="cpu", copy=False),
            wp.array(weights, dtype=wp.float32, device="cpu", copy=False),
            wp.array(posed.bones[0], dtype=wp.mat33, device="cpu", copy=False),
            wp.array(posed.bones[1], dtype=wp.vec3, device="cpu", copy=False),
        ],
        outputs=[out],
        device="cpu",
    )
    return out.numpy()


def _skinning(
    body: AnnyBody, garment: Garment
) -> tuple[Int[np.ndarray, "v k"], Float[np.ndarray, "v k"]]:
    """Bones and weights of each vertex: those of its three skin vertices, weighted likewise."""
    return mixed_bones(*body.skinning, garment.refs, np.maximum(garment.weights, 0))


def mixed_bones(
    bones: Int[np.ndarray, "n k"],
    weights: Float[np.ndarray, "n k"],
    refs: Int[np.ndarray, "v r"],
    shares: Float[np.ndarray, "v r"],
) -> tuple[Int[np.ndarray, "v 8"], Float[np.ndarray, "v 8"]]:
    """Bones and weights, which descend, of vertices that are mixed of others."""
    mixed = bones[refs].reshape(len(refs), refs.shape[1] * bones.shape[1])
    used = np.zeros(int(bones.max(initial=0)) + 1, dtype=bool)
    used[mixed] = True
    known, own = np.flatnonzero(used), (np.cumsum(used) - 1)[mixed]
    known = np.pad(known, (0, max(_BONES - len(known), 0)))
    dense = np.zeros((len(refs), len(known)), weights.dtype)
    rows = np.repeat(np.arange(len(refs)), own.shape[1])
    np.add.at(dense, (rows, own.ravel()), (shares[:, :, None] * weights[refs]).ravel())
    largest = np.argsort(-dense, axis=1, kind="stable")[:, :_BONES]
    found = np.take_along_axis(dense, largest, axis=1)
    found /= found.sum(axis=1, keepdims=True)
    return known[largest].astype(np.int32), found.astype(np.float32)


class Skin(NamedTuple):
    """What every garment needs to know about the skin of a body model in its T-pose."""

    faces: Int[np.ndarray, " s"]
    nearest_face: NearestPoint
    """Among the centres of `faces`."""
    vertices: Int[np.ndarray, " n"]
    nearest_vertex: NearestPoint
    normals: Float[np.ndarray, "v 3"]
    """Unit normals of all vertices of the body; zero where there is no skin."""


@lru_cache(maxsize=4)
def skin_of(body: AnnyBody) -> Skin:
    """The skin of a body model."""
    at, all_faces = body.surface.canonical, body.surface.faces
    faces = np.flatnonzero(body.surface.faces_of("skin"))
    vertices = layer_vertices(body.surface, "skin")
    return Skin(
        faces=faces,
        nearest_face=NearestPoint(at[all_faces[faces]].mean(axis=1)),
        vertices=vertices,
        nearest_vertex=NearestPoint(at[vertices]),
        normals=vertex_normals(at, all_faces[faces]),
    )


def _surface(body: AnnyBody, garment: Garment, canonical: Float[np.ndarray, "v 3"]) -> Surface:
    """The garment's `Surface`, with parts, neighbourhoods and occlusion of the skin under it."""
    skin = skin_of(body)
    nearest = skin.faces[skin.nearest_face.query(canonical[garment.faces].mean(axis=1))[1]]
    under = skin.vertices[skin.nearest_vertex.query(canonical)[1]]
    # Hair and hats occlude keypoints; other garments show where the joint under them is.
    shows_keypoints = garment.kind != "hair" and "hats" not in garment.tags
    count = len(garment.faces)
    extra_keypoints = body.surface.face_extra_keypoints
    assert extra_keypoints is not None
    return Surface(
        faces=garment.faces,
        face_layers=np.full(
            count, LAYERS.index("cloth" if garment.kind == "clothes" else "strands"), np.uint8
        ),
        face_parts=body.surface.face_parts[nearest],
        face_keypoints=body.surface.face_keypoints[nearest] * np.uint32(shows_keypoints),
        canonical=canonical,
        occlusion=body.surface.occlusion[under],
        lips=np.zeros(len(canonical), dtype=np.float32),
        uv=garment.face_uv.reshape(-1, 2),
        face_uv=np.arange(3 * count).reshape(-1, 3),
        face_extra_keypoints=extra_keypoints[nearest] * np.uint32(shows_keypoints),
    )


def texel_density(corners: Float[np.ndarray, "f 3 3"], uv: Float[np.ndarray, "f 3 2"]) -> float:
    """Texture coordinates per metre of surface: the median over the faces of √(uv area / area)."""
    a, b, c = corners.swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    p, q, r = uv.swapaxes(0, 1)
    (x1, y1), (x2, y2) = (q - p).T, (r - p).T
    valid = area > 1e-9
    return float(np.median(np.sqrt(np.abs(x1 * y2 - x2 * y1)[valid] / area[valid])))


def _covered_skin(
    body: AnnyBody, garment: Garment, canonical: Float[np.ndarray, "v 3"]
) -> tuple[Bool[np.ndarray, " b"], Bool[np.ndarray, " b"]]:
    """Vertices hidden and covered by the garment: one of its faces lies along the skin's normal."""
    surface = body.surface
    skin = surface.faces[surface.faces_of("skin")]
    hidden = np.zeros(len(surface.canonical), dtype=bool)
    if garment.kind != "clothes" or "hats" in garment.tags:
        return hidden, hidden.copy()
    mesh = _device_mesh(canonical, garment.faces)
    covered = _hits(mesh, surface.canonical, skin_of(body).normals, _BELOW, _ABOVE)
    hidden[garment.hidden] = True
    covered |= hidden
    hidden |= _far_inside(covered, skin)
    # Paint on skin that a garment ought to cover stands off it: it is hidden where cloth is.
    paint = layer_vertices(surface, "tights")
    under = _hits(mesh, surface.canonical, _paint_normals(surface), _BELOW, _ABOVE)
    covered[paint] = under[paint]
    hidden[paint] = _far_inside(under, surface.faces[surface.faces_of("tights")])[paint]
    return hidden, covered


def _far_inside(
    covered: Bool[np.ndarray, " v"], faces: Int[np.ndarray, "f 3"]
) -> Bool[np.ndarray, " v"]:
    """The covered vertices with at least `_MARGIN` rings of faces to the nearest bare one."""
    inner = covered.copy()
    for _ in range(_MARGIN):
        border = ~inner[faces].all(axis=1)
        inner[faces[border]] = False
    return inner


@lru_cache(maxsize=4)
def _paint_normals(surface: Surface) -> Float[np.ndarray, "v 3"]:
    return vertex_normals(surface.canonical, surface.faces[surface.faces_of("tights")])


def _device_mesh(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> wp.Mesh:
    return wp.Mesh(
        wp.array(vertices, dtype=wp.vec3, device="cpu"),
        wp.array(faces.ravel(), dtype=wp.int32, device="cpu"),
    )


def _hits(
    mesh: wp.Mesh,
    points: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    below: float,
    above: float,
) -> Bool[np.ndarray, " n"]:
    """Points with a face of the mesh along their normal, from `below` metres below them to `above`
    metres above."""
    out = wp.zeros(len(points), dtype=wp.uint8, device="cpu")
    wp.launch(
        find_hits,
        dim=len(points),
        inputs=[
            mesh.id,
            wp.array(points, dtype=wp.vec3, device="cpu"),
            wp.array(normals, dtype=wp.vec3, device="cpu"),
            below,
            above,
        ],
        outputs=[out],
        device="cpu",
    )
    return out.numpy() > 0
