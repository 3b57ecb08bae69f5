"""The smallest ONNX pose networks of foreign layouts that find something: each joint of a person is
a disc of its own colour, and a network's joint is the middle of the pixels of that colour."""

import cv2
import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

LEVELS = (0, 128, 255)
GREYS = [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
COLORS = np.array(
    [(r, g, b) for r in LEVELS for g in LEVELS for b in LEVELS if (r, g, b) not in GREYS],
    dtype=np.float32,
)[:17]
"""RGB, by joint."""

SHAPE = np.array([(x, y) for y in (0, 0.25, 0.5, 0.75, 1) for x in (0, 0.33, 0.66, 1)])[:17]
"""The joints as shares of the person's box."""

IMAGENET = np.array([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]], dtype=np.float32)
TYPES = {"float": TensorProto.FLOAT, "int32": TensorProto.INT32, "uint8": TensorProto.UINT8,
         "half": TensorProto.FLOAT16}  # fmt: skip


def draw_person(picture, box):
    """Draw a person into a BGR picture; returns the joints."""
    x, y, width, height = box
    joints = np.round(SHAPE * (width, height) + (x, y)).astype(int)
    for joint, color in zip(joints, COLORS, strict=True):
        cv2.circle(picture, joint.tolist(), 9, color[::-1].tolist(), -1)
    return joints


class Graph:
    """An ONNX graph that is written node by node."""

    def __init__(self, joints):
        self.nodes, self.constants = [], []
        self.joints = joints

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype=dtype), name))
        return name

    def __call__(self, kind, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [*inputs], [name], **attributes))
        return name


def write_network(
    path, layout, size, *, kind="float", last=False, joints=17, batch="n", bgr=False,
    scaling=((0,) * 3, (1,) * 3), metadata=None,
):  # fmt: skip
    """Write a network of a layout for inputs of a width and height, which undoes `scaling`."""
    width, height = size
    g = Graph(joints)
    x = g("Cast", "in", to=TensorProto.FLOAT)
    x = g("Transpose", x, perm=[0, 3, 1, 2]) if last else x
    mean, deviation = (np.reshape(values, (1, 3, 1, 1)) for values in scaling)
    x = g("Add", g("Mul", x, g.constant(deviation)), g.constant(mean))
    palette = np.vstack([COLORS, np.full((joints - 17, 3), -500)])
    palette = palette[:, ::-1] if bgr else palette
    # |x - c|² = x·x - 2 x·c + c·c
    square = g("ReduceSum", g("Mul", x, x), g.constant([1], np.int64), keepdims=1)
    cross = g("Conv", x, g.constant(2 * palette[:, :, None, None]))
    far = g("Sub", g("Add", square, g.constant((palette**2).sum(1)[None, :, None, None])), cross)
    maps = g("Exp", g("Mul", far, g.constant(-1 / (2 * 10**2))))
    shape = (batch, height, width, 3) if last else (batch, 3, height, width)
    ins = [helper.make_tensor_value_info("in", TYPES[kind], shape)]
    outs = []
    for name, value, dims in HEADS[layout](g, maps, width, height):
        g.nodes.append(helper.make_node("Identity", [value], [name]))
        outs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, *dims]))
    graph = helper.make_graph(g.nodes, "colours", ins, outs, g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    checker.check_model(model)
    save(model, path)
    return path


def _centres(g, maps, width, height):
    """x and y (n, k, 1) in pixels, and a score of 0 to 1."""
    axes = g.constant([2, 3], np.int64)
    total = g("ReduceSum", maps, axes, keepdims=0)
    middle = [
        g("Div", g("ReduceSum", g("Mul", maps, g.constant(steps)), axes, keepdims=0), total)
        for steps in (
            np.arange(width).reshape(1, 1, 1, -1), np.arange(height).reshape(1, 1, -1, 1)
        )
    ]  # fmt: skip
    score = g("ReduceMax", maps, axes, keepdims=0)
    return [g("Unsqueeze", v, g.constant([2], np.int64)) for v in (*middle, score)]


def _heatmaps(g, maps, width, height, corners=True):
    blurred = g("AveragePool", maps, kernel_shape=[9, 9], pads=[4] * 4, count_include_pad=1)
    head = g("Shape", blurred, start=0, end=2)
    size = g("Concat", head, g.constant([height // 4, width // 4], np.int64), axis=0)
    mode = "align_corners" if corners else "asymmetric"
    out = g("Resize", blurred, "", "", size, mode="linear", coordinate_transformation_mode=mode)
    return [("output", out, [g.joints, height // 4, width // 4])]


def _simcc(g, maps, width, height):
    """Two lines a joint, two cells a pixel, peaking in the middle of the disc."""
    outs = []
    for name, axis, side in (("simcc_x", 2, width), ("simcc_y", 3, height)):
        line = g("ReduceSum", maps, g.constant([axis], np.int64), keepdims=0)
        total = g("ReduceSum", line, g.constant([2], np.int64), keepdims=1)
        steps = g.constant(np.arange(side).reshape(1, 1, -1))
        middle = g("ReduceSum", g("Mul", line, steps), g.constant([2], np.int64), keepdims=1)
        cells = g.constant(np.arange(2 * side).reshape(1, 1, -1) / 2)
        off = g("Sub", cells, g("Div", middle, total))
        out = g("Exp", g("Neg", g("Mul", off, off)))
        outs.append((name, out, [g.joints, 2 * side]))
    return outs


def _person(g, maps, width, height):
    """Corners (n, 4), the score (n, 1) and joints (n, 17, 3) of the one person, in pixels."""
    joints = g("Concat", *_centres(g, maps, width, height), axis=2)
    points = g("Slice", joints, *(g.constant([v], np.int64) for v in (0, 2, 2)))
    one = g.constant([1], np.int64)
    low, high = (g(kind, points, one, keepdims=0) for kind in ("ReduceMin", "ReduceMax"))
    scores = g("Gather", joints, g.constant(2, np.int64), axis=2)
    score = g("ReduceMin", scores, one, keepdims=1)
    return low, high, score, joints


def _decoy(g, row, scale):
    """The person, and before it another who scores less, elsewhere."""
    return g("Concat", g("Mul", row, g.constant(scale)), row, axis=1)


def _ultralytics(g, maps, width, height):
    low, high, score, joints = _person(g, maps, width, height)
    middle = g("Div", g("Add", low, high), g.constant(2))
    flat = g("Reshape", joints, g.constant([0, 51], np.int64))
    row = g("Concat", middle, g("Sub", high, low), score, flat, axis=1)
    row = g("Unsqueeze", row, g.constant([1], np.int64))
    return [("output0", g("Transpose", _decoy(g, row, 0.4), perm=[0, 2, 1]), [56, 2])]


def _end_to_end(g, maps, width, height):
    low, high, score, joints = _person(g, maps, width, height)
    flat = g("Reshape", joints, g.constant([0, 51], np.int64))
    row = g("Concat", low, high, score, g("Mul", score, g.constant(0)), flat, axis=1)
    row = g("Unsqueeze", row, g.constant([1], np.int64))
    return [("output0", _decoy(g, row, 0.4), [2, 57])]


def _rtmo(g, maps, width, height):
    low, high, score, joints = _person(g, maps, width, height)
    row = g("Unsqueeze", g("Concat", low, high, score, axis=1), g.constant([1], np.int64))
    poses = g("Unsqueeze", joints, g.constant([1], np.int64))
    return [
        ("dets", _decoy(g, row, 0.4), [2, 5]),
        ("keypoints", _decoy(g, poses, 0.4), [2, 17, 3]),
    ]


def _shares(g, joints, width, height):
    """y, x, score of each joint as shares of the input."""
    swapped = g("Gather", joints, g.constant([1, 0, 2], np.int64), axis=2)
    return g("Div", swapped, g.constant([height, width, 1]))


def _movenet(g, maps, width, height):
    joints = _shares(g, _person(g, maps, width, height)[3], width, height)
    return [("output_0", g("Unsqueeze", joints, g.constant([1], np.int64)), [1, 17, 3])]


def _multipose(g, maps, width, height):
    low, high, score, joints = _person(g, maps, width, height)
    flat = g("Reshape", _shares(g, joints, width, height), g.constant([0, 51], np.int64))
    ends = [
        g("Gather", g("Div", v, g.constant([width, height])), g.constant([1, 0], np.int64), axis=1)
        for v in (low, high)
    ]
    row = g("Unsqueeze", g("Concat", flat, *ends, score, axis=1), g.constant([1], np.int64))
    none = g("Mul", row, g.constant(0))
    return [("output_0", g("Concat", none, row, none, none, none, none, axis=1), [6, 56])]


HEADS = {
    "heatmaps": _heatmaps,
    "strided heatmaps": lambda *values: _heatmaps(*values, corners=False),
    "simcc": _simcc,
    "ultralytics": _ultralytics,
    "end to end": _end_to_end,
    "rtmo": _rtmo,
    "movenet": _movenet,
    "multipose": _multipose,
}
"""By layout: the outputs (name, value, shape without the batch) from maps of the colours."""
