"""Imported by the process that workers are forked from: what each of them needs, read once.

What goes wrong here goes wrong in the workers again, and is raised there.
"""

import gc
from contextlib import suppress

from repogen.garbage import collect_seldom

gc.disable()  # of what is made here nothing becomes garbage
with suppress(Exception):
    from repogen.bodies import load_body
    from repogen.generation import worker  # noqa: F401
    from repogen.rendering.loading import load_kernels

    load_kernels("cpu")
    load_body("anny", "cpu")
gc.enable()
collect_seldom()
