"""Exact labels of a rendered scene: keypoints, boxes, masks, depth, COCO records."""

from typing import TYPE_CHECKING

from repogen.lazy import lazy_exports

if TYPE_CHECKING:
    from repogen.labels.rendering import Rendering as Rendering
    from repogen.labels.rendering import label as label
    from repogen.labels.rendering import render as render
else:
    __getattr__, __dir__, __all__ = lazy_exports(__name__, {"rendering": "Rendering label render"})
