"""Estimators and detectors from ONNX files, run by onnxruntime."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from repogen.arrays import Float, UInt8
from repogen.coco.crops import CROP_SIZE
from repogen.errors import UserError, check_not_empty, first_line
from repogen.files import cannot_read, path_for_library
from repogen.inference.boxes import PersonDetector, ScoredBoxes
from repogen.inference.estimate import Estimator
from repogen.inference.frames import Frame
from repogen.inference.movenet import HEADS, Network, check_one_person, movenet_estimator
from repogen.inference.onnx_layouts import LAYOUTS, Layout, Outputs, Placement
from repogen.limits import MAX_WEIGHTS
from repogen.models.movenet_decoding import Heads
from repogen.models.packaged import packaged_onnx

_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
_INTEGERS = {"tensor(uint8)": np.uint8, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
_TYPES: dict[str, Any] = _FLOATS | _INTEGERS

_NMS_OVERLAP = 0.7
"""Largest overlap of two people's boxes, as in Ultralytics' defaults."""


@dataclass(frozen=True)
class _Network:
    """An ONNX file of a known layout."""

    layout: Layout
    size: tuple[int, int]
    """Width and height of the input."""
    udp: bool
    run: Callable[[list[UInt8[np.ndarray, "h w 3"]], Placement], Outputs]
    """The outputs for RGB pictures of one size."""


def onnx_estimator(
    path: Path, timeout: float, threads: int = 0, device: str | None = None
) -> Estimator:
    """The estimator of an ONNX file of one of the `LAYOUTS`, on the GPU where onnxruntime supports
    one and `device` is not cpu. MoveNet as repogen exports it has crops of its own. `threads` is as
    for `load_estimator`. Raises `UserError` for any other file; the estimator does where it cannot
    be run, or takes longer than `timeout` seconds for a picture."""
    session = _session(path, threads, device)
    check_one_person({end.name for end in session.get_outputs()})
    if {*HEADS} <= {end.name for end in session.get_outputs()}:
        run = _head_runner(path, session, timeout)
        return movenet_estimator(run, session.get_inputs()[0].shape[1])
    network = _read_layout(path, session, timeout)
    placement = Placement.of(CROP_SIZE, network.size)

    def estimate(crops: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n 17 64 48"]:
        return network.layout.read(network.run([*crops], placement), placement, network.udp)

    return estimate


def onnx_detector(path: Path, min_score: float, timeout: float) -> PersonDetector:
    """A detector of persons that score at least `min_score` from a one-stage pose network (of
    Ultralytics, RTMO, MoveNet multipose). Raises `UserError` for any other file."""
    network = _read_layout(path, _session(path), timeout)
    find = network.layout.people
    if find is None:
        raise UserError(
            f"--detector {path} estimates the pose in a box and finds no people; give it as "
            "--weights"
        )

    def detect(frame: Frame) -> ScoredBoxes:
        height, width = frame.image.shape[:2]
        placement = Placement.of((width, height), network.size)
        people = find(network.run([frame.image[..., ::-1]], placement), placement, 0)
        ends = placement.to_picture(people.corners.reshape(-1, 2, 2))
        boxes = np.hstack([ends[:, 0], ends[:, 1] - ends[:, 0]])
        kept = cv2.dnn.NMSBoxes(
            boxes.tolist(), people.scores.tolist(), max(min_score, 1e-6), _NMS_OVERLAP
        )
        return np.column_stack([boxes, people.scores])[np.array(kept, dtype=int)]

    return detect


def multipose_network(timeout: float) -> Network:
    """The packaged network that finds people: from RGB pictures to MoveNet's heads."""
    path = packaged_onnx("multipose")
    return _head_runner(path, _session(path), timeout)


def _head_runner(path: Path, session: onnxruntime.InferenceSession, timeout: float) -> Network:
    """A function from RGB pictures to the network's outputs by name."""
    names = [end.name for end in session.get_outputs()]

    def run(pictures: UInt8[np.ndarray, "n h w 3"]) -> Heads:
        pixels = {"crops": np.ascontiguousarray(pictures)}
        found = _run_session(session, names, pixels, timeout, path)
        return dict(zip(names, found, strict=True))

    return run


def _read_layout(path: Path, session: onnxruntime.InferenceSession, timeout: float) -> _Network:
    metadata = session.get_modelmeta().custom_metadata_map
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shapes = {end.name: end.shape for end in outputs if end.type in _FLOATS}
    shape = inputs[0].shape if len(inputs) == 1 and inputs[0].type in _TYPES else []
    last = len(shape) == 4 and shape[3] == 3
    layout = None
    if last or (len(shape) == 4 and shape[1] == 3):
        known = (layout for layout in LAYOUTS if layout.matches(shapes, last))
        layout = next(known, None) if len(shapes) == len(outputs) else None
    if layout is None:
        task = metadata.get("task", "pose")
        ends = "; ".join(
            f"its {kind} is "
            + (", ".join(f"{end.name} {end.type} {end.shape}" for end in found) or "missing")
            for kind, found in (("input", inputs), ("output", outputs))
        )
        raise UserError(
            f"{path} is no pose network that repogen knows"
            + (f": it is for {task}, " if task != "pose" else ": ")
            + f"{ends}; known are {', '.join(one.name for one in LAYOUTS)}; repogen weights export "
            "makes one"
        )
    rows, columns = shape[1:3] if last else shape[2:4]
    size = (
        (columns, rows)
        if isinstance(rows, int) and isinstance(columns, int)
        else _numbers(path, metadata, "imgsz", layout.size[::-1], 2, int)[::-1]
    )
    mean, std = (
        np.array(_numbers(path, metadata, key, default, 3, float), dtype=np.float32)
        for key, default in zip(("mean", "std"), layout.scaling, strict=True)
    )
    dtype = _TYPES[inputs[0].type]
    batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None

    def run(pictures: list[UInt8[np.ndarray, "h w 3"]], placement: Placement) -> Outputs:
        pixels = np.stack([_place(picture, placement, layout.padding) for picture in pictures])
        if inputs[0].type in _FLOATS:
            pixels = (pixels - mean) / std
        pixels = (pixels[..., ::-1] if layout.bgr else pixels).astype(dtype)
        pixels = np.ascontiguousarray(pixels if last else pixels.transpose(0, 3, 1, 2))
        count = len(pixels)
        step = batch or count
        missing = -count % step
        pixels = np.concatenate([pixels, pixels[:1].repeat(missing, axis=0)])
        parts = [
            _run_session(
                session, [*shapes], {inputs[0].name: pixels[start : start + step]}, timeout, path
            )
            for start in range(0, len(pixels), step)
        ]
        return {
            name: np.concatenate(values)[:count]
            for name, values in zip(shapes, zip(*parts, strict=True), strict=True)
        }

    udp = metadata.get("alignment", "UDP").startswith("UDP")
    return _Network(layout, (int(size[0]), int(size[1])), udp, run)


def _session(
    path: Path, threads: int = 0, device: str | None = None
) -> onnxruntime.InferenceSession:
    if not path.exists():
        raise UserError(f"no ONNX file at {path}; repogen weights export makes one")
    check_not_empty(path)
    offered = onnxruntime.get_available_providers()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")[device == "cpu" :]
    providers = [name for name in wanted if name in offered]
    try:
        with path_for_library(path, MAX_WEIGHTS) as own:
            return onnxruntime.InferenceSession(own, options, providers=providers)
    except OSError as error:
        raise cannot_read(path, error) from error
    except Exception as error:  # onnxruntime's errors have no common class
        reason = str(error).splitlines()[0]
        if away := re.search(r"External data path does not exist: \"?([^\"]+)", reason):
            name = Path(away[1].strip()).name
            raise UserError(f"{path} lacks its weights: put {name} beside it") from error
        raise UserError(f"onnxruntime cannot run {path} ({reason[:160]})") from error


def _run_session(
    session: onnxruntime.InferenceSession,
    outputs: list[str],
    pixels: dict[str, np.ndarray],
    timeout: float,
    path: Path,
) -> list[np.ndarray]:
    """The outputs for a batch. Raises `UserError` where the network fails, or takes longer than
    `timeout` seconds for a picture: loops in a file may have no end."""
    options = onnxruntime.RunOptions()
    options.log_severity_level = 4  # errors are raised, too
    (batch,) = pixels.values()
    timer = threading.Timer(timeout * len(batch), setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        return session.run(outputs, pixels, options)
    except Exception as error:  # onnxruntime's errors have no common class
        if options.terminate:
            why = f"takes longer than --timeout {timeout:g} s for a picture"
        else:
            why = f"fails ({first_line(error)[:160]})"
        raise UserError(f"{path} {why}") from error
    finally:
        timer.cancel()


def _place(
    picture: UInt8[np.ndarray, "h w 3"], placement: Placement, padding: int
) -> UInt8[np.ndarray, "h w 3"]:
    """A picture in the network's input."""
    if picture.shape[1::-1] == placement.size:
        return picture
    matrix = np.array([[placement.scale, 0.0, placement.shift[0]],
                       [0.0, placement.scale, placement.shift[1]]])  # fmt: skip
    if placement.scale < 0.5:  # bilinear interpolation alone would skip pixels
        side = placement.scale * 2
        small = cv2.resize(picture, None, fx=side, fy=side, interpolation=cv2.INTER_AREA)
        fx, fy = (a / b for a, b in zip(small.shape[1::-1], picture.shape[1::-1], strict=True))
        matrix[:, 2] += [placement.scale * (0.5 / fx - 0.5), placement.scale * (0.5 / fy - 0.5)]
        matrix[0, 0], matrix[1, 1] = placement.scale / fx, placement.scale / fy
        picture = small
    return cv2.warpAffine(
        np.ascontiguousarray(picture), matrix, placement.size, flags=cv2.INTER_LINEAR,
        borderValue=(padding,) * 3,
    )  # fmt: skip


def _numbers(
    path: Path,
    metadata: dict[str, str],
    key: str,
    default: tuple[float, ...],
    count: int,
    kind: type,
) -> tuple[float, ...]:
    """A list of numbers in the file's metadata, or the default where it has none."""
    if key not in metadata:
        return default
    try:
        values = tuple(kind(value) for value in json.loads(metadata[key]))
    except (TypeError, ValueError):
        values = ()
    if len(values) != count or not all(np.isfinite(values)):
        raise UserError(f"{path}: its metadata {key} is {metadata[key]!r}, not {count} numbers")
    return values
