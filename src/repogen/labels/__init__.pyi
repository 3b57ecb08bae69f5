from .rendering import Rendering as Rendering
from .rendering import label as label
from .rendering import render as render
