"""Read the faces and texture coordinates of Wavefront meshes, .obj."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from repogen.arrays import Float32, Int64
from repogen.assets.text_files import read_text
from repogen.errors import UserError


@dataclass(frozen=True, eq=False)
class Mesh:
    """The faces of a file and their texture coordinates, without vertex positions."""

    vertices: int
    """Number of vertices."""
    faces: Int64[np.ndarray, "f 3"]
    face_uv: Float32[np.ndarray, "f 3 2"]
    """(0, 0) is the upper left corner of the picture. Faces without texture coordinates have half
    of the picture."""
    textured: bool
    """Whether every face has texture coordinates."""


_HALF_PICTURE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
_BARE = (-3, -2, -1)
"""Indices of `_HALF_PICTURE`, which ends the table of texture coordinates."""


def read_obj(path: Path) -> Mesh:
    """The mesh of a file, its polygons split into triangles.

    Raises `UserError`, with the number of the line, for an invalid line and an index out of range.
    """
    vertices, coordinates, faces, uv = 0, [], [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        try:
            if words[:1] == ["v"]:
                vertices += 1
            elif words[:1] == ["vt"]:
                coordinates.append([float(words[1]), 1 - float(words[2])])
            elif words[:1] == ["f"]:
                corners = [(*word.split("/"), "")[:2] for word in words[1:]]
                bare = not any(corner[1] for corner in corners)
                if len(corners) < 3:
                    raise ValueError(line)
                for a, b in pairwise(corners[1:]):
                    triangle = (corners[0], a, b)
                    faces.append([_index(int(corner[0]), vertices) for corner in triangle])
                    uv.append(
                        list(_BARE)
                        if bare
                        else [_index(int(corner[1]), len(coordinates)) for corner in triangle]
                    )
        except (IndexError, ValueError) as error:
            raise UserError(
                f"{path} line {number}: {line.strip()[:60]!r} is invalid or has an index out of "
                "range (faces are f v/vt v/vt v/vt)"
            ) from error
    table = np.array([*coordinates, *_HALF_PICTURE], np.float32).reshape(-1, 2)
    return Mesh(
        vertices,
        np.array(faces, np.int64).reshape(-1, 3),
        table[np.array(uv, np.int64).reshape(-1, 3)],
        list(_BARE) not in uv,
    )


def _index(number: int, count: int) -> int:
    """The 0-based index of a number that counts from 1, or from the end if negative."""
    index = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= index < count:
        raise IndexError(number)
    return index
