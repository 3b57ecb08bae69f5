"""Packs from a user's own folder of MakeHuman files and panoramas."""

from pathlib import Path

from repogen.assets.items import put_garment, put_panorama, put_skin
from repogen.assets.mhclo import item_kind, read_mhclo
from repogen.assets.mhmat import read_mhmat
from repogen.assets.packs import NOT_STATED, Item
from repogen.assets.panoramas import SUFFIXES
from repogen.errors import UserError

_BODY_KINDS = ("eyes", "teeth", "tongue", "genitals")
"""Kinds that would replace parts of the body model."""


def folder_items(root: Path, folder: Path) -> tuple[list[Item], list[str]]:
    """Write every garment (.mhclo), skin (.mhmat below a folder `skins`) and panorama (.exr,
    .hdr) below `root` to a pack's folder. Returns the items, and a line for each left out.
    """
    items, left_out = [], []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        suffix, kind = path.suffix.lower(), item_kind(path, root)
        if suffix not in (".mhclo", *SUFFIXES) and (suffix, kind) != (".mhmat", "skins"):
            continue
        try:
            items.append(_item(path, kind, folder, root))
        except UserError as error:
            left_out.append(str(error).replace(f"{root}/", ""))
    return items, left_out


def _item(path: Path, kind: str, folder: Path, root: Path) -> Item:
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return put_panorama(folder, path, path.stem, NOT_STATED)
    if kind in _BODY_KINDS:
        raise UserError(f"{path}: {kind} belong to the body model")
    if suffix == ".mhmat":
        skin = read_mhmat(path, root)
        tags = path.stem.lower().split("_")
        return put_skin(folder, path.stem, skin.texture, skin.licence or NOT_STATED, tags)
    garment, material = read_mhclo(path, kind, root)
    return put_garment(folder, garment, material)
