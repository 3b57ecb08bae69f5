"""Synthetic people in rare poses and from rare camera views, with exact COCO-keypoint labels.

The public names are listed in __init__.pyi, and imported when they are first used. The command line
has one verb for each function that makes files.
"""

import os

import lazy_loader

from repogen.limits import MAX_PIXELS

# OpenCV reads it when it is loaded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))

# These libraries report to their makers how they are used, unless a variable says no.
for _switch, _off in {
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}.items():
    os.environ.setdefault(_switch, _off)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
