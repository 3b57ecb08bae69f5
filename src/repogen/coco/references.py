"""Which file a name, path or id in another file means."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from repogen.errors import UserError

Reference = str | int
"""How a file names an image: a path, a file name, its stem, or the number that is its stem."""

_URL = re.compile(r"[a-zA-Z][\w+.-]+://|/data/local-files/")


def clean_path(name: str) -> str:
    """A path with forward slashes, without a drive, in Unicode's composed form (NFC).

    Of a URL its path, and of Label Studio's local files the parameter `d`.
    """
    if _URL.match(name):
        url = urlsplit(name)
        name = parse_qs(url.query).get("d", [unquote(url.path)])[0]
    name = re.sub(r"^[a-zA-Z]:(?=[\\/])", "", name).replace("\\", "/")
    return unicodedata.normalize("NFC", name)


def match_files(
    references: Iterable[Reference], names: Sequence[str], root: Path, where: str
) -> dict[Reference, int]:
    """The index in `names` of each reference that means one of these files.

    `names` are paths below the folder `root`. A reference means a file when one of the two paths
    ends in the other; instead of the file name, its stem or the number that the stem is will do.
    Of several references to a file the one that shares most with its path counts. Raises
    `UserError`, which begins with `where`, for references that cannot be distinguished.
    """
    by_key: dict[str, list[tuple[Reference, list[str]]]] = defaultdict(list)
    for reference in dict.fromkeys(references):
        parts = _parts(str(reference))
        for key in dict.fromkeys([*parts[:1], *_number(parts[:1])]):
            by_key[key].append((reference, parts))
    owners: dict[Reference, int] = {}
    for index, name in enumerate(names):
        own, path = _parts(name), root / name
        above = _parts(str(path))[1:]
        fitting: dict[Reference, tuple[int, int]] = {}
        for closeness, key in enumerate(reversed(_keys(own))):
            for reference, parts in by_key.get(key, ()):
                shared = 1 + _shared(above, parts[1:])
                if shared >= min(len(parts), len(own)):
                    fitting[reference] = shared, closeness
        best = [reference for reference, fit in fitting.items() if fit == max(fitting.values())]
        if len(best) > 1:
            raise UserError(
                f"{where}: {best[0]} and {best[1]} both fit {path}; give a folder further up"
            )
        for reference in best:
            other = owners.setdefault(reference, index)
            if other == index or str(reference) == names[other]:
                continue
            if str(reference) != name:
                raise UserError(
                    f"{where}: {reference} fits both {root / names[other]} and {path}; add their "
                    "folders to file_name"
                )
            owners[reference] = index
    return owners


def _parts(name: str) -> list[str]:
    """The parts of a cleaned path from its end, without the root and dots."""
    parts = reversed(PurePosixPath(clean_path(name)).parts)
    return [part for part in parts if part not in ("/", "..", ".")]


def _keys(parts: list[str]) -> list[str]:
    """What a file can be called: its name, its stem, and the number that the stem is."""
    stems = [PurePosixPath(part).stem for part in parts[:1]]
    return list(dict.fromkeys([*parts[:1], *stems, *_number(stems)]))


def _number(stems: list[str]) -> list[str]:
    return [str(int(s)) for s in stems if s.isdecimal() and len(s) < _MAX_DIGITS]


_MAX_DIGITS = 20


def _shared(ours: list[str], theirs: list[str]) -> int:
    """The number of parts that two paths share, from their ends."""
    pairs = zip(ours, theirs, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def find_pictures(root: Path, names: Sequence[str], where: str) -> list[str]:
    """The path below `root` of each named picture, which may be written in other ways.

    A name that is a file stays; another is cleaned (see `clean_path`), and then looked for among
    the files of the folder. A picture that is not found keeps its name.
    """
    out = list(names)
    left = [i for i, name in enumerate(names) if not _is_file(root / name)]
    for i in left:
        if _is_file(root / clean_path(names[i]).lstrip("/")):
            out[i] = clean_path(names[i]).lstrip("/")
    left = [i for i in left if not _is_file(root / out[i])]
    if left and root.is_dir():
        files = (path.relative_to(root).as_posix() for path in root.rglob("*") if _is_file(path))
        taken = set(out)
        inside = [file for file in files if file not in taken]
        owners = match_files([names[i] for i in left], inside, root, where)
        for i in left:
            if names[i] in owners:
                out[i] = inside[owners[names[i]]]
    return out


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a null byte
        return False
