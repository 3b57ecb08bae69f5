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
    "viser": "studio",
}


def can_draw_figures(what: str) -> bool:
    """Whether Matplotlib is installed; if not, says that `what` is without figures."""
    if find_spec("matplotlib") is not None:
        return True
    say(f"{what} is without figures, which need matplotlib; {how_to_install('matplotlib')}")
    return False


def how_to_install(library: str) -> str:
    """How to install an optional library. PyPI's package `repogen` is not ours."""
    return f"in a clone of repogen: pip install '.[{EXTRAS[library]}]'"
