"""Point clouds of depth maps as PLY files (http://paulbourke.net/dataformats/ply/)."""

from collections.abc import Iterator

import cv2
import numpy as np

from repogen.arrays import Float
from repogen.cameras.camera import Camera
from repogen.cameras.lens import FISHEYES
from repogen.errors import UserError
from repogen.files import cannot_read, read_regular
from repogen.formats.geometry import image_camera
from repogen.formats.labelled import LabelledImage, LabelledSet, Picture
from repogen.formats.output import Output
from repogen.limits import MAX_PICTURE
from repogen.pictures import decode_picture

_POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"),
                   ("red", "u1"), ("green", "u1"), ("blue", "u1")])  # fmt: skip
_NAMES = {"<f4": "float", "|u1": "uchar"}


def write_point_clouds(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write a PLY for each image into clouds/: a coloured point for each pixel that shows a person
    or an occluder, metres, in the camera's frame (x right, y down, z forward).

    Raises `UserError` for images without a depth map or a camera.
    """
    for image in images:
        if "depth" not in image.maps:
            raise UserError(f"{image.name} has no depth map; generate with --write depth")
        depth = _decoded(image.maps["depth"], cv2.IMREAD_UNCHANGED, image)
        picture = _decoded(image.picture, cv2.IMREAD_COLOR, image)
        if depth.ndim != 2:
            raise UserError(f"{image.name}: its depth map has {depth.shape[2]} channels, not 1")
        points = np.zeros(int((depth > 0).sum()), _POINT)
        xyz = depth_to_points(depth / 1000, image_camera(image))
        for axis, values in zip("xyz", xyz.T, strict=True):
            points[axis] = values
        for name, channel in (("red", 2), ("green", 1), ("blue", 0)):
            points[name] = picture[..., channel][depth > 0]
        points = points[np.isfinite(xyz).all(axis=1)]
        out.write(f"clouds/{image.stem}.ply", _header(len(points)) + points.tobytes())


def depth_to_points(depth: Float[np.ndarray, "h w"], camera: Camera) -> Float[np.ndarray, "n 3"]:
    """The points in the camera's frame of the pixels whose depth is not 0, row by row, metres.

    NaN where the lens sees nothing. Depth is as in `Camera.depth_of`.
    """
    rows, columns = np.nonzero(depth)
    rays = camera.rays(np.stack([columns, rows], axis=1) + 0.5)
    along = 1.0 if camera.model in FISHEYES else rays[:, 2:]
    return rays / along * depth[rows, columns][:, None]


def _decoded(picture: Picture, flags: int, image: LabelledImage) -> np.ndarray:
    try:
        data = picture if isinstance(picture, bytes) else read_regular(picture, MAX_PICTURE)
    except OSError as error:
        raise cannot_read(str(picture), error) from error
    found = decode_picture(np.frombuffer(data, np.uint8), flags)
    if found is None or found.shape[:2] != (image.height, image.width):
        raise UserError(f"{image.name}: it or its depth map is damaged, or of another size")
    return found


def _header(count: int) -> bytes:
    fields = "".join(f"property {_NAMES[_POINT[n].str]} {n}\n" for n in _POINT.names or ())
    return (
        "ply\nformat binary_little_endian 1.0\ncomment metres, x right, y down, z forward\n"
        f"element vertex {count}\n{fields}end_header\n"
    ).encode()
