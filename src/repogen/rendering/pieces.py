"""People with their garments, and occluders, as pieces of a mesh."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from repogen.arrays import Float
from repogen.assets.sources import path_of
from repogen.bodies.protocol import Surface
from repogen.colors import LUMINANCE
from repogen.environment.occluders import (
    BED_SHAPES,
    BLANKET,
    Occluder,
    occluder_surface,
    occluder_vertices,
)
from repogen.people.garments import FittedGarment, original, texel_density
from repogen.people.hair import widen_strips
from repogen.people.outfit import REGIONS, Fabric, WornGarment
from repogen.people.posing import PosedGarment, PosedPerson
from repogen.people.tucking import bind, tucked
from repogen.rendering.kernels.codes import (
    COVERED,
    COVERED_DEEP,
    NO_MATERIAL,
    NO_PERSON,
    NO_TEXTURE,
)
from repogen.rendering.mesh import MATERIAL_DTYPE, Piece
from repogen.rendering.paints import fill_fabric
from repogen.rendering.textures import Texture

_DYE = 0.9
"""Share of a texture's colour that a garment's fabric replaces."""

_COLORS: WeakKeyDictionary[Texture, dict[FittedGarment, np.ndarray]] = WeakKeyDictionary()
"""Cache of `_mean_colors`, for as long as the textures are kept."""

_LEAST_GREY = 0.02

_UNDYED_WRINKLES = 0.2
"""`Fabric.wrinkles` of garments in their own colours."""


def person_pieces(
    posed: PosedPerson, person_index: int, texture: Callable[[Path], Texture]
) -> list[Piece]:
    """The body and its garments; `texture` loads a texture, `person_index` is that in the scene."""
    outfit = posed.person.outfit
    vertices = posed.body.vertices
    if outfit.hair == "long":
        vertices = widen_strips(posed.surface, vertices)
    bare = Piece(posed.surface, vertices, person_index, posed.body.rest)
    if outfit.picture is not None:
        bare = _with_skin_texture(bare, texture(path_of(outfit.picture)))
    garments: list[Piece] = []
    suit: PosedGarment | None = None
    cover = np.zeros(len(posed.body.vertices), dtype=np.uint8)
    for worn, garment in zip(outfit.worn, posed.garments, strict=True):
        item = garment.fitted
        cover[item.covered] = np.maximum(cover[item.covered], COVERED)
        cover[item.hidden] = COVERED_DEEP
        vertices = garment.vertices
        if worn.kind == "clothes" and "hats" not in item.garment.tags:
            if suit is not None:
                vertices = tucked(vertices, bind(item, suit.fitted), suit.vertices)
            suit = suit or garment
        piece = Piece(
            item.surface,
            vertices,
            person_index,
            garment.rest,
            materials=garment_materials(item, worn, texture(item.texture)),
            face_materials=item.regions.astype(np.int16),
        )
        garments.append(piece)
    return [replace(bare, cover=cover) if garments else bare, *garments]


def _with_skin_texture(bare: Piece, picture: Texture) -> Piece:
    material = np.zeros(1, dtype=MATERIAL_DTYPE)
    _set_texture(material, picture, _density(bare.surface))
    skin = bare.surface.faces_of("skin")
    return replace(
        bare, materials=material, face_materials=np.where(skin, 0, NO_MATERIAL).astype(np.int16)
    )


@lru_cache(maxsize=4)
def _density(surface: Surface) -> float:
    skin = surface.faces_of("skin")
    corners = surface.canonical[surface.faces[skin]]
    return texel_density(corners, surface.uv[surface.face_uv[skin]])


def occluder_piece(
    occluder: Occluder, people: Float[np.ndarray, "n 3"], texture: Callable[[Path], Texture]
) -> Piece:
    """An occluder in the colours of its fabric or of its picture; `people` are all their points."""
    surface = occluder_surface(occluder.shape)
    material = np.zeros(1, dtype=MATERIAL_DTYPE)
    material["offset"], material["grey"] = NO_TEXTURE, 1.0
    if occluder.picture is not None:
        _set_texture(material, texture(path_of(occluder.picture)), 1 / max(occluder.size))
    else:
        cloth, fabric = occluder.shape in BED_SHAPES, occluder.fabric
        if occluder.shape != BLANKET:  # whose surface is in metres
            fabric = replace(fabric, scale=fabric.scale / float(np.mean(occluder.size)))
        _set_dye(material[0], fabric if cloth else replace(fabric, wrinkles=0.02))
        material["dye"], material["gloss"] = 1.0, 0.0 if cloth else 0.08
    return Piece(
        surface,
        occluder_vertices(occluder, people),
        NO_PERSON,
        materials=material,
        face_materials=np.zeros(len(surface.faces), dtype=np.int16),
    )


def _set_texture(material: np.ndarray, picture: Texture, density: float) -> None:
    """Write a texture into materials; `density` is how often it repeats along a metre."""
    material["offset"], material["levels"] = picture.offset, picture.levels
    material["width"], material["height"] = picture.width, picture.height
    material["density"] = density * picture.width


def garment_materials(item: FittedGarment, worn: WornGarment, picture: Texture) -> np.ndarray:
    """The kernels' `TexturedMaterial` of each region of a garment, the small pieces last."""
    out = np.zeros(REGIONS + 1, dtype=MATERIAL_DTYPE)
    _set_texture(out, picture, item.texel_density)
    out["gloss"] = 0.03
    out["grey"] = np.maximum(_mean_colors(original(item), picture) @ LUMINANCE, _LEAST_GREY)
    for region, m in enumerate(out):
        fabric = worn.fabrics[region] if region < len(worn.fabrics) else None
        if fabric is not None:
            _set_dye(m, fabric)
        else:
            m["fabric"]["wrinkles"] = _UNDYED_WRINKLES
    if {"shoes", "hats"} & set(item.garment.tags):
        out["fabric"]["wrinkles"] = 0.0
    if worn.kind == "hair":
        out["fabric"]["wrinkles"] = 0.1
        out["soften"] = 0.5
    return out


def _mean_colors(item: FittedGarment, picture: Texture) -> Float[np.ndarray, "r 3"]:
    """Mean linear RGB of the texture in each region."""
    known = _COLORS.setdefault(picture, {})
    if item not in known:
        uvs = [item.garment.face_uv[item.regions == r].mean(axis=1) for r in range(REGIONS + 1)]
        known[item] = np.array([picture.color(uv) if len(uv) else np.ones(3) for uv in uvs])
    return known[item]


def _set_dye(m: np.void, fabric: Fabric) -> None:
    """Write a fabric that replaces the texture's colour into a material."""
    fill_fabric(m["fabric"], fabric)
    m["dye"] = _DYE
    m["seed"] = fabric.scale * np.array([31.0, 57.0, 83.0]) * 100 % 97
