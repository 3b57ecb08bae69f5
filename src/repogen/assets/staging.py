"""Installing, replacing and removing packs: each as a whole, and no folder that is not a pack."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock

from repogen.assets.packs import CORE, INDEX, Pack, assets_dir, pack_folders, read_index
from repogen.errors import UserError, unknown_choice

_PREFIX = ".repogen-"
_MARK = "staging"
"""An empty file in our temporary folders; other folders whose names begin so are not ours."""

_OLD = "old"
"""The pack to be replaced, inside a temporary folder, on systems without `_exchange`."""

_CURRENT_FOLDER, _EXCHANGE = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of Linux, rename(2)."""


@contextmanager
def staged_pack(name: str) -> Iterator[tuple[Path, Path]]:
    """Two empty folders: one for downloads, and one that becomes the pack `name`.

    The pack replaces an installed one of the same name when the block ends without an exception;
    a process killed at any moment leaves the old pack or the new one. Files that the pack's index
    does not list are left out. Raises `UserError` if the disk is full, the folder cannot be
    written, or something else than a pack has this name.
    """
    target = assets_dir() / name
    with _locked_assets("install into"):
        if os.path.lexists(target):
            _check_pack(target)
        with _temporary_folder() as work:
            downloads, folder = work / "from", work / "new"
            downloads.mkdir()
            folder.mkdir()
            yield downloads, folder
            for path in _unlisted(folder, read_index(folder, name)):
                path.unlink()
            if os.path.lexists(target) and not _exchange(folder, target):
                (work / _OLD).mkdir()
                target.rename(work / _OLD / name)  # `_clear` undoes it if we are killed here
            if not os.path.lexists(target):
                folder.rename(target)


def remove(name: str) -> None:
    """Delete a pack; of a link to a pack, the link.

    Raises `UserError` for a name that is not installed, and for a folder that is not a pack or
    also holds other files.
    """
    if name == CORE:
        raise UserError(f"{CORE} is a part of repogen; --packs without it leaves it out of a run")
    names = [folder.name for folder in pack_folders() if folder.name != CORE]
    if not names:
        raise UserError(f"no asset packs in {assets_dir()}; there is nothing to remove")
    if name not in names:
        raise unknown_choice("asset pack", name, names)
    target = assets_dir() / name
    with _locked_assets(f"remove {name} from"):
        _check_pack(target)
        with _temporary_folder() as work:
            target.rename(work / "removed")


def check_source(source: Path, name: str) -> None:
    """Raises `UserError` where a pack's source lies in the folder of packs, or the other way round,
    also through links and mounts: installing must not delete what it reads."""
    root = assets_dir()
    inside = any(_same(parent, root) for parent in _with_parents(source))
    around = any(_same(parent, source) for parent in _with_parents(root))
    mounted = any(_same(Path(folder), source) for folder, _, _ in os.walk(root / name))
    if inside or around or mounted:
        raise UserError(
            f"{source} and the folder of asset packs, {root}, lie in each other; move {source} "
            "elsewhere, then add it"
        )


def _with_parents(path: Path) -> list[Path]:
    whole = path.resolve()
    return [whole, *whole.parents]


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _check_pack(path: Path) -> None:
    """Raises `UserError` unless `path` is a pack, or a link to one, without other files."""
    pack = read_index(path)
    if not path.is_symlink():
        for other in _unlisted(path, pack):
            raise UserError(
                f"{other} is not of the asset pack {path.name}; move it elsewhere first"
            )


def _unlisted(folder: Path, pack: Pack) -> list[Path]:
    """Files and links of a folder that are not the pack's."""
    listed = {folder / INDEX, *(folder / name for item in pack.items for name in item.files)}
    files = (p for p in sorted(folder.rglob("*")) if p.is_symlink() or not p.is_dir())
    return [path for path in files if path not in listed]


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A new folder beside the packs, deleted afterwards, as are those of killed processes."""
    for leftover in assets_dir().glob(f"{_PREFIX}*"):
        _clear(leftover)
    work = Path(mkdtemp(prefix=_PREFIX, dir=assets_dir()))
    (work / _MARK).touch()
    try:
        yield work
    finally:
        _clear(work)


def _clear(work: Path) -> None:
    """Delete a temporary folder; a pack that was about to be replaced is put back first."""
    if (work / _MARK).is_file() and not work.is_symlink():
        for old in (work / _OLD).glob("*"):
            if not os.path.lexists(assets_dir() / old.name):
                old.rename(assets_dir() / old.name)
        for path in work.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != _MARK:
                path.unlink()
        (work / _MARK).unlink()
    with suppress(OSError):  # a folder without the mark is deleted only where it is empty
        work.rmdir()


def _exchange(one: Path, other: Path) -> bool:
    """Swap two paths in one step; False where the system cannot, and nothing is changed."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)  # Linux
    paths = os.fsencode(one), os.fsencode(other)
    here = _CURRENT_FOLDER
    return rename is not None and rename(here, paths[0], here, paths[1], _EXCHANGE) == 0


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
