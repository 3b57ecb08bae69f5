"""The z-buffer of a window of the picture."""

import math

import numpy as np

from repogen.arrays import Float
from repogen.cameras.camera import Camera
from repogen.rendering.buffers import Buffers, launch_batched
from repogen.rendering.kernels import raster, raster_rays, shade, windows
from repogen.rendering.kernels.codes import LENS_PINHOLE
from repogen.rendering.kernels.lens import Lens
from repogen.rendering.kernels.raster import SAMPLES
from repogen.rendering.kernels.scene_mesh import SceneMesh
from repogen.warp_setup import wp


def zbuffer_viewport(camera: Camera, lens: Lens, bounds: Float[np.ndarray, "4"]) -> shade.Viewport:
    """The lens, and the window of the picture around `bounds` (left, top, right, bottom; pixels),
    clipped to the picture."""
    # Curved edges reach a little beyond their ends.
    margin = 0 if camera.model == "pinhole" else 2
    ends = []
    for axis, limit in enumerate((camera.width, camera.height)):
        low = min(max(math.floor(bounds[axis]) - margin, 0), limit)
        ends.append((low, min(max(math.ceil(bounds[axis + 2]) + margin, low), limit)))
    (left, right), (top, bottom) = ends
    viewport = shade.Viewport()
    viewport.lens = lens
    viewport.samples = SAMPLES * SAMPLES
    viewport.left, viewport.width = left, right - left
    viewport.top, viewport.height = top, bottom - top
    return viewport


def empty_keys(viewport: shade.Viewport, device: str) -> wp.array:
    """Keys of samples that see nothing, (SAMPLES height, SAMPLES width), on the device."""
    shape = viewport.height * SAMPLES, viewport.width * SAMPLES
    return wp.full(shape, raster.EMPTY, wp.uint64, device=device)


def rasterize_window(
    buffers: Buffers,
    scene_mesh: SceneMesh,
    viewport: shade.Viewport,
    face_culling: wp.array,
    keys: wp.array,
) -> None:
    """Draw faces into the depth-face keys of each sample of a window (`empty_keys`).

    `face_culling` has a culling code for each face (`kernels.codes`). A pinhole camera's faces
    are rasterized row by row, those of other lenses and alpha-tested ones ray by ray.
    """
    n, lens, device = SAMPLES, viewport.lens, buffers.faces.device
    height, width = keys.shape
    if not keys.size:
        return
    count, flat = len(buffers.faces), keys.flatten()
    grid = windows.Grid()
    grid.left, grid.top, grid.samples = viewport.left, viewport.top, n
    grid.width, grid.height = width, height
    if lens.model == LENS_PINHOLE:
        launch_batched(
            device, raster.rasterize, count,
            buffers.camera_vertices, buffers.faces, face_culling, lens.fx * n, lens.fy * n,
            (lens.cx - viewport.left) * n, (lens.cy - viewport.top) * n, width, height, flat,
        )  # fmt: skip
    else:
        launch_batched(
            device, raster_rays.rasterize_rays, count,
            buffers.camera_vertices, buffers.screen_vertices, buffers.faces, face_culling,
            lens, grid, flat,
        )  # fmt: skip
    if len(buffers.alpha_faces):
        launch_batched(
            device, raster_rays.rasterize_alpha, len(buffers.alpha_faces),
            buffers.camera_vertices, buffers.screen_vertices, buffers.faces,
            buffers.alpha_faces, face_culling,
            scene_mesh.uvs, scene_mesh.face_materials, scene_mesh.materials, scene_mesh.texels,
            lens, grid, flat,
        )  # fmt: skip
