"""The folder of asset packs: list, check, remove, and install each as a whole or not at all."""

import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from filelock import FileLock

from repogen.errors import UserError, printable, unknown_choice
from repogen.files import sha256_of, sha256_of_bytes
from repogen.records import FileName, Length, Matching, Sha256, parse_record

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
    return {folder.name: _read_index(folder) for folder in _pack_folders()}


def remove(name: str) -> None:
    """Delete a pack. Raises `UserError` for a pack that is not installed."""
    if not _pack_folders():
        raise UserError(f"no asset packs in {assets_dir()}; there is nothing to remove")
    with _locked_assets(f"remove {name} from"):
        names = [folder.name for folder in _pack_folders()]
        if name not in names:
            raise unknown_choice("asset pack", name, names)
        with TemporaryDirectory(prefix=f".{name}.", dir=assets_dir()) as trash:
            (assets_dir() / name).rename(Path(trash) / name)


def check() -> list[str]:
    """One line for each file of the installed packs that is missing or changed."""
    problems = []
    for folder in _pack_folders():
        try:
            pack = _read_index(folder)
        except UserError as error:
            problems.append(str(error))
            continue
        for item in pack.items:
            for path, digest in item.files.items():
                problems += _file_problems(folder / path, digest)
    return problems


def _file_problems(path: Path, digest: str) -> list[str]:
    try:
        if not path.is_file():
            return [f"{path} is missing"]
        if sha256_of(path) != digest:
            return [f"{path} has changed since it was installed"]
    except OSError as error:
        return [f"{path} cannot be read: {error.strerror}"]
    return []


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


@contextmanager
def staged_pack(name: str) -> Iterator[tuple[Path, Path]]:
    """Two empty folders: one for downloads, and one that becomes the pack `name`.

    The pack replaces an installed one of the same name when the block ends without an exception.
    Otherwise nothing changes. Raises `UserError` if the disk is full or the folder cannot be
    written.
    """
    root = assets_dir()
    with _locked_assets("install into"):
        for leftover in root.glob(f".{name}.*"):
            shutil.rmtree(leftover)  # of a process that was killed
        with TemporaryDirectory(prefix=f".{name}.", dir=root) as work:
            downloads, folder, old = (Path(work) / part for part in ("from", "new", "old"))
            downloads.mkdir()
            folder.mkdir()
            yield downloads, folder
            if (root / name).exists():
                (root / name).rename(old)
            folder.rename(root / name)


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


@contextmanager
def _locked_assets(action: str) -> Iterator[None]:
    """Create the folder of packs and lock it for this process. Raises `UserError`, naming the
    action, for an operating-system error inside the block."""
    root = assets_dir()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".lock"):
            yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise UserError(f"cannot {action} {root}: {error.strerror or error}{where}") from error


def _pack_folders() -> list[Path]:
    root = assets_dir()
    if not root.is_dir():
        return []
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _read_index(folder: Path) -> Pack:
    try:
        pack = parse_record((folder / INDEX).read_bytes(), Pack, INDEX)
        if pack.name != folder.name:
            raise UserError(f"{INDEX}: name: {pack.name!r} should be {folder.name}, as its folder")
    except (OSError, UserError) as error:
        why = f"{INDEX}: {error.strerror}" if isinstance(error, OSError) else error
        raise UserError(
            f"{folder} is not a complete asset pack ({why}); repogen assets remove {folder.name}, "
            "then add it again"
        ) from error
    return pack
