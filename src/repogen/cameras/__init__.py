"""Cameras, lenses, framing, and named viewpoints."""

from repogen.cameras.camera import Camera, View, look_at, view_of
from repogen.cameras.viewpoints import VIEWS, parse_views, sample_direction

__all__ = ["VIEWS", "Camera", "View", "look_at", "parse_views", "sample_direction", "view_of"]
