from .labelled_picture import Rendering as Rendering
from .labelled_picture import label as label
from .labelled_picture import render as render
