"""Export of a network to ONNX, with the normalisation of its input included.

Input `crops`: uint8 (n, 256, 192, 3), RGB, any n, as `repogen.coco.crops` makes them. Output
`heatmaps`: float32 (n, 17, 64, 48), whose corner pixels coincide with the crop's (UDP): a peak at
column x and row y is the joint at (x * 191 / 47, y * 255 / 63) in crop pixels.

MoveNet: square `crops` (192 or 256), `joints` (n, 17, 3) with x, y in crop pixels from the corner
and the score, and the network's heads, which predict and evaluate decode after averaging.
"""

import json
import logging
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxscript  # noqa: F401  torch's exporter needs it: fail now, not halfway
import torch
from torch import Tensor, nn

from repogen.arrays import Float, UInt8
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.crops import CROP_SIZE
from repogen.config import checked
from repogen.errors import UserError
from repogen.messages import say
from repogen.models.heatmaps import STRIDE
from repogen.models.movenet import MoveNet, decode_pose, scale_pixels
from repogen.models.pixels import normalize
from repogen.models.weights import check_absent, load_model, workspace

OPSET = 18
"""ONNX operator set: the oldest that torch's exporter writes without a conversion."""

_MAX_SINGLE_FILE = 1_900_000_000
"""Bytes of weights that fit in one protobuf message; larger weights (vitpose-h) go to PATH.data."""

_TOLERANCE = 1e-3
"""Largest difference of the heatmaps from torch's, as a share of their largest value."""


def _check(path: Path) -> None:
    if path.suffix != ".onnx":
        raise UserError(f"cannot export to {path}: give a file ending in .onnx")
    for file in (path, path.with_name(path.name + ".data")):
        check_absent(file)


class _NormalizingModel(nn.Module):
    """A model with the normalisation of its input included."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, crops: UInt8[Tensor, "n 256 192 3"]) -> Float[Tensor, "n 17 64 48"]:
        return self.model(normalize(crops))


class _DecodingMoveNet(nn.Module):
    """MoveNet with the scaling of its input and the decoding of its joints included."""

    def __init__(self, model: MoveNet) -> None:
        super().__init__()
        self.model = model

    def forward(self, crops: UInt8[Tensor, "n h w 3"]) -> tuple[Tensor, ...]:
        heads = self.model(scale_pixels(crops))
        return decode_pose(heads), *heads.values()


@checked
def export(source: Path | str, out: Path | str, expert: str = "coco") -> Path:
    """Write the model of a run, a folder or a file as ONNX; returns `out`. See `export_onnx`.

    Of ViTPose+ only `expert` is written.

    >>> repogen.export("run", "pose.onnx")  # doctest: +SKIP
    PosixPath('pose.onnx')
    """
    source, out = Path(source), Path(out)
    _check(out)
    model, name = load_model(source, expert)
    if isinstance(model, MoveNet) and "box_scale" in model.variant.heads:
        raise UserError(f"{name} finds several people; only networks of one person are exported")
    difference = export_onnx(model, out, name)
    say(f"{name}; its outputs differ from torch's by {difference:.1e} of their largest value")
    return out


def export_onnx(model: nn.Module, path: Path, name: str) -> float:
    """Write a model (on the CPU) as an ONNX file, whole or not at all.

    Returns the largest difference of its outputs from torch's on random crops, run by
    onnxruntime, as a share of their largest value. The file's metadata hold the model's name, the
    keypoints and the stride. Weights too large for one file go to PATH.data. Raises `UserError`
    where a file exists or cannot be written, and where the difference is too large.
    """
    _check(path)
    with workspace(path) as folder:
        difference = _export(model, folder / path.name, name)
        if not difference <= _TOLERANCE:
            raise UserError(
                f"{path} is not written: its outputs would differ by {difference:.2g} from "
                f"torch {torch.__version__}'s; try other versions of torch and onnxruntime"
            )
        for file in sorted(folder.iterdir(), reverse=True):  # the .onnx last
            file.replace(path.with_name(file.name))
    return difference


def _export(model: nn.Module, path: Path, name: str) -> float:
    network, outputs, (width, height) = _with_ends(model)
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"), torch.inference_mode():
        program = torch.onnx.export(
            network, (torch.from_numpy(crops[:2]),), dynamo=True, verbose=False,
            input_names=["crops"], output_names=outputs, opset_version=OPSET,
            dynamic_shapes=({0: torch.export.Dim("n")},),
        )  # fmt: skip
        found = network(torch.from_numpy(crops))
    expected = dict(zip(outputs, [found] if isinstance(found, Tensor) else found, strict=True))
    _write_metadata(program, name, "heatmaps" in outputs)
    program.save(path, external_data=_byte_count(model) > _MAX_SINGLE_FILE)
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    # Of noise, two cells may be the best joint.
    names = [output for output in outputs if output != "joints"]
    return max(
        float(np.abs(got - expected[output].numpy()).max() / expected[output].abs().max())
        for output, got in zip(names, session.run(names, {"crops": crops}), strict=True)
    )


def _with_ends(model: nn.Module) -> tuple[nn.Module, list[str], tuple[int, int]]:
    """The network from bytes to its outputs, their names, and the width and height of its crops."""
    if isinstance(model, MoveNet):
        side = model.variant.size
        return _DecodingMoveNet(model).eval(), ["joints", *model.variant.heads], (side, side)
    return _NormalizingModel(model).eval(), ["heatmaps"], CROP_SIZE


def _write_metadata(program: torch.onnx.ONNXProgram, name: str, heatmaps: bool) -> None:
    """Write metadata for users in place of the exporter's, which names files of this machine."""
    model = program.model
    model.metadata_props.clear()
    model.metadata_props.update(model=name, keypoints=json.dumps(COCO_KEYPOINTS))
    if heatmaps:
        model.metadata_props.update(
            stride=json.dumps(STRIDE.tolist()),
            alignment="UDP: heatmap pixel (x, y) is crop pixel (x, y) * stride",
        )
    model.producer_name, model.producer_version = "repogen", version("repogen")
    for node in model.graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()


def _byte_count(model: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in model.state_dict().values())
