"""The folder of asset packs: what is installed, whole or not at all, and whether it is intact."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cattrs
from filelock import FileLock

from repogen.errors import UserError, choose

INDEX = "pack.json"

NOT_STATED = "not stated"
"""The licence of what names none."""


@dataclass(frozen=True)
class Item:
    """One garment, hair style, skin, pose or panorama of a pack."""

    kind: str
    """clothes, hair, eyebrows, eyelashes, skins, poses or environment."""
    name: str
    uuid: str
    licence: str
    files: dict[str, str]
    """SHA-256 of each file, by its path inside the pack."""
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Pack:
    """What one folder of assets holds, and where that came from."""

    name: str
    version: str
    source: str
    items: tuple[Item, ...]


def assets_dir() -> Path:
    """Where packs are kept: `REPOGEN_ASSETS`, by default `~/.cache/repogen/assets`."""
    return Path(os.environ.get("REPOGEN_ASSETS", Path.home() / ".cache" / "repogen" / "assets"))


def installed() -> dict[str, Pack]:
    """The packs there are, by name. Raises `UserError` for one whose index cannot be read."""
    return {folder.name: _read_index(folder) for folder in _folders()}


def remove(name: str) -> None:
    """Delete a pack. Raises `UserError` for a name that is not installed."""
    names = [folder.name for folder in _folders()]
    if not names:
        raise UserError(f"no asset packs in {assets_dir()}; there is nothing to remove")
    if name not in names:
        raise choose("asset pack", name, names)
    with _changing(), TemporaryDirectory(prefix=f".{name}.", dir=assets_dir()) as bin_:
        (assets_dir() / name).rename(Path(bin_) / name)


def check() -> list[str]:
    """What is missing or changed in the installed packs: one line for each file, none if all is
    well."""
    problems = []
    for folder in _folders():
        try:
            pack = _read_index(folder)
        except UserError as error:
            problems.append(str(error))
            continue
        for item in pack.items:
            for path, digest in item.files.items():
                if not (folder / path).is_file():
                    problems.append(f"{folder / path} is missing")
                elif sha256(folder / path) != digest:
                    problems.append(f"{folder / path} has changed since it was installed")
    return problems


def packs_text(packs: dict[str, Pack]) -> str:
    """What is installed, with the licence of everything, for people to read."""
    if not packs:
        return (
            f"no asset packs in {assets_dir()}\n"
            "repogen assets add makehuman, environments, or a folder of your own"
        )
    return "\n".join(line for pack in packs.values() for line in _lines(pack))


def _lines(pack: Pack) -> list[str]:
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
def building(name: str) -> Iterator[tuple[Path, Path]]:
    """Two empty folders beside the packs: one for downloads, and one that becomes the pack `name`
    (taking the place of an older one) when the block ends well. Whatever happens, no other trace
    is left.

    Raises `UserError` where the disk is full or the folder cannot be written.
    """
    root = assets_dir()
    try:
        with _changing():
            for left in root.glob(f".{name}.*"):
                shutil.rmtree(left)  # of a process that was killed
            with TemporaryDirectory(prefix=f".{name}.", dir=root) as work:
                downloads, folder, old = (Path(work) / part for part in ("from", "new", "old"))
                downloads.mkdir()
                folder.mkdir()
                yield downloads, folder
                if (root / name).exists():
                    (root / name).rename(old)
                folder.rename(root / name)
    except OSError as error:
        raise UserError(f"cannot install into {root}: {error.strerror or error}") from error


def write_index(
    folder: Path, name: str, version: str | None, source: str, items: Sequence[Item]
) -> Pack:
    """Describe a finished folder in its `pack.json`. A pack without a version takes one from what
    its files hold."""
    if version is None:
        digests = sorted(digest for item in items for digest in item.files.values())
        version = hashlib.sha256("".join(digests).encode()).hexdigest()[:12]
    pack = Pack(name, version, source, tuple(items))
    (folder / INDEX).write_text(json.dumps(asdict(pack), indent=1) + "\n")
    return pack


def describe(
    folder: Path, paths: Sequence[Path], kind: str, name: str, uuid: str, licence: str,
    tags: Sequence[str],
) -> Item:  # fmt: skip
    """An item whose files lie at `paths` inside the pack's folder."""
    files = {path.relative_to(folder).as_posix(): sha256(path) for path in paths}
    return Item(kind, name, uuid, licence, files, tuple(tags))


def file_name(name: str) -> str:
    """The name as one that any file system takes: letters, digits, `_`, `-` and dots inside.

    Raises `UserError` where nothing of it is left.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._")
    if not plain:
        raise UserError(f"{name!r} gives no file name; use letters and digits")
    return plain


def inside(folder: Path, name: str) -> Path:
    """A file named relative to a folder. Raises `UserError` where it would lie outside it."""
    path = name.replace("\\", "/")
    if path.startswith("/") or ":" in path or ".." in path.split("/"):
        raise UserError(f"the file name {name!r} is refused: it leaves {folder}")
    return folder / path


def sha256(path: Path) -> str:
    """The digest of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _changing() -> Iterator[None]:
    assets_dir().mkdir(parents=True, exist_ok=True)
    with FileLock(assets_dir() / ".lock"):
        yield


def _folders() -> list[Path]:
    root = assets_dir()
    if not root.is_dir():
        return []
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def _read_index(folder: Path) -> Pack:
    try:
        return cattrs.structure(json.loads((folder / INDEX).read_text()), Pack)
    except Exception as error:
        raise UserError(
            f"{folder} is no whole asset pack ({INDEX}: {type(error).__name__}); "
            f"repogen assets remove {folder.name}, then add it again"
        ) from error
