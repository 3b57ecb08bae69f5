"""Exact labels from the scene and its G-buffer."""

from repogen.labels.annotation import CATEGORY, image_record, label

__all__ = ["CATEGORY", "image_record", "label"]
