"""The z-buffer of a window of the picture, and pieces of masks from one."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from repogen.cameras.camera import Camera
from repogen.rendering.buffers import Buffers, array, launch
from repogen.rendering.extents import shared_parts
from repogen.rendering.gbuffer import half_covered
from repogen.rendering.kernels import raster, raster_rays, shade, windows
from repogen.rendering.kernels.lens import PINHOLE, Lens
from repogen.rendering.kernels.model import Model
from repogen.rendering.kernels.raster import SAMPLES
from repogen.warp_setup import wp


def window(camera: Camera, lens: Lens, bounds: Float[np.ndarray, "4"]) -> shade.Optics:
    """The camera, and the window of the picture within `bounds` (left, top, right, bottom)."""
    limits = np.array([camera.width, camera.height])
    # Curved edges reach a little beyond their ends.
    margin = 0 if camera.model == "pinhole" else 2
    low = np.clip(np.floor(bounds[:2]) - margin, 0, limits).astype(int)
    high = np.clip(np.ceil(bounds[2:]) + margin, low, np.maximum(limits, low)).astype(int)
    optics = shade.Optics()
    optics.lens = lens
    optics.samples = SAMPLES * SAMPLES
    optics.left, optics.top = (int(v) for v in low)
    optics.width, optics.height = (int(v) for v in high - low)
    return optics


def rasterized(buffers: Buffers, model: Model, optics: shade.Optics, sides: wp.array) -> wp.array:
    """The z-buffer of a window, of the faces that `sides` shows: for a pinhole camera row by row;
    for other lenses, and of what textures cut out, ray by ray."""
    n, lens, device = SAMPLES, optics.lens, buffers.faces.device
    height, width = optics.height * n, optics.width * n
    keys = wp.full((height, width), raster.EMPTY, wp.uint64, device=device)
    if not keys.size:
        return keys
    count, flat = len(buffers.faces), keys.flatten()
    grid = windows.Grid()
    grid.left, grid.top, grid.samples = optics.left, optics.top, n
    grid.width, grid.height = width, height
    if lens.model == PINHOLE:
        launch(
            device, raster.rasterize, count,
            buffers.placed, buffers.faces, sides, lens.fx * n, lens.fy * n,
            (lens.cx - optics.left) * n, (lens.cy - optics.top) * n, width, height, flat,
        )  # fmt: skip
    else:
        launch(
            device, raster_rays.rasterize_rays, -(-count // raster_rays.FACES),
            buffers.placed, buffers.landed, buffers.faces, sides, lens, grid, flat,
        )  # fmt: skip
    if len(buffers.strands):
        launch(
            device, raster_rays.rasterize_strands, len(buffers.strands),
            buffers.placed, buffers.landed, buffers.faces, buffers.strands, sides,
            model.uvs, model.face_materials, model.materials, model.texels,
            lens, grid, flat,
        )  # fmt: skip
    return keys


@dataclass(frozen=True)
class Patch:
    """A piece of a mask, its corner at (left, top)."""

    left: int
    top: int
    mask: UInt8[np.ndarray, "h w"]

    def over(self, mask: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
        """A mask with this piece of it in place of its own."""
        out, (height, width) = mask.copy(), self.mask.shape
        out[self.top : self.top + height, self.left : self.left + width] = self.mask
        return out


def patches_alone(
    camera: Camera,
    lens: Lens,
    buffers: Buffers,
    model: Model,
    boxes: Float[np.ndarray, "n 4"],
) -> dict[int, Patch]:
    """Of the people whose boxes meet others': their masks, as if nothing but they were there, in
    the part of the picture where others may be. The last of the boxes is the things'."""
    out = {}
    sides = buffers.sides.numpy()
    for person, shared in enumerate(shared_parts(boxes)[:-1]):
        if shared[0] > shared[2]:
            continue
        own = np.where(buffers.mesh.people == person, sides, 0)
        optics = window(camera, lens, shared)
        keys = rasterized(
            buffers, model, optics, array(own, wp.uint8, buffers.faces.device)
        ).numpy()
        mask = half_covered(keys != np.uint64(raster.EMPTY), SAMPLES)
        out[person] = Patch(optics.left, optics.top, mask)
    return out
