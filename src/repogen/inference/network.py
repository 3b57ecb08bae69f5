"""Estimators from weights: a torch network or an ONNX file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.config import checked
from repogen.inference.estimate import Estimator
from repogen.inference.movenet import check_one_person, movenet_estimator
from repogen.limits import ESTIMATE_SECONDS
from repogen.models.packaged import packaged, packaged_onnx

if TYPE_CHECKING:
    from torch import nn


@checked
def load_estimator(
    weights: Path | str,
    device: str | None = None,
    timeout: float = ESTIMATE_SECONDS,
    threads: int = 0,
) -> Estimator:
    """The estimator of weights that come with repogen (`PACKAGED`), or of a run, a folder, a file
    of weights, a Hugging Face model or an .onnx file.

    `device` is a torch device, by default the GPU where there is one; without one or with cpu,
    weights of repogen and ONNX files are run by onnxruntime. `timeout` is the most seconds that an
    ONNX file may take for a picture, `threads` the number of its threads, 0 for as many as there
    are processors. Raises `UserError` for anything else.

    >>> estimator = repogen.load_estimator("thunder")
    """
    weights = Path(weights)
    name = packaged(str(weights))
    if weights.suffix == ".onnx" or (name and device in (None, "cpu")):
        from repogen.inference.onnx import onnx_estimator

        return onnx_estimator(packaged_onnx(name) if name else weights, timeout, threads, device)
    from repogen.models.weights import load_model

    model, _ = load_model(weights)
    return torch_estimator(model, device)


def torch_estimator(model: "nn.Module", device: str | None = None) -> Estimator:
    """The estimator of a torch model, on `device`, by default the GPU where there is one. Raises
    `UserError` for a model that finds several people."""
    import torch

    from repogen.models.movenet import MoveNet, scale_pixels
    from repogen.models.pixels import normalize

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device).eval()

    def estimate(crops: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n 17 64 48"]:
        with torch.inference_mode():
            pixels = normalize(torch.from_numpy(crops).to(device))
            return model(pixels).float().cpu().numpy()

    def heads(crops: UInt8[np.ndarray, "n h w 3"]) -> dict[str, Float[np.ndarray, "n c p q"]]:
        with torch.inference_mode():
            out = model(scale_pixels(torch.from_numpy(crops).to(device)))
        return {name: value.float().cpu().numpy() for name, value in out.items()}

    if not isinstance(model, MoveNet):
        return estimate
    check_one_person(model.variant.heads)
    return movenet_estimator(heads, model.variant.size)
