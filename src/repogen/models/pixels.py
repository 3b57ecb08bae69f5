"""Normalisation of crops for the models."""

import numpy as np
import torch
from torch import Tensor

from repogen.arrays import Float, UInt8

_MEAN = torch.tensor([0.485, 0.456, 0.406]) * 255
_STD = torch.tensor([0.229, 0.224, 0.225]) * 255


def normalize(
    crops: UInt8[np.ndarray, "n h w 3"] | UInt8[Tensor, "n h w 3"],
) -> Float[Tensor, "n 3 h w"]:
    """RGB bytes to floats normalised by ImageNet's mean and deviation, channels first.

    The memory layout stays channels-last.
    """
    pixels = torch.as_tensor(crops)
    mean, std = _MEAN.to(pixels.device), _STD.to(pixels.device)
    return ((pixels.float() - mean) / std).permute(0, 3, 1, 2)
