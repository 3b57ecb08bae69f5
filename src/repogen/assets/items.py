"""Write one item to the folder of a pack."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from repogen.assets.garments import Garment, write_garment
from repogen.assets.packs import Item, file_name, make_item
from repogen.assets.panoramas import SUFFIXES, read_panorama, write_panorama
from repogen.assets.textures import TextureSource, write_texture
from repogen.errors import UserError
from repogen.files import read_regular
from repogen.limits import MAX_PICTURE

_MAX_PANORAMA_WIDTH = 4096


def put_garment(folder: Path, garment: Garment, source: TextureSource) -> Item:
    """Write KIND/NAME.safetensors and KIND/NAME.webp; returns the item.

    Hair, brows and lashes always keep their alpha. Raises `UserError` if the name is taken or the
    texture cannot be read.
    """
    stem = file_name(garment.name)
    mesh, texture = (folder / garment.kind / f"{stem}{end}" for end in (".safetensors", ".webp"))
    _check_free(mesh, f"{garment.kind}/{garment.name}")
    transparent = source.transparent or garment.kind != "clothes"
    write_texture(texture, replace(source, transparent=transparent))
    write_garment(mesh, garment)
    return make_item(
        folder, [mesh, texture], garment.kind, stem, garment.uuid, garment.licence, garment.tags
    )


def put_skin(
    folder: Path, name: str, source: TextureSource, licence: str, tags: Sequence[str]
) -> Item:
    """Write skins/NAME.webp, for the base mesh's texture coordinates; returns the item.

    Raises `UserError` if the name is taken or the texture cannot be read.
    """
    texture = folder / "skins" / f"{file_name(name)}.webp"
    _check_free(texture, f"skins/{name}")
    write_texture(texture, source)
    return make_item(folder, [texture], "skins", texture.stem, "", licence, tags)


def put_panorama(
    folder: Path, path: Path, name: str, licence: str, tags: Sequence[str] = ()
) -> Item:
    """Copy a panorama to NAME.exr or NAME.hdr; returns the item.

    A larger one becomes NAME.exr, 4,096 px wide, since workers keep panoramas in memory. Raises
    `UserError` if the name is taken, and as `read_panorama` does.
    """
    stem = file_name(name)
    if any((folder / f"{stem}{end}").exists() for end in SUFFIXES):
        raise UserError(f"{name}: another panorama has this name")
    pixels = read_panorama(path)
    if pixels.shape[1] > _MAX_PANORAMA_WIDTH:
        target = folder / f"{stem}.exr"
        size = (_MAX_PANORAMA_WIDTH, _MAX_PANORAMA_WIDTH // 2)
        write_panorama(target, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    else:
        target = folder / f"{stem}{path.suffix.lower()}"
        target.write_bytes(read_regular(path, MAX_PICTURE))
    return make_item(folder, [target], "environment", stem, "", licence, tags)


def _check_free(path: Path, name: str) -> None:
    if path.exists():
        raise UserError(f"{name}: another item has this name")
