"""Pose estimators: networks from image crops to joints, and their weights in files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
