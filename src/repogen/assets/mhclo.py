"""Garments in MakeHuman's own files: .mhclo (fit), .obj (mesh) and .mhmat (material).

The lines are those that MPFB's docs/fileformats/mhclo.md describes, and files of MakeHuman's own
asset packs hold.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from repogen.assets.foreign import find_file, read_text, stated_licence
from repogen.assets.garments import BASE_VERTICES, Garment, default_scale, garment_from
from repogen.assets.mhmat import MaterialFile, read_mhmat
from repogen.assets.packs import NOT_STATED
from repogen.assets.textures import Material
from repogen.assets.wavefront import read_obj
from repogen.errors import UserError

_KINDS = ("hair", "eyebrows", "eyelashes", "eyes", "teeth", "tongue", "genitals")
_SECTIONS = ("verts", "delete_verts", "weights")
"""Lines that say what the numbers below them are. Any other line may stand among those."""


def item_kind(path: Path, root: Path) -> str:
    """What a .mhclo or .mhmat is by the folders it lies in (`hair/…`, `skins/…`), else clothes."""
    parts = [part.lower() for part in path.relative_to(root.parent).parts[:-1]]
    kinds = _KINDS if path.suffix.lower() == ".mhclo" else ("skins",)
    return next((kind for kind in kinds if kind in parts), "clothes")


def read_mhclo(path: Path, kind: str, root: Path) -> tuple[Garment, Material]:
    """A garment and its material, whose files lie below `root`. Raises `UserError` for a file that
    is broken, foreign, or made for another mesh, with the number of the line."""
    text = read_text(path)
    facts = _parse(path, text)
    values = facts["values"]
    if "obj_file" not in values or not facts["refs"]:
        lacks = "lines below 'verts'" if "obj_file" in values else "line 'obj_file'"
        raise UserError(f"{path} is no .mhclo of MakeHuman: it has no {lacks}")
    base = values.get("basemesh", "hm08")
    if base != "hm08":
        raise UserError(f"{path} is made for base mesh {base!r}, not hm08")
    mesh = read_obj(find_file(path, values["obj_file"], root))
    if mesh.vertices != len(facts["refs"]):
        raise UserError(
            f"{path} binds {len(facts['refs'])} vertices, but {values['obj_file']} has "
            f"{mesh.vertices}"
        )
    pairs, lengths = default_scale(kind, facts["tags"])
    for axis, (first, second, length) in facts["scale"].items():
        pairs["xyz".index(axis)] = first, second
        lengths["xyz".index(axis)] = length
    material = _material(path, values.get("material"), root)
    arrays = {
        **{key: facts[key] for key in ("refs", "weights", "offsets")},
        "hidden": np.flatnonzero(facts["hidden"]),
        "faces": mesh.faces,
        "face_uv": mesh.face_uv,
        "scale_refs": pairs,
        "scale_lengths": lengths,
    }
    named = {
        "kind": kind,
        "name": values.get("name", path.stem),
        "uuid": values.get("uuid", ""),
        "licence": stated_licence(text) or material.licence or NOT_STATED,
        "z_depth": facts["z_depth"],
        "tags": tuple(facts["tags"]),
        "two_sided": material.two_sided,
    }
    return garment_from(arrays, named, str(path)), material.material


def _material(path: Path, name: str | None, root: Path) -> MaterialFile:
    """The material that is named, or else the one beside the garment that is called as it is."""
    beside = path.with_suffix(".mhmat")
    if name is None and not beside.is_file():
        raise UserError(f"{path} names no material, so it has no texture")
    return read_mhmat(beside if name is None else find_file(path, name, root), root)


def _parse(path: Path, text: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "values": {}, "tags": [], "scale": {}, "z_depth": 50,
        "refs": [], "weights": [], "offsets": [], "hidden": np.zeros(BASE_VERTICES, bool),
    }  # fmt: skip
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith(("#", "//")):
            continue
        try:
            if not re.match(r"-|\d", words[0]):
                key = words[0].lower()
                section = key if key in _SECTIONS else section
                _take(facts, key, words[1:])
            elif section == "verts":
                _bind(facts, words)
            elif section == "delete_verts":
                _hide(facts["hidden"], words)
        except (IndexError, ValueError) as error:
            raise UserError(f"{path} line {number}: {line.strip()[:60]!r} is broken") from error
    return facts


def _take(facts: dict[str, Any], key: str, words: list[str]) -> None:
    if key == "tag":
        facts["tags"] += [" ".join(words).lower()]
    elif key in ("x_scale", "y_scale", "z_scale"):
        facts["scale"][key[0]] = (_reference(words[0]), _reference(words[1]), float(words[2]))
    elif key == "z_depth":
        facts["z_depth"] = int(words[0])
    else:
        facts["values"].setdefault(key, " ".join(words))


def _bind(facts: dict[str, Any], words: list[str]) -> None:
    """One vertex: an index of the base mesh, or three, three weights and an offset. What follows
    those is ignored, as MakeHuman does."""
    if len(words) == 1:
        words = [words[0]] * 3 + ["1", "0", "0"]
    elif len(words) != 6 and len(words) < 9:
        raise ValueError(len(words))
    facts["refs"].append([int(word) for word in words[:3]])
    facts["weights"].append([float(word) for word in words[3:6]])
    facts["offsets"].append([float(word) for word in words[6:9]] or [0.0, 0.0, 0.0])


def _reference(word: str) -> int:
    """An index of the base mesh, small enough for the arrays it goes into."""
    index = int(word)
    if not 0 <= index < BASE_VERTICES:
        raise ValueError(word)
    return index


def _hide(hidden: Bool[np.ndarray, " v"], words: list[str]) -> None:
    """`4 - 7 9`: both ends belong to a range."""
    for first, last in re.findall(r"(\d+)(?:\s*-\s*(\d+))?", " ".join(words)):
        if int(last or first) >= len(hidden):
            raise ValueError(last or first)
        hidden[int(first) : int(last or first) + 1] = True
