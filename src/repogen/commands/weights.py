"""`repogen weights`: convert, export to ONNX or blend weights."""

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from repogen.commands.parsing import Commands

Expert = Literal["coco", "aic", "mpii", "ap10k", "apt36k", "wholebody"]
"""Datasets of ViTPose+."""


def commands(_words: list[str]) -> Commands:
    return {"convert": convert, "export": export, "blend": blend}


def convert(source: Positional[Path], out: Positional[Path], expert: Expert = "coco") -> int:
    """Convert weights to another format.

    Args:
        source: A run, a Hugging Face folder or name, .safetensors, or a .pth of ViTPose or MAE.
        out: A file ending in .safetensors, or a folder for transformers.
        expert: Dataset of ViTPose+ whose expert and head are kept; those with other joints than
            COCO's leave a backbone, for train --init.
    """
    from repogen.models.convert import convert_weights

    print(convert_weights(source, out, expert))
    return 0


def export(source: Positional[Path], out: Positional[Path], expert: Expert = "coco") -> int:
    """Write a network as ONNX: RGB crops (n, 256, 192, 3) as bytes in, heatmaps out.

    Args:
        source: A run, a folder, a Hugging Face name, .safetensors or .pth.
        out: A file ending in .onnx; predict and evaluate run it too.
        expert: Dataset of ViTPose+ whose expert and head are kept.
    """
    from repogen.models import onnx

    print(onnx.export(source, out, expert))
    return 0


def blend(
    initial: Positional[Path], tuned: Positional[Path], out: Positional[Path], alpha: float
) -> int:
    """Interpolate between the weights before and after fine-tuning.

    Args:
        initial: Weights before fine-tuning: a run, a folder, .safetensors or .pth.
        tuned: Weights after fine-tuning.
        out: A file ending in .safetensors.
        alpha: Share of the fine-tuned weights, 0 to 1.
    """
    from repogen.models.convert import blend_weights

    print(blend_weights(initial, tuned, out, alpha))
    return 0
