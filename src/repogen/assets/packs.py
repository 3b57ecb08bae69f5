"""The folder of asset packs: their indices, and the check of their files."""

import json
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from repogen.errors import UserError, printable
from repogen.files import read_regular, sha256_of, sha256_of_bytes
from repogen.limits import MAX_INDEX
from repogen.records import FileName, Length, Matching, Sha256, parse_record
from repogen.usable_files import file_stamp

INDEX = "pack.json"

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


@dataclass(frozen=True)
class Pack:
    """The items of one installed pack, and their origin."""

    name: FileName
    version: str
    source: str
    items: Annotated[tuple[Item, ...], Length(0, 100_000)]


def assets_dir() -> Path:
    """The folder of asset packs: `REPOGEN_ASSETS`, by default `~/.cache/repogen/assets`."""
    return Path(os.environ.get("REPOGEN_ASSETS", Path.home() / ".cache" / "repogen" / "assets"))


def installed() -> dict[str, Pack]:
    """The installed packs by name. Raises `UserError` for one whose index cannot be read."""
    return {folder.name: read_index(folder) for folder in pack_folders()}


def check() -> list[str]:
    """One line for each file of the installed packs that is missing or changed."""
    problems: list[str | None] = []
    for folder in pack_folders():
        try:
            pack = read_index(folder)
        except UserError as error:
            problems.append(str(error))
            continue
        for item in pack.items:
            files = item.files.items()
            problems += [_problem(folder / p, digest, _source(pack)) for p, digest in files]
    return [problem for problem in problems if problem]


def check_pack_file(path: Path) -> None:
    """Raises `UserError` for a file of an installed pack that is missing or has changed since.

    A file is read once in a process, and again where its time of change differs. Files that are in
    no pack pass.
    """
    root, file = os.path.join(assets_dir(), ""), str(path)
    if not file.startswith(root):
        return
    name, _, inside = file.removeprefix(root).partition(os.sep)
    files = _files_of(root + name, *file_stamp(Path(root, name, INDEX)))
    known = files.get(inside.replace(os.sep, "/"))
    problem = known and _known_problem(path, *known, *file_stamp(path))
    if problem:
        raise UserError(problem)


@lru_cache(maxsize=64)
def _files_of(folder: str, size: int, *_stamp: int) -> dict[str, tuple[str, str]]:
    """SHA-256 of each file, and the pack's source, by the file's path inside the pack; none where
    there is no pack."""
    if not size:
        return {}
    pack = read_index(Path(folder))
    return {p: (digest, _source(pack)) for item in pack.items for p, digest in item.files.items()}


@lru_cache(maxsize=2**12)
def _known_problem(path: Path, digest: str, source: str, *_stamp: int) -> str | None:
    return _problem(path, digest, source)


def _problem(path: Path, digest: str, source: str) -> str | None:
    """What is wrong with a file, and the command that installs it again; None for nothing."""
    try:
        if path.is_file() and sha256_of(path) == digest:
            return None
        what = "has changed since it was installed" if path.is_file() else "is missing"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    return f"{path} {what}; restore it with repogen assets add {source}"


def _source(pack: Pack) -> str:
    """What `repogen assets add` takes to install the pack again."""
    return pack.name if pack.source.startswith("npm ") else pack.source


def packs_text(packs: dict[str, Pack]) -> str:
    """A readable list of packs with their items and licences."""
    if not packs:
        return (
            f"no asset packs in {assets_dir()}\n"
            "repogen assets add makehuman, environments, or a folder of your own"
        )
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
    """The folders of the installed packs, sorted."""
    root = assets_dir()
    if not root.is_dir():
        return []
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def read_index(folder: Path, name: str = "") -> Pack:
    """The pack in a folder; its name, `name`, is by default that of the folder.

    Raises `UserError` for a folder that is not a pack, or a pack of another name.
    """
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
