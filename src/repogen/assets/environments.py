"""The pack `environments`: panoramas of npm's @pmndrs/assets and of Debian's blender-data."""

import base64
import binascii
import re
from pathlib import Path

from repogen.assets.items import put_panorama
from repogen.assets.packs import INDOORS, NO_FLOOR, OPEN, Item
from repogen.errors import UserError
from repogen.files import read_regular
from repogen.limits import MAX_PICTURE

PACKAGE = "@pmndrs/assets@1.7.0"
DEBIAN = "blender-data"

_WORLDS = "usr/share/blender/datafiles/studiolights/world/"
_WITH_PEOPLE = ("sunset",)
"""Blender's panoramas that show people, who would have no labels."""

_WITHOUT_FLOOR = ("sky",)
"""Panoramas of the npm package that show no ground: clouds above, and their mirror image below."""

_INDOORS = ("apartment", "bridge", "esplanade", "hall", "lab", "lobby", "studio", "warehouse",
            "workshop", "interior")  # fmt: skip
"""Panoramas of both packages in rooms and halls."""

_OPEN = ("blender-city", "blender-night", "blender-sunrise", "hall", "night", "park",
         "sunrise", "sunset", "warehouse")  # fmt: skip
"""Items of wide ground: fields, squares and large halls."""

_CC0 = "CC0-1.0"


def is_pmndrs_panorama(path: str) -> bool:
    """Whether a file of the npm package is a panorama."""
    return path.startswith("package/hdri/") and path.endswith(".exr.js")


def is_blender_file(path: str) -> bool:
    """Whether a file of the Debian package is a panorama or the panoramas' licence."""
    return path.startswith(_WORLDS) and path.endswith((".exr", ".txt"))


def pmndrs_items(package: Path, folder: Path) -> tuple[list[Item], list[str]]:
    """Write the panoramas of the unpacked npm package, base64 in JavaScript, to a pack's folder.

    Returns the items, and a line for each panorama left out.
    """
    items, left_out = [], []
    for script in sorted((package / "package/hdri").glob("*.exr.js")):
        path = script.with_suffix("")
        try:
            path.write_bytes(_embedded(script))
            items.append(put_panorama(folder, path, path.stem, _CC0, _tags(path.stem)))
        except UserError as error:
            left_out.append(str(error).replace(f"{path.parent}/", ""))
    return items, left_out


def blender_items(package: Path, folder: Path) -> tuple[list[Item], list[str]]:
    """Like `pmndrs_items`, for the unpacked Debian package; items are named blender-NAME."""
    items, left_out = [], []
    worlds = package / _WORLDS
    licence = worlds / "license.txt"
    if not licence.is_file() or "CC0" not in _text(licence):
        return [], [f"{DEBIAN}: its licence file no longer says that the panoramas are CC0"]
    for path in sorted(worlds.glob("*.exr")):
        name = f"blender-{path.stem}"
        if path.stem in _WITH_PEOPLE:
            left_out.append(f"{name}: it shows people")
            continue
        try:
            items.append(put_panorama(folder, path, name, _CC0, _tags(name)))
        except UserError as error:
            left_out.append(str(error).replace(f"{path.parent}/", ""))
    return items, left_out


def _tags(name: str) -> tuple[str, ...]:
    """The tags of the item of this name."""
    plain = name.removeprefix("blender-")
    tagged = {NO_FLOOR: plain in _WITHOUT_FLOOR, INDOORS: plain in _INDOORS, OPEN: name in _OPEN}
    return tuple(tag for tag, has in tagged.items() if has)


def _text(path: Path) -> str:
    return read_regular(path, MAX_PICTURE).decode(errors="replace")


def _embedded(script: Path) -> bytes:
    found = re.search(r"base64,([A-Za-z0-9+/=]+)", _text(script))
    try:
        return base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error as error:
        raise UserError(f"{script.name} holds no valid base64") from error
