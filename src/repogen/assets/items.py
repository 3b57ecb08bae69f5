"""Writing one item into the folder of a pack."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from repogen.assets.garments import Garment, write_garment
from repogen.assets.packs import Item, describe, file_name
from repogen.assets.panoramas import SUFFIXES, read_panorama, write_panorama
from repogen.assets.textures import Material, write_texture
from repogen.errors import UserError

_WIDEST = 4096


def put_garment(folder: Path, garment: Garment, material: Material) -> Item:
    """KIND/NAME.safetensors and KIND/NAME.png. Hair, brows and lashes keep their alpha whatever
    their material says. Raises `UserError` where the name is taken or the texture cannot be read.
    """
    stem = file_name(garment.name)
    mesh, texture = (folder / garment.kind / f"{stem}{end}" for end in (".safetensors", ".png"))
    _free(mesh, f"{garment.kind}/{garment.name}")
    holes = material.transparent or garment.kind != "clothes"
    write_texture(texture, replace(material, transparent=holes))
    write_garment(mesh, garment)
    return describe(
        folder, [mesh, texture], garment.kind, stem, garment.uuid, garment.licence, garment.tags
    )


def put_skin(
    folder: Path, name: str, material: Material, licence: str, tags: Sequence[str]
) -> Item:
    """skins/NAME.png, for the base mesh's own texture coordinates."""
    texture = folder / "skins" / f"{file_name(name)}.png"
    _free(texture, f"skins/{name}")
    write_texture(texture, material)
    return describe(folder, [texture], "skins", texture.stem, "", licence, tags)


def put_panorama(folder: Path, path: Path, name: str, licence: str) -> Item:
    """NAME.exr or NAME.hdr, as it is, or where it is large NAME.exr, 4,096 px wide: workers keep
    panoramas in memory. Raises `UserError` for one that `read_panorama` refuses."""
    stem = file_name(name)
    if any((folder / f"{stem}{end}").exists() for end in SUFFIXES):
        raise UserError(f"{name}: another panorama has this name")
    pixels = read_panorama(path)
    if pixels.shape[1] > _WIDEST:
        target = folder / f"{stem}.exr"
        size = (_WIDEST, _WIDEST // 2)
        write_panorama(target, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    else:
        target = folder / f"{stem}{path.suffix.lower()}"
        shutil.copyfile(path, target)
    return describe(folder, [target], "environment", stem, "", licence, ())


def _free(path: Path, name: str) -> None:
    if path.exists():
        raise UserError(f"{name}: another item has this name")
