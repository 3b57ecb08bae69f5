"""Asset packs: where they lie, their indices, and the check of their files."""

import json
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from repogen.errors import UserError, closest, printable
from repogen.files import read_regular, sha256_of, sha256_of_bytes
from repogen.limits import MAX_INDEX
from repogen.package_data import REINSTALL, package_data_dir, read_package_data
from repogen.records import FileName, Length, Matching, Sha256, parse_record
from repogen.usable_files import file_stamp

INDEX = "pack.json"

CORE = "core"
"""The pack that ships with repogen, which no installed pack replaces."""

NAMED = ("makehuman", "environments")
"""Packs that `repogen assets add` downloads."""

INDOORS = "indoors"
"""Tag of a panorama of a room or hall."""

OPEN = "open"
"""Tag of a panorama of wide ground: what stands on it is far from the panorama's viewpoint."""

NO_FLOOR = "no-floor"
"""Tag of a panorama that shows no floor, nor ground that people could stand on."""

NOT_STATED = "not stated"
"""The licence of an item that states none."""


_KINDS = ("clothes", "hair", "eyebrows", "eyelashes", "skins", "poses", "environment")

Kind = Annotated[str, Matching("|".join(_KINDS), f"one of {', '.join(_KINDS)}")]

_InnerPath = Annotated[
    str,
    Matching(r"[\w-][\w.-]*(/[\w-][\w.-]*){0,3}", "a path inside the pack, of plain file names"),
]


@dataclass(frozen=True)
class Item:
    """One garment, hair style, skin, pose or panorama of a pack."""

    kind: Kind
    name: FileName
    uuid: str
    licence: str
    files: dict[_InnerPath, Sha256]
    """SHA-256 of each file, by its path inside the pack."""
    tags: tuple[str, ...]
    source: str = ""
    """Where it is from, if that is not the pack's source."""


@dataclass(frozen=True)
class Pack:
    """The items of one pack, and their origin."""

    name: FileName
    version: str
    source: str
    items: Annotated[tuple[Item, ...], Length(0, 100_000)]


def assets_dir() -> Path:
    """The folder of the user's packs: `REPOGEN_ASSETS`, by default `~/.cache/repogen/assets`."""
    return Path(os.environ.get("REPOGEN_ASSETS", Path.home() / ".cache" / "repogen" / "assets"))


def pack_dir(name: str) -> Path:
    """The folder of a pack: `CORE` is in the package, the others are in `assets_dir`."""
    return (package_data_dir("assets") if name == CORE else assets_dir()) / name


def installed() -> dict[str, Pack]:
    """The packs by name, `CORE` first. Raises `UserError` for one whose index cannot be read."""
    return {folder.name: read_index(folder) for folder in pack_folders()}


def find_packs(names: Sequence[str]) -> dict[str, Pack]:
    """The packs of these names, sorted. Raises `UserError` for one that is not installed."""
    others = set(names) - {CORE}
    known = [folder.name for folder in pack_folders()] if others else []
    for name in sorted(others):
        if name not in known:
            near = closest(name, known)
            advice = f" (did you mean {near}?)" if near else ""
            more = f"; repogen assets add {name} installs it" if name in NAMED else ""
            raise UserError(
                f"no asset pack {name!r} is installed; choose from {', '.join(known)}{advice}{more}"
            )
    return {name: read_index(pack_dir(name)) for name in sorted(set(names))}


def item_files(pack: str, kind: str, name: str) -> dict[str, Path]:
    """The files of an item by their suffix, such as .webp. Raises `UserError` where the pack or the
    item is not installed."""
    folder = pack_dir(pack)
    stamp = file_stamp(folder / INDEX)
    files = _items_of(folder, *stamp).get((kind, name)) if stamp[0] else None
    if files is None and pack == CORE:
        raise UserError(f"{kind}/{name} is not in the asset pack {CORE} of this version of repogen")
    if files is None:
        add = pack if pack in NAMED else "FOLDER"
        raise UserError(
            f"{kind}/{name} of the asset pack {pack} is not installed; restore it with repogen "
            f"assets add {add}"
        )
    return files


def item_picture(pack: str, kind: str, name: str) -> Path:
    """The texture of a garment, hair style or skin. Raises `UserError` as `item_files`."""
    files = item_files(pack, kind, name)
    found = [path for suffix, path in files.items() if suffix in (".webp", ".png")]
    if not found:
        raise UserError(f"{kind}/{name} of the asset pack {pack} has no picture")
    return found[0]


def check() -> list[str]:
    """One line for each file of a pack that is missing or changed."""
    problems: list[str | None] = []
    for folder in pack_folders():
        try:
            pack = read_index(folder)
        except UserError as error:
            problems.append(str(error))
            continue
        for item in pack.items:
            files = item.files.items()
            problems += [_problem(folder / p, digest, _restore(pack)) for p, digest in files]
    return [problem for problem in problems if problem]


def check_pack_file(path: Path) -> None:
    """Raises `UserError` for a file of a pack that is missing or has changed since.

    A file is read once in a process, and again where its time of change differs. Files that are in
    no pack pass.
    """
    root = os.path.join(package_data_dir("assets"), "")
    if not str(path).startswith(root):
        root = os.path.join(assets_dir(), "")
        if not str(path).startswith(root):
            return
    name, _, inside = str(path).removeprefix(root).partition(os.sep)
    files = _files_of(root + name, *file_stamp(Path(root, name, INDEX)))
    known = files.get(inside.replace(os.sep, "/"))
    problem = known and _known_problem(path, *known, *file_stamp(path))
    if problem:
        raise UserError(problem)


@lru_cache(maxsize=64)
def _files_of(folder: str, size: int, *_stamp: int) -> dict[str, tuple[str, str]]:
    """SHA-256 of each file, and how to restore it, by the file's path inside the pack; none where
    there is no pack."""
    if not size:
        return {}
    pack = read_index(Path(folder))
    return {p: (digest, _restore(pack)) for item in pack.items for p, digest in item.files.items()}


@lru_cache(maxsize=64)
def _items_of(folder: Path, *_stamp: int) -> dict[tuple[str, str], dict[str, Path]]:
    """Each item's files by their suffix, by its kind and name."""
    return {
        (item.kind, item.name): {Path(file).suffix: folder / file for file in item.files}
        for item in read_index(folder).items
    }


@lru_cache(maxsize=2**12)
def _known_problem(path: Path, digest: str, restore: str, *_stamp: int) -> str | None:
    return _problem(path, digest, restore)


def _problem(path: Path, digest: str, restore: str) -> str | None:
    """What is wrong with a file, and how to restore it; None for nothing."""
    try:
        if path.is_file() and sha256_of(path) == digest:
            return None
        what = "has changed since it was installed" if path.is_file() else "is missing"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    return f"{path} {what}; {restore}"


def _restore(pack: Pack) -> str:
    """How to install the pack again."""
    if pack.name == CORE:
        return REINSTALL
    source = pack.name if pack.source.startswith("npm ") else pack.source
    return f"restore it with repogen assets add {source}"


def packs_text(packs: dict[str, Pack]) -> str:
    """A readable list of packs with their items and licences."""
    return "\n".join(line for pack in packs.values() for line in _pack_lines(pack))


def _pack_lines(pack: Pack) -> list[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for item in pack.items:
        groups.setdefault((item.kind, item.licence), []).append(item.name)
    return [
        f"{pack.name} {pack.version} from {pack.source}: {len(pack.items)} items",
        *(
            f"  {len(names)} {kind}, {licence}: {', '.join(names)}"
            for (kind, licence), names in groups.items()
        ),
    ]


def write_index(
    folder: Path, name: str, version: str | None, source: str, items: Sequence[Item]
) -> Pack:
    """Write the `pack.json` of a folder; returns the pack. Without a version, it gets one from
    the hashes of its files."""
    if version is None:
        digests = sorted(digest for item in items for digest in item.files.values())
        version = sha256_of_bytes("".join(digests).encode())[:12]
    pack = Pack(name, version, printable(source), tuple(items))
    (folder / INDEX).write_text(json.dumps(asdict(pack), indent=1) + "\n")
    return pack


def make_item(
    folder: Path, paths: Sequence[Path], kind: str, name: str, uuid: str, licence: str,
    tags: Sequence[str],
) -> Item:  # fmt: skip
    """An item whose files are `paths` inside the pack's folder, with their hashes."""
    files = {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}
    return Item(kind, name, uuid, licence, files, tuple(tags))


def file_name(name: str) -> str:
    """The name with only characters that every file system allows, 60 at most.

    Allowed are letters of any script, digits, `_`, `-`, and dots inside. Raises `UserError` if
    no character is left.
    """
    composed = unicodedata.normalize("NFC", name)
    plain = re.sub(r"[^\w.-]+", "_", composed).strip("._")[:60].rstrip("._")
    if not plain:
        raise UserError(f"{name!r} cannot be a file name; use letters and digits")
    return plain


def pack_folders() -> list[Path]:
    """The folders of `CORE` and of the user's packs, sorted; one of theirs called so is ignored."""
    root = assets_dir()
    found = root.iterdir() if root.is_dir() else ()
    folders = (p for p in found if p.is_dir() and not p.name.startswith("."))
    return [pack_dir(CORE), *sorted(folder for folder in folders if folder.name != CORE)]


def read_index(folder: Path, name: str = "") -> Pack:
    """The pack in a folder; its name, `name`, is by default that of the folder.

    Raises `UserError` for a folder that is not a pack, or a pack of another name.
    """
    if folder == pack_dir(CORE):
        return parse_record(read_package_data("assets", f"{CORE}/{INDEX}"), Pack, INDEX)
    try:
        pack = parse_record(read_regular(folder / INDEX, MAX_INDEX), Pack, INDEX)
        if pack.name != (name or folder.name):
            raise UserError(f"{INDEX}: name: {pack.name!r} should be {name or folder.name}")
    except (OSError, UserError) as error:
        why = f"{INDEX}: {error.strerror}" if isinstance(error, OSError) else error
        raise UserError(
            f"{folder} is not an asset pack ({why}), and repogen never deletes such a folder; "
            "move it elsewhere"
        ) from error
    return pack
