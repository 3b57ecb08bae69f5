"""A network as an ONNX file that any runtime can run, its normalisation included.

Input `crops`: uint8 (n, 256, 192, 3), RGB, of any number, cut out as `datasets.crops.cut` does.
Output `heatmaps`: float32 (n, 17, 64, 48), whose corner pixels lie on the crop's (UDP): a peak
at column x and row y is the joint at x * 191 / 47, y * 255 / 63 of the crop.
"""

import json
import logging
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxscript  # noqa: F401  torch's exporter needs it: better missed now than in the middle
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.crops import CROP_SIZE
from repogen.errors import UserError
from repogen.models.heatmaps import STRIDE
from repogen.models.pixels import normalize
from repogen.models.weights import load_model, unused, workspace

OPSET = 18
"""Old enough for the runtimes in use, new enough for the exporter not to translate."""

_ONE_FILE = 1_900_000_000
"""Bytes of weights that fit in one protobuf message; larger ones (vitpose-h's) lie beside it."""

_NEAR = 1e-3
"""How far the file's heatmaps may be from torch's, as a share of their largest value."""


def _check(path: Path) -> None:
    if path.suffix != ".onnx":
        raise UserError(f"cannot export to {path}: give a file ending in .onnx")
    for file in (path, path.with_name(path.name + ".data")):
        unused(file)


class _OfCrops(nn.Module):
    """A model that normalises its input itself."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, crops: UInt8[Tensor, "n 256 192 3"]) -> Float[Tensor, "n 17 64 48"]:
        return self.model(normalize(crops))


def export(source: Path, out: Path) -> Path:
    """Write the model of a run, a folder or a file as ONNX (see `export_onnx`); returns `out`."""
    _check(out)
    model, name = load_model(source)
    difference = export_onnx(model, out, name)
    said = f"its heatmaps differ from torch's by {difference:.1e} of their largest value"
    print(f"repogen: {name}; {said}", file=sys.stderr, flush=True)
    return out


def export_onnx(model: nn.Module, path: Path, name: str) -> float:
    """Write a model (on the CPU) as ONNX, whole or not at all; returns the largest difference of
    its heatmaps from torch's, as a share of their largest value, by onnxruntime on made-up crops.

    The file's metadata say the model's name, the keypoints and the stride. Weights beyond what
    one file can hold go into PATH.data. Raises `UserError` where a file exists or cannot be
    written, and where the file does not do what the model does.
    """
    _check(path)
    with workspace(path) as folder:
        difference = _export(model, folder / path.name, name)
        if not difference <= _NEAR:
            raise UserError(
                f"{path} is not written: its heatmaps would differ by {difference:.2g} from "
                f"torch {torch.__version__}'s; try other versions of torch and onnxruntime"
            )
        for file in sorted(folder.iterdir(), reverse=True):  # the .onnx last
            file.replace(path.with_name(file.name))
    return difference


def _export(model: nn.Module, made: Path, name: str) -> float:
    network = _OfCrops(model).eval()
    rng = np.random.default_rng(0)
    width, height = CROP_SIZE
    crops = rng.integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"), torch.inference_mode():
        program = torch.onnx.export(
            network, (torch.from_numpy(crops[:2]),), dynamo=True, verbose=False,
            input_names=["crops"], output_names=["heatmaps"], opset_version=OPSET,
            dynamic_shapes=({0: torch.export.Dim("n")},),
        )  # fmt: skip
        wanted = network(torch.from_numpy(crops)).numpy()
    _describe(program, name)
    program.save(made, external_data=_bytes(model) > _ONE_FILE)
    onnx.checker.check_model(str(made), full_check=True)
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"crops": crops})
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def _describe(program: torch.onnx.ONNXProgram, name: str) -> None:
    """Metadata for the file's users, in place of the exporter's notes on this machine's files."""
    model = program.model
    model.metadata_props.clear()
    model.metadata_props.update(
        model=name,
        keypoints=json.dumps(COCO_KEYPOINTS),
        stride=json.dumps(STRIDE.tolist()),
        alignment="UDP: heatmap pixel (x, y) is crop pixel (x, y) * stride",
    )
    model.producer_name, model.producer_version = "repogen", version("repogen")
    for node in model.graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()


def _bytes(model: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in model.state_dict().values())
