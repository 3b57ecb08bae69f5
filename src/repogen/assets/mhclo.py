"""Garments in MakeHuman's own files: .mhclo (fit), .obj (mesh) and .mhmat (material)."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from repogen.assets.garments import Garment, default_scale, garment_from
from repogen.assets.packs import NOT_STATED, inside
from repogen.assets.textures import Material
from repogen.errors import UserError

_KINDS = ("hair", "eyebrows", "eyelashes", "eyes", "teeth", "tongue", "genitals")


def item_kind(path: Path, root: Path) -> str:
    """What a file is by the folders it lies in (`hair/…`), else clothes."""
    parts = [part.lower() for part in path.relative_to(root.parent).parts[:-1]]
    return next((kind for kind in (*_KINDS, "skins") if kind in parts), "clothes")


def read_mhclo(path: Path, kind: str) -> tuple[Garment, Material]:
    """A garment and its material. Raises `UserError` for a file that is broken, foreign, or made
    for another mesh, with the number of the line."""
    facts = _parse(path)
    values = facts["values"]
    for key in ("obj_file", "verts"):
        if key not in values:
            raise UserError(f"{path} is no .mhclo of MakeHuman: it has no line {key!r}")
    base = values.get("basemesh", "hm08")
    if base != "hm08":
        raise UserError(f"{path} is made for base mesh {base!r}, not hm08")
    mesh = _read_obj(inside(path.parent, values["obj_file"]))
    if mesh["vertices"] != len(facts["refs"]):
        raise UserError(
            f"{path} binds {len(facts['refs'])} vertices, but {values['obj_file']} has "
            f"{mesh['vertices']}"
        )
    pairs, lengths = default_scale(kind, facts["tags"])
    if len(facts["scale"]) == 3:
        pairs = np.array([facts["scale"][axis][:2] for axis in "xyz"])
        lengths = np.array([facts["scale"][axis][2] for axis in "xyz"])
    material = _material(path, values)
    arrays = {
        **{key: facts[key] for key in ("refs", "weights", "offsets", "hidden")},
        **{key: mesh[key] for key in ("faces", "face_uv")},
        "scale_refs": pairs,
        "scale_lengths": lengths,
    }
    named = {
        "kind": kind,
        "name": values.get("name", path.stem),
        "uuid": values.get("uuid", ""),
        "licence": facts["licence"],
        "z_depth": facts["z_depth"],
        "tags": tuple(facts["tags"]),
        "two_sided": material[1],
    }
    return garment_from(arrays, named, str(path)), material[0]


def read_mhmat(path: Path) -> tuple[Material, bool, str]:
    """A material, whether it is seen from both sides, and its licence. Raises `UserError` where
    it names no picture."""
    values: dict[str, str] = {}
    licence = NOT_STATED
    for line in _text(path).splitlines():
        licence = _licence(line) or licence
        words = line.split(maxsplit=1)
        if len(words) == 2 and not line.lstrip().startswith(("#", "//")):
            values.setdefault(words[0].lower(), words[1].strip())
    if "diffusetexture" not in values:
        raise UserError(f"{path} names no diffuseTexture")
    shade = values.get("aomaptexture")
    material = Material(
        picture=inside(path.parent, values["diffusetexture"]),
        occlusion=inside(path.parent, shade) if shade else None,
        transparent=values.get("transparent", "false").lower() in ("true", "1", "yes"),
        opacity=1.0,
    )
    return material, values.get("backfacecull", "false").lower() == "false", licence


def _material(path: Path, values: dict[str, str]) -> tuple[Material, bool]:
    if "material" not in values:
        raise UserError(f"{path} names no material, so it has no texture")
    return read_mhmat(inside(path.parent, values["material"]))[:2]


def _parse(path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "values": {}, "tags": [], "scale": {}, "z_depth": 50, "licence": NOT_STATED,
        "refs": [], "weights": [], "offsets": [], "hidden": [],
    }  # fmt: skip
    section = ""
    for number, line in enumerate(_text(path).splitlines(), start=1):
        licence = _licence(line)
        words = line.split()
        if licence:
            facts["licence"] = licence
        if licence or not words or words[0].startswith(("#", "//")):
            continue
        try:
            if not re.match(r"-?\d", words[0]):
                section = words[0].lower()
                _take(facts, section, words[1:])
            elif section == "verts":
                _bind(facts, words)
            elif section == "delete_verts":
                facts["hidden"] += _ranges(words)
        except (IndexError, ValueError) as error:
            raise UserError(f"{path} line {number}: {line.strip()[:60]!r} is broken") from error
    return facts


def _take(facts: dict[str, Any], key: str, words: list[str]) -> None:
    if key == "tag":
        facts["tags"] += [" ".join(words).lower()]
    elif key in ("x_scale", "y_scale", "z_scale"):
        facts["scale"][key[0]] = (int(words[0]), int(words[1]), float(words[2]))
    elif key == "z_depth":
        facts["z_depth"] = int(words[0])
    else:
        facts["values"].setdefault(key, " ".join(words))


def _bind(facts: dict[str, Any], words: list[str]) -> None:
    """One vertex: an index of the base mesh, or three, three weights and an offset."""
    if len(words) == 1:
        facts["refs"].append([int(words[0])] * 3)
        facts["weights"].append([1.0, 0.0, 0.0])
        facts["offsets"].append([0.0, 0.0, 0.0])
        return
    if len(words) not in (6, 9):
        raise ValueError(len(words))
    facts["refs"].append([int(word) for word in words[:3]])
    facts["weights"].append([float(word) for word in words[3:6]])
    facts["offsets"].append([float(word) for word in words[6:]] or [0.0, 0.0, 0.0])


def _ranges(words: list[str]) -> list[int]:
    found: list[int] = []
    for first, last in re.findall(r"(\d+)(?:\s*-\s*(\d+))?", " ".join(words)):
        if int(last or first) - int(first) > 1_000_000:
            raise ValueError(last)
        found += range(int(first), int(last or first) + 1)
    return found


def _licence(line: str) -> str:
    found = re.match(r"\s*[#/]*\s*licen[sc]e\b\s*:?\s*(\S.*)", line, re.IGNORECASE)
    return " ".join(found[1].split()) if found else ""


def _read_obj(path: Path) -> dict[str, Any]:
    """How many vertices a Wavefront file has, its triangles, and where their corners lie in the
    picture (v down)."""
    vertices, places, faces, uv = 0, [], [], []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        words = line.split()
        try:
            if words[:1] == ["v"]:
                vertices += 1
            elif words[:1] == ["vt"]:
                places.append([float(words[1]), 1 - float(words[2])])
            elif words[:1] == ["f"]:
                corners = [[int(part) for part in word.split("/")[:2]] for word in words[1:]]
                if len(corners) < 3:
                    raise ValueError(line)
                for a, b in pairwise(corners[1:]):
                    triangle = (corners[0], a, b)
                    faces.append([_index(corner[0], vertices) for corner in triangle])
                    uv.append([_index(corner[1], len(places)) for corner in triangle])
        except (IndexError, ValueError) as error:
            raise UserError(
                f"{path} line {number}: {line.strip()[:60]!r} is broken or points at what is not "
                "there (faces need texture coordinates: f v/vt v/vt v/vt)"
            ) from error
    table = np.array(places, np.float32).reshape(-1, 2)
    return {
        "vertices": vertices,
        "faces": np.array(faces, np.int64).reshape(-1, 3),
        "face_uv": table[np.array(uv, np.int64).reshape(-1, 3)],
    }


def _index(number: int, count: int) -> int:
    """From 1, or from the end when negative, to from 0."""
    index = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= index < count:
        raise IndexError(number)
    return index


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
