"""Estimators from weights: a torch network or an ONNX file."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import nn

from repogen.config import checked
from repogen.inference.estimate import Estimator
from repogen.limits import ESTIMATE_SECONDS
from repogen.models.pixels import normalize
from repogen.models.weights import load_model


@checked
def load_estimator(
    weights: Path | str, device: str | None = None, timeout: float = ESTIMATE_SECONDS
) -> Estimator:
    """The estimator of a run, a folder, a file of weights, a Hugging Face model or an .onnx file.

    `device` is a torch device, by default the GPU where there is one; an ONNX file ignores it.
    `timeout` is the most seconds that an ONNX file may take for a picture.
    Raises `UserError` for anything else.

    >>> estimator = repogen.load_estimator("run")
    """
    weights = Path(weights)
    if weights.suffix == ".onnx":
        from repogen.inference.onnx import onnx_estimator

        return onnx_estimator(weights, timeout)
    model, _ = load_model(weights)
    return torch_estimator(model, device)


def torch_estimator(model: nn.Module, device: str | None = None) -> Estimator:
    """The estimator of a torch model, on `device`, by default the GPU where there is one."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device).eval()

    def estimate(crops: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n 17 64 48"]:
        with torch.inference_mode():
            pixels = normalize(torch.from_numpy(crops).to(device))
            return model(pixels).float().cpu().numpy()

    return estimate
