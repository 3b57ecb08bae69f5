"""`repogen predict`: find poses in images and videos."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands, Flat
from repogen.inference.config import PredictConfig


def commands(_words: list[str]) -> Commands:
    return command


def command(
    inputs: Positional[tuple[Path, ...]],
    options: Flat[PredictConfig],
    weights: Path = Path("rare-thunder"),
    out: Path = Path("predicted"),
) -> int:
    """Find poses in images and videos; write COCO results, drawings and files for annotators.

    Args:
        inputs: Images, videos, and folders of them.
        weights: rare-thunder, rare-lightning, thunder, lightning, a run of repogen train, a folder,
            .safetensors, .pth, .onnx or a Hugging Face name.
        out: Folder to write results.json and drawn/ to.
    """
    from repogen.inference.predict import predict

    print(predict(inputs, out, options, weights=weights))
    return 0
