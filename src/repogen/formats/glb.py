"""Binary glTF 2.0 files (https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html)."""

import struct
from typing import Any

import numpy as np

from repogen.datasets.chunks import compact_json

_MAGIC, _VERSION = 0x46546C67, 2
_JSON, _BINARY = 0x4E4F534A, 0x004E4942
_FLOAT, _UNSIGNED_INT = 5126, 5125
_KINDS = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
_VERTICES, _INDICES = 34962, 34963


class GlbWriter:
    """The tables of a glTF file, and the numbers that they point to."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._tables: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, entry: dict[str, Any]) -> int:
        """Append an entry to a table, such as `nodes`; returns its index."""
        entries = self._tables.setdefault(table, [])
        entries.append(entry)
        return len(entries) - 1

    def add_numbers(self, values: np.ndarray, bounded: bool = False) -> int:
        """Append an accessor of (n, 3) or (n, 4) floats for vertices, or of (n,) indices; returns
        its index. Positions need `bounded`, their least and largest values."""
        indices = values.ndim == 1
        stored = np.ascontiguousarray(values, np.uint32 if indices else np.float32)
        view = self.add("bufferViews", {
            "buffer": 0, "byteOffset": len(self._data), "byteLength": stored.nbytes,
            "target": _INDICES if indices else _VERTICES,
        })  # fmt: skip
        self._data += stored.tobytes()
        accessor = {
            "bufferView": view,
            "componentType": _UNSIGNED_INT if indices else _FLOAT,
            "count": len(stored),
            "type": _KINDS[1 if indices else stored.shape[1]],
        }
        if bounded:
            accessor |= {"min": stored.min(axis=0).tolist(), "max": stored.max(axis=0).tolist()}
        return self.add("accessors", accessor)

    def to_bytes(self, asset: dict[str, Any], **more: object) -> bytes:
        """The file, with `asset` and more entries beside the tables."""
        table = {"asset": asset | {"version": "2.0"}} | more | self._tables
        table["buffers"] = [{"byteLength": len(self._data)}]
        text = compact_json(table).encode()
        text += b" " * (-len(text) % 4)
        data = bytes(self._data)  # of four-byte numbers
        chunks = struct.pack("<II", len(text), _JSON) + text
        chunks += struct.pack("<II", len(data), _BINARY) + data
        return struct.pack("<III", _MAGIC, _VERSION, 12 + len(chunks)) + chunks
