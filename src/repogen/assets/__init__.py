"""Asset packs: clothes, hair, skins, poses and panoramas, of repogen's own and of the user's."""

from repogen.assets.adding import Added, add
from repogen.assets.garments import Garment, read_garment
from repogen.assets.packs import (
    Item,
    Pack,
    assets_dir,
    check,
    check_pack_file,
    installed,
    item_picture,
    pack_dir,
    packs_text,
)
from repogen.assets.panoramas import check_panorama, read_panorama
from repogen.assets.staging import remove

__all__ = [
    "Added",
    "Garment",
    "Item",
    "Pack",
    "add",
    "assets_dir",
    "check",
    "check_pack_file",
    "check_panorama",
    "installed",
    "item_picture",
    "pack_dir",
    "packs_text",
    "read_garment",
    "read_panorama",
    "remove",
]
