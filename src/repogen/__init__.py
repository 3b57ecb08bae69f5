"""Synthetic people in rare poses and from rare camera views, with exact COCO-keypoint labels.

The public names are listed in __init__.pyi, and imported when they are first used. The command line
has one verb for each function that makes files.
"""

import os

import lazy_loader

from repogen.limits import MAX_PIXELS

# OpenCV reads it when it is loaded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
