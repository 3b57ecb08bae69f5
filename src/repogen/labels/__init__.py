"""Exact labels from the scene and its G-buffer."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repogen.labels.annotation import CATEGORY, image_record, label

__all__ = ["CATEGORY", "image_record", "label"]


def __getattr__(name: str) -> object:
    # Imported when asked for: options need not wait for the renderer.
    if name not in __all__:
        raise AttributeError(f"module 'repogen.labels' has no attribute {name!r}")
    from repogen.labels import annotation

    return getattr(annotation, name)
