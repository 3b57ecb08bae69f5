"""Cameras as YAML files that OpenCV's FileStorage reads
(https://docs.opencv.org/4.x/da/d56/classcv_1_1FileStorage.html), and repogen's --camera."""

from collections.abc import Iterator

import numpy as np

from repogen.cameras.camera import Camera
from repogen.cameras.lens import FISHEYES
from repogen.formats.geometry import image_camera
from repogen.formats.labelled import LabelledImage, LabelledSet
from repogen.formats.output import Output

_FISHEYE_COEFFICIENTS = 4


def write_cameras(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write a YAML file for each image into cameras/. Raises `UserError` for an image without a
    camera."""
    for image in images:
        out.write(f"cameras/{image.stem}.yaml", camera_to_yaml(image_camera(image)).encode())


def camera_to_yaml(camera: Camera) -> str:
    """A camera in OpenCV's convention: pixel centres are whole numbers, so the principal point is
    0.5 less than ours. x_cam = R x_world + t, metres."""
    matrix = camera.matrix
    matrix[:2, 2] -= 0.5
    fisheye = camera.model in FISHEYES
    distortion = np.array(camera.distortion or [0.0] * (_FISHEYE_COEFFICIENTS if fisheye else 5))
    return (
        "%YAML:1.0\n---\n"
        f"image_width: {camera.width}\n"
        f"image_height: {camera.height}\n"
        f"camera_model: {'fisheye' if fisheye else 'pinhole'}\n"
        + _matrix("camera_matrix", matrix)
        + _matrix("distortion_coefficients", distortion[None])
        + _matrix("R", np.array(camera.rotation))
        + _matrix("t", np.array(camera.translation)[:, None])
    )


def _matrix(name: str, values: np.ndarray) -> str:
    rows, columns = values.shape
    data = ", ".join(repr(float(value)) for value in values.ravel())
    return (
        f"{name}: !!opencv-matrix\n   rows: {rows}\n   cols: {columns}\n   dt: d\n"
        f"   data: [ {data} ]\n"
    )
