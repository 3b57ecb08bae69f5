"""Loading the kernels that pictures need."""

from repogen.bodies import kernels as body_kernels
from repogen.rendering.kernels import geometry, panorama, raster, raster_rays, room, shade
from repogen.rendering.kernels.modules import PICTURE, ZBUFFER
from repogen.warp_setup import load_modules, wp

_KERNELS = (geometry, raster, shade, panorama, room, raster_rays)
"""Imported here so that their Warp modules are complete."""


def load_kernels(device: str) -> None:
    """Load the kernels of an ordinary picture; the first time on a machine they are compiled.

    Kernels of few pictures, for example of fisheyes, are loaded when they are first used.
    """
    load_modules(device, PICTURE, wp.get_module(body_kernels.__name__), ZBUFFER)
