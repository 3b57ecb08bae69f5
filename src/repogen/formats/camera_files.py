"""Cameras in the files of OpenCV, Kalibr and BOP; repogen's --camera reads them all.

https://docs.opencv.org/4.x/da/d56/classcv_1_1FileStorage.html,
https://github.com/ethz-asl/kalibr/wiki/yaml-formats and
https://github.com/thodan/bop_toolkit/blob/master/docs/bop_datasets_format.md: in all of them pixel
centres are whole numbers.
"""

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from repogen.arrays import Float
from repogen.cameras.camera import Camera
from repogen.cameras.lens import FISHEYES
from repogen.datasets.chunks import compact_json
from repogen.errors import UserError
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
    matrix = _whole_number_centers(camera)
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


def _whole_number_centers(camera: Camera) -> Float[np.ndarray, "3 3"]:
    """The camera matrix where pixel centres are whole numbers."""
    matrix = camera.matrix
    matrix[:2, 2] -= 0.5
    return matrix


def write_camchains(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write camchains/NAME.yaml for each image, or for the images of one pose (--views-per-pose),
    by the first one's name. Raises `UserError` for an image without a camera, and for a lens that
    Kalibr does not have."""
    for _, together in groupby(images, lambda image: image.record.get("group", image.name)):
        chain = list(together)
        cameras = [(image.name, image_camera(image)) for image in chain]
        out.write(f"camchains/{chain[0].stem}.yaml", camchain_to_yaml(cameras).encode())


def camchain_to_yaml(cameras: list[tuple[str, Camera]]) -> str:
    """Cameras with their images' names as a camchain of Kalibr. T_cn_cnm1 takes points from the
    frame of the camera before to this one's, metres."""
    lines = []
    before = np.eye(4)
    for number, (name, camera) in enumerate(cameras):
        fisheye = camera.model in FISHEYES
        given = [*camera.distortion, 0.0, 0.0, 0.0, 0.0]
        if not fisheye and any(given[4:]):
            raise UserError(
                f"camera of {name}: Kalibr's radtan has k1 k2 p1 p2; generate with a lens without "
                "further coefficients, or convert --to cameras"
            )
        matrix = _whole_number_centers(camera)
        focal_and_center = [float(matrix[k]) for k in ((0, 0), (1, 1), (0, 2), (1, 2))]
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = camera.rotation, camera.translation
        lines += [
            f"cam{number}:",
            f"  cam_overlaps: {[other for other in range(len(cameras)) if other != number]}",
            "  camera_model: pinhole",
            f"  distortion_coeffs: {[float(value) for value in given[:4]]}",
            f"  distortion_model: {'equidistant' if fisheye else 'radtan'}",
            f"  intrinsics: {focal_and_center}",
            f"  resolution: [{camera.width}, {camera.height}]",
            f"  rostopic: /{name}",
        ]
        if number:
            lines.append("  T_cn_cnm1:")
            lines += [f"  - {row}" for row in (pose @ np.linalg.inv(before)).tolist()]
        before = pose
    return "".join(f"{line}\n" for line in lines)


def write_bop_cameras(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write scene_camera.json with the camera of each image by its id, millimetres.

    Raises `UserError` for an image without a camera, and for a lens other than a pinhole.
    """
    with out.text("scene_camera.json") as file:
        begin = "{\n"
        for image in images:
            camera = image_camera(image)
            if camera.model != "pinhole":
                raise UserError(
                    f"camera of {image.name}: BOP's cameras are pinholes, not {camera.model}; "
                    "convert --to cameras"
                )
            entry = {
                "cam_K": _whole_number_centers(camera).ravel().tolist(),
                "cam_R_w2c": np.array(camera.rotation).ravel().tolist(),
                "cam_t_w2c": (1000 * np.array(camera.translation)).tolist(),
                "depth_scale": 1.0,
                "width": camera.width,  # more than BOP asks for: --camera needs them
                "height": camera.height,
            }
            file.write(f'{begin}"{image.id}":{compact_json(entry)}')
            begin = ",\n"
        file.write("\n}\n" if begin != "{\n" else "{}\n")
