"""`repogen predict`: poses in pictures and videos."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands, Flat
from repogen.inference.options import PredictConfig


def commands(_words: list[str]) -> Commands:
    return command


def command(
    inputs: Positional[tuple[Path, ...]],
    weights: Path,
    options: Flat[PredictConfig],
    out: Path = Path("predicted"),
) -> int:
    """Find poses in pictures and videos: COCO results, drawings, files for annotators.

    Args:
        inputs: Images, folders of images and videos, videos.
        weights: A run, a folder, .safetensors, .pth or .onnx.
        out: Folder to write results.json and drawn/ to.
    """
    from repogen.inference.predict import predict

    print(predict(inputs, out, options, weights=weights))
    return 0
