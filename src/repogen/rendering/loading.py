"""Loading the kernels that pictures need."""

from repogen.bodies import kernels as body_kernels
from repogen.bodies import mesh_kernels
from repogen.rendering.kernels import (
    geometry,
    ground,
    image_circle,
    occlusion,
    owners,
    panorama,
    raster,
    raster_rays,
    room,
    shade,
    vertex_colors,
)
from repogen.rendering.kernels.modules import PICTURE, ZBUFFER
from repogen.warp_setup import load_modules, wp

_KERNELS = (geometry, ground, occlusion, owners, raster, shade, panorama, room, raster_rays)
"""Imported here so that their Warp modules are complete."""

_EVERY_PICTURE = (PICTURE, wp.get_module(body_kernels.__name__), ZBUFFER)

MODULES = (
    *_EVERY_PICTURE,
    wp.get_module(raster_rays.__name__),
    wp.get_module(image_circle.__name__),
    wp.get_module(vertex_colors.__name__),
    mesh_kernels.share_of_free_rays.module,
    mesh_kernels.find_intersecting.module,
)
"""Every Warp module of the package; those after the first three are for few pictures."""


def load_kernels(device: str) -> None:
    """Load the kernels of an ordinary picture. Warp compiles the ones that neither ship with the
    package nor lie in its cache.

    Kernels of few pictures, for example of fisheyes, are loaded when they are first used.
    """
    load_modules(device, *_EVERY_PICTURE)
