"""Optional libraries, and the extra of repogen that installs each."""

from importlib.util import find_spec

from repogen.messages import say

EXTRAS = {
    "matplotlib": "plots",
    "torch": "train",
    "accelerate": "train",
    "tensorboard": "train",
    "transformers": "train",
    "ray": "ray",
    "onnx": "onnx",
    "onnxscript": "onnx",
}


def can_draw_figures(what: str) -> bool:
    """Whether Matplotlib is installed; if not, says that `what` is without figures."""
    if find_spec("matplotlib") is not None:
        return True
    say(f"{what} is without figures, which need matplotlib; pip install '{extra_of('matplotlib')}'")
    return False


def extra_of(library: str) -> str:
    """What pip installs an optional library with."""
    return f"repogen[{EXTRAS[library]}]"
