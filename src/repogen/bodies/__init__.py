"""Parametric bodies behind one protocol."""

from functools import lru_cache

from repogen.bodies.protocol import LAYERS, PARTS, Body, PosedBody, Surface
from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.errors import choose


@lru_cache(maxsize=2)
def load_body(name: str = "anny", device: str = "cpu") -> Body:
    """A body model by name, kept for the next call. The first ever takes minutes to build.

    Raises `UserError` for an unknown name.
    """
    if name != "anny":
        raise choose("body", name, ["anny"])
    from repogen.bodies.anny import AnnyBody

    return AnnyBody(device)


__all__ = [
    "COCO_KEYPOINTS",
    "COCO_SKELETON",
    "LAYERS",
    "PARTS",
    "Body",
    "PosedBody",
    "Surface",
    "load_body",
]
