"""Converting weights between file formats, and blending two sets of weights."""

import json
from pathlib import Path

from transformers import VitPoseForPoseEstimation

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import UserError, plain_number
from repogen.models.catalog import build_model
from repogen.models.vitpose import ViTPose
from repogen.models.weights import (
    blend_tensors,
    check_absent,
    load_into,
    load_model,
    read_weights,
    save_weights,
    workspace,
)


def convert_weights(source: Path, out: Path, expert: str = "coco") -> Path:
    """Write the weights of `source` (see `read_weights`) in another format; returns `out`.

    Of ViTPose+ only `expert` is written. `out` is a file ending in .safetensors, or a new folder
    for transformers' `VitPoseForPoseEstimation.from_pretrained`. Raises `UserError` for weights
    that cannot be read or converted, and where `out` exists.
    """
    if out.suffix == ".safetensors":
        _convert_to_file(source, check_absent(out), expert)
        return out
    if out.suffix in (".pth", ".pt", ".bin", ".onnx"):
        remedy = "; use repogen weights export" if out.suffix == ".onnx" else " or a folder's name"
        raise UserError(f"cannot convert to {out}: give a file ending in .safetensors{remedy}")
    _convert_to_folder(source, check_absent(out), expert)
    return out


def _convert_to_file(source: Path, out: Path, expert: str) -> None:
    weights, name = read_weights(source, expert)
    load_into(build_model(name), weights, str(source), name)
    save_weights(out, weights, name)


def _convert_to_folder(source: Path, out: Path, expert: str) -> None:
    model, name = load_model(source, expert)
    if not isinstance(model, ViTPose):
        raise UserError(f"transformers has no {name}: give a file ending in .safetensors as OUT")
    model.config.id2label = dict(enumerate(COCO_KEYPOINTS))
    model.config.label2id = {name: k for k, name in enumerate(COCO_KEYPOINTS)}
    exported = VitPoseForPoseEstimation(model.config)  # its class name goes into config.json
    exported.load_state_dict(model.state_dict())
    with workspace(out) as folder:
        temporary = folder / out.name
        exported.save_pretrained(temporary)
        # The processor's defaults are right: ImageNet's mean and deviation, crops of 256 x 192.
        processor = {"image_processor_type": "VitPoseImageProcessor"}
        (temporary / "preprocessor_config.json").write_text(json.dumps(processor) + "\n")
        temporary.replace(out)


def blend_weights(initial: Path, tuned: Path, out: Path, alpha: float) -> Path:
    """Write (1 - alpha) * initial + alpha * tuned as safetensors; returns `out`.

    Raises `UserError` where the two are weights of different models, and where `out` exists.
    """
    if not 0 <= alpha <= 1:
        raise UserError(f"--alpha {plain_number(alpha)} must lie between 0 (initial) and 1 (tuned)")
    if out.suffix != ".safetensors":
        raise UserError(f"cannot blend into {out}: give a file ending in .safetensors")
    check_absent(out)
    (start, name), (end, other) = load_model(initial), load_model(tuned)
    if name != other:
        raise UserError(
            f"{initial} holds {name} but {tuned} holds {other}; blend weights of the same model"
        )
    save_weights(out, blend_tensors(start.state_dict(), end.state_dict(), alpha), name)
    return out
