"""Contact sheets, figures and summaries of datasets."""

from repogen.visualization.info import info
from repogen.visualization.preview import preview

__all__ = ["info", "preview"]
