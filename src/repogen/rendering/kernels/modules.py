"""The Warp modules that the renderer's kernels are compiled in.

Compiling a module costs one to two seconds for Warp's headers and then for its kernels, so what
every picture needs is in few modules of like cost, which `load_kernels` compiles at a time. All
kernels of a module must be imported before it is loaded: a later one would compile it again.
"""

from repogen.warp_setup import wp

PICTURE = wp.get_module("repogen.rendering.picture")
"""Geometry, shading, panoramas and rooms."""

ZBUFFER = wp.get_module("repogen.rendering.zbuffer")
"""Z-buffers, but for lenses other than a pinhole."""

# Fused multiply-adds would round an expression differently from place to place, but the two
# triangles at an edge must get the same numbers.
wp.set_module_options({"fuse_fp": False}, module=ZBUFFER)

PER_THREAD = 8
"""Faces or vertices that a thread takes: on a CPU a thread begins by reading all its arguments,
which takes as long as a few of them."""
