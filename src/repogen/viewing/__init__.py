"""Looking at datasets."""

from repogen.viewing.info import info
from repogen.viewing.preview import preview

__all__ = ["info", "preview"]
