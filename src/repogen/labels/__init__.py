"""Exact labels of a rendered scene: keypoints, boxes, masks, depth, COCO records."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
