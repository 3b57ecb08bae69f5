"""Read garments from MakeHuman's files: .mhclo (fit), .obj (mesh) and .mhmat (material).

Understood are the lines described in MPFB's docs/fileformats/mhclo.md and those in MakeHuman's own
asset packs.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Bool
from repogen.assets.garments import BASE_VERTICES, Garment, default_scale, garment_from
from repogen.assets.mhmat import MaterialFile, read_mhmat
from repogen.assets.packs import NOT_STATED
from repogen.assets.text_files import find_file, read_text, stated_licence
from repogen.assets.textures import TextureSource
from repogen.assets.wavefront import read_obj
from repogen.errors import UserError

_KINDS = ("hair", "eyebrows", "eyelashes", "eyes", "teeth", "tongue", "genitals")
_SECTIONS = ("verts", "delete_verts", "weights")
"""Lines that start a section of numbers; other keywords may stand between the numbers."""


def item_kind(path: Path, root: Path) -> str:
    """The kind of a .mhclo or .mhmat by its parent folders (`hair/…`, `skins/…`), else clothes."""
    parts = [part.lower() for part in path.relative_to(root.parent).parts[:-1]]
    kinds = _KINDS if path.suffix.lower() == ".mhclo" else ("skins",)
    return next((kind for kind in kinds if kind in parts), "clothes")


def read_mhclo(path: Path, kind: str, root: Path) -> tuple[Garment, TextureSource]:
    """A garment and its texture, whose files lie below `root`.

    Raises `UserError`, with the number of the line, for a file that is broken, of another format,
    or made for another base mesh.
    """
    text = read_text(path)
    parsed = _parse(path, text)
    values = parsed["values"]
    if "obj_file" not in values or not parsed["refs"]:
        missing = "lines below 'verts'" if "obj_file" in values else "line 'obj_file'"
        raise UserError(f"{path} is not a .mhclo of MakeHuman: it has no {missing}")
    base = values.get("basemesh", "hm08")
    if base != "hm08":
        raise UserError(f"{path} is made for base mesh {base!r}, not hm08")
    mesh = read_obj(find_file(path, values["obj_file"], root))
    if mesh.vertices != len(parsed["refs"]):
        raise UserError(
            f"{path} binds {len(parsed['refs'])} vertices, but {values['obj_file']} has "
            f"{mesh.vertices}"
        )
    pairs, lengths = default_scale(kind, parsed["tags"])
    for axis, (first, second, length) in parsed["scale"].items():
        pairs["xyz".index(axis)] = first, second
        lengths["xyz".index(axis)] = length
    material = _material(path, values.get("material"), root)
    if not mesh.textured and isinstance(material.texture.picture, Path):
        raise UserError(
            f"{path}: {values['obj_file']} has faces without texture coordinates (f v/vt v/vt "
            f"v/vt), which {material.texture.picture.name} needs"
        )
    arrays = {
        **{key: parsed[key] for key in ("refs", "weights", "offsets")},
        "hidden": np.flatnonzero(parsed["hidden"]),
        "faces": mesh.faces,
        "face_uv": mesh.face_uv,
        "scale_refs": pairs,
        "scale_lengths": lengths,
    }
    metadata = {
        "kind": kind,
        "name": values.get("name", path.stem),
        "uuid": values.get("uuid", ""),
        "licence": stated_licence(text) or material.licence or NOT_STATED,
        "z_depth": parsed["z_depth"],
        "tags": tuple(parsed["tags"]),
        "two_sided": material.two_sided,
    }
    return garment_from(arrays, metadata, str(path)), material.texture


def _material(path: Path, name: str | None, root: Path) -> MaterialFile:
    """The named material, or else the one beside the garment with the same file name."""
    beside = path.with_suffix(".mhmat")
    if name is None and not beside.is_file():
        raise UserError(f"{path} has no line 'material', so no texture")
    return read_mhmat(beside if name is None else find_file(path, name, root), root)


_SAME_TAGS = {"hat": "hats", "shoe": "shoes", "boots": "shoes"}
"""Tags that files have for one of ours."""


def _parse(path: Path, text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = {
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
                _parse_keyword(parsed, key, words[1:])
            elif section == "verts":
                _parse_binding(parsed, words)
            elif section == "delete_verts":
                _parse_hidden(parsed["hidden"], words)
        except (IndexError, ValueError) as error:
            raise UserError(f"{path} line {number}: {line.strip()[:60]!r} is broken") from error
    return parsed


def _parse_keyword(parsed: dict[str, Any], key: str, words: list[str]) -> None:
    if key == "tag":
        tag = " ".join(words).lower()
        parsed["tags"] += [_SAME_TAGS.get(tag, tag)]
    elif key in ("x_scale", "y_scale", "z_scale"):
        parsed["scale"][key[0]] = (_base_vertex(words[0]), _base_vertex(words[1]), float(words[2]))
    elif key == "z_depth":
        parsed["z_depth"] = int(words[0])
    else:
        parsed["values"].setdefault(key, " ".join(words))


def _parse_binding(parsed: dict[str, Any], words: list[str]) -> None:
    """One vertex: an index of the base mesh, or three indices, three weights and an offset. Further
    words are ignored, as MakeHuman does."""
    if len(words) == 1:
        words = [words[0]] * 3 + ["1", "0", "0"]
    elif len(words) != 6 and len(words) < 9:
        raise ValueError(len(words))
    parsed["refs"].append([int(word) for word in words[:3]])
    parsed["weights"].append([float(word) for word in words[3:6]])
    parsed["offsets"].append([float(word) for word in words[6:9]] or [0.0, 0.0, 0.0])


def _base_vertex(word: str) -> int:
    """An index of the base mesh; raises `ValueError` for one out of range."""
    index = int(word)
    if not 0 <= index < BASE_VERTICES:
        raise ValueError(word)
    return index


def _parse_hidden(hidden: Bool[np.ndarray, " v"], words: list[str]) -> None:
    """Mark the vertices of a line such as `4 - 7 9`, whose ranges include both ends."""
    for first, last in re.findall(r"(\d+)(?:\s*-\s*(\d+))?", " ".join(words)):
        if int(last or first) >= len(hidden):
            raise ValueError(last or first)
        hidden[int(first) : int(last or first) + 1] = True
