"""Estimators from ONNX files, run by onnxruntime."""

from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float, UInt8

from repogen.coco.crops import CROP_SIZE, HEATMAP_SIZE
from repogen.errors import UserError
from repogen.inference.estimate import Estimator

_CROPS = ["tensor(uint8)", *CROP_SIZE[::-1], 3]
_HEATMAPS = ["tensor(float)", 17, *HEATMAP_SIZE[::-1]]


def onnx_estimator(path: Path) -> Estimator:
    """The estimator of a file that `repogen weights export` wrote, on the GPU where onnxruntime
    supports one. Raises `UserError` for any other file."""
    if not path.is_file():
        raise UserError(f"no ONNX file at {path}; repogen weights export makes one")
    offered = onnxruntime.get_available_providers()
    providers = [p for p in ("CUDAExecutionProvider", "CPUExecutionProvider") if p in offered]
    try:
        session = onnxruntime.InferenceSession(path, providers=providers)
    except Exception as error:  # onnxruntime's errors have no common class
        reason = str(error).splitlines()[0]
        if "xternal data" in reason:
            raise UserError(f"{path} lacks its weights: put {path.name}.data beside it") from error
        raise UserError(f"onnxruntime cannot run {path} ({reason[:160]})") from error
    for ends, kind, wanted in (
        (session.get_inputs(), "input", _CROPS),
        (session.get_outputs(), "output", _HEATMAPS),
    ):
        found = [[end.type, *end.shape[1:]] for end in ends]
        if found != [wanted] or isinstance(ends[0].shape[0], int):
            actual = ", ".join(f"{end.name} {end.type} {end.shape}" for end in ends) or "missing"
            raise UserError(
                f"{path} is not a repogen pose estimator: its {kind} is {actual}, not {wanted[0]} "
                f"['n', {', '.join(map(str, wanted[1:]))}]; make it with repogen weights export"
            )
    name = session.get_inputs()[0].name

    def estimate(crops: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n 17 64 48"]:
        return session.run(None, {name: crops})[0]

    return estimate
