"""A scene's people, dressed, and its things as pieces of mesh."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from repogen.assets import assets_dir
from repogen.bodies.protocol import Body, PosedBody, Surface
from repogen.environment.occluders import Occluder, occluder_surface, occluder_vertices
from repogen.people.garments import REGIONS, Fitted, texel_density
from repogen.people.outfit import Fabric, Worn
from repogen.people.person import Person
from repogen.people.posing import worn_pieces
from repogen.rendering.mesh import MATERIAL, Piece
from repogen.rendering.paints import fill_fabric
from repogen.rendering.textures import Texture

_DYE = 0.9

_GREYS: WeakKeyDictionary[Texture, dict[Fitted, tuple[float, ...]]] = WeakKeyDictionary()
"""What `_greys` has found, as long as the textures are kept."""


def person_pieces(
    body: Body,
    posed: PosedBody,
    person: Person,
    place: int,
    texture: Callable[[Path], Texture],
) -> list[Piece]:
    """The body and what it wears; `texture` loads a picture."""
    bare = Piece(body.surface, posed.vertices, place)
    if person.outfit.picture is not None:
        bare = _pictured(bare, texture(assets_dir() / person.outfit.picture))
    garments = []
    cover = np.zeros(len(posed.vertices), dtype=np.uint8)
    outfit = person.outfit
    for worn, (item, vertices) in zip(
        outfit.worn, worn_pieces(body, posed, outfit.worn), strict=True
    ):
        np.maximum(cover, item.covered.view(np.uint8), out=cover)
        cover[item.hidden] = 2
        picture = texture(item.texture)
        garments.append(
            Piece(
                item.surface,
                vertices,
                place,
                materials=garment_materials(item, worn, picture),
                face_materials=item.regions,
            )
        )
    return [replace(bare, cover=cover) if garments else bare, *garments]


def _pictured(bare: Piece, picture: Texture) -> Piece:
    material = np.zeros(1, dtype=MATERIAL)
    _picture(material, picture, _density(bare.surface))
    skin = bare.surface.faces_of("skin")
    return replace(bare, materials=material, face_materials=np.where(skin, 0, -1))


@lru_cache(maxsize=4)
def _density(surface: Surface) -> float:
    skin = surface.faces_of("skin")
    corners = surface.canonical[surface.faces[skin]]
    return texel_density(corners, surface.uv[surface.face_uv[skin]])


def occluder_piece(occluder: Occluder, texture: Callable[[Path], Texture]) -> Piece:
    """A thing, nobody's, of its cloth's colours or its picture's."""
    surface = occluder_surface(occluder.shape)
    material = np.zeros(1, dtype=MATERIAL)
    material["first"], material["grey"] = -1, 1.0
    if occluder.path is not None:
        _picture(material, texture(Path(occluder.path)), 1 / max(occluder.size))
    else:
        size = float(np.mean(occluder.size))
        _dye(
            material[0], replace(occluder.fabric, scale=occluder.fabric.scale / size, wrinkles=0.02)
        )
        material["dye"], material["gloss"] = 1.0, 0.08
    return Piece(
        surface,
        occluder_vertices(occluder),
        -1,
        materials=material,
        face_materials=np.zeros(len(surface.faces), dtype=np.int16),
    )


def _picture(material: np.ndarray, picture: Texture, density: float) -> None:
    """`density` is how often the picture fits along a metre."""
    material["first"], material["levels"] = picture.first, picture.levels
    material["width"], material["height"] = picture.width, picture.height
    material["density"] = density * picture.width


def garment_materials(item: Fitted, worn: Worn, picture: Texture) -> np.ndarray:
    """A record `Material` for each region of a garment, and one for its small pieces."""
    out = np.zeros(REGIONS + 1, dtype=MATERIAL)
    _picture(out, picture, item.texel_density)
    out["gloss"] = 0.03
    out["grey"] = _greys(item, picture)
    for region, m in enumerate(out):
        cloth = worn.fabrics[region] if region < len(worn.fabrics) else None
        if cloth is not None:
            _dye(m, cloth)
        else:
            m["fabric"]["wrinkles"] = 0.1
    return out


def _greys(item: Fitted, picture: Texture) -> tuple[float, ...]:
    """Mean brightness of the texture in every region."""
    known = _GREYS.setdefault(picture, {})
    if item not in known:
        uvs = [item.garment.face_uv[item.regions == r].mean(axis=1) for r in range(REGIONS + 1)]
        known[item] = tuple(picture.brightness(uv) if len(uv) else 1.0 for uv in uvs)
    return known[item]


def _dye(m: np.void, fabric: Fabric) -> None:
    fill_fabric(m["fabric"], fabric)
    m["dye"] = _DYE
    m["seed"] = fabric.scale * np.array([31.0, 57.0, 83.0]) * 100 % 97
