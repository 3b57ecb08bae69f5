"""Print which layouts of weights load, run, train and export: `python tools/loading_matrix.py`.

Each layout is a file of a small random network under the names that the real files have. Forward
compares the heatmaps with transformers' own model; train is one step of AdamW; export compares
onnxruntime with torch. Words in the command choose layouts whose names hold them all.
"""

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation

from repogen.errors import UserError
from repogen.models import build_model
from repogen.models.onnx import export_onnx
from repogen.models.vitpose import SIZES
from repogen.models.weights import load_into, load_model, read_weights, save_weights

WIDTH, LAYERS, HEADS, PART = 48, 2, 12, 12
"""Sizes of the networks; PART is the width of an expert in ViTPose+."""

Names = dict[str, Tensor]

_MMPOSE_0 = {
    "backbone.embeddings.position_embeddings": "backbone.pos_embed",
    "backbone.embeddings.patch_embeddings.projection": "backbone.patch_embed.proj",
    "backbone.encoder.layer": "backbone.blocks",
    "attention.output.dense": "attn.proj",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "backbone.layernorm": "backbone.last_norm",
    "head.deconv1": "keypoint_head.deconv_layers.0",
    "head.batchnorm1": "keypoint_head.deconv_layers.1",
    "head.deconv2": "keypoint_head.deconv_layers.3",
    "head.batchnorm2": "keypoint_head.deconv_layers.4",
    "head.conv": "keypoint_head.final_layer",
}
_MMPOSE_1 = _MMPOSE_0 | {
    "backbone.embeddings.patch_embeddings.projection": "backbone.patch_embed.projection",
    "backbone.encoder.layer": "backbone.layers",
    "layernorm_before": "ln1",
    "layernorm_after": "ln2",
    "mlp.fc1": "ffn.layers.0.0",
    "mlp.fc2": "ffn.layers.1",
    "backbone.layernorm": "backbone.ln1",
    **{k: v.removeprefix("keypoint_") for k, v in _MMPOSE_0.items() if k.startswith("head.")},
}


@dataclass(frozen=True)
class Case:
    """Weights in a layout, and the network that they came from."""

    path: Path
    source: Callable[[Tensor], Tensor] | None = None
    expert: str = "coco"


@contextmanager
def small_networks() -> Iterator[None]:
    """Makes vitpose-s narrow and shallow."""
    before = SIZES["s"]
    SIZES["s"] = (WIDTH, LAYERS, HEADS, 0.1)
    try:
        yield
    finally:
        SIZES["s"] = before


def network(simple: bool = False, joints: int = 17, experts: int = 1) -> VitPoseForPoseEstimation:
    """transformers' model with different values in every tensor."""
    backbone = VitPoseBackboneConfig(
        hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        out_indices=[LAYERS], layer_norm_eps=1e-6, num_experts=experts, part_features=PART,
    )  # fmt: skip
    config = VitPoseConfig(backbone_config=backbone, use_simple_decoder=simple, num_labels=joints)
    torch.manual_seed(joints + experts)
    model = VitPoseForPoseEstimation(config).eval()
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.05)  # variances are positive
    return model


def runner(model: VitPoseForPoseEstimation, expert: int = 0) -> Callable[[Tensor], Tensor]:
    """The first 17 heatmaps of a model of transformers."""
    index = torch.tensor([expert]) if model.config.backbone_config.num_experts > 1 else None
    return lambda crops: model(crops, dataset_index=index).heatmaps[:, :17]


def renamed(weights: Names, names: dict[str, str]) -> Names:
    """The weights under mmpose's names."""
    out: Names = {}
    pieces: dict[str, dict[str, Tensor]] = {}
    for name, value in weights.items():
        if part := re.match(r"(.*)\.attention\.attention\.(query|key|value)\.(\w+)$", name):
            pieces.setdefault(f"{part[1]}.attn.qkv.{part[3]}", {})[part[2]] = value
        else:
            out[name] = value
    for name, part in pieces.items():
        out[name] = torch.cat([part["query"], part["key"], part["value"]])
    for ours, theirs in names.items():
        out = {k.replace(ours, theirs): v for k, v in out.items()}
    return out


def other_head(weights: Names, number: int, joints: int) -> Names:
    """The head of another dataset in mmpose 0.x: random values under the real names."""
    out = {}
    for name, value in weights.items():
        if name.startswith("keypoint_head."):
            key = name.replace("keypoint_head.", f"associate_keypoint_heads.{number}.")
            shape = (joints, *value.shape[1:]) if "final_layer" in name else value.shape
            out[key] = torch.rand(shape)
    return out


def _mmpose(path: Path, names: dict[str, str], simple: bool = False, joints: int = 17) -> Case:
    model = network(simple, joints)
    weights = renamed(model.state_dict(), names)
    torch.save({"meta": {"epoch": 210}, "state_dict": weights}, path / "a.pth")
    return Case(path / "a.pth", runner(model))


def _without_class_token(path: Path, simple: bool) -> Case:
    """mmpose 1.x has no class token: its position embedding has a row less."""
    model = network(simple)
    with torch.no_grad():
        model.backbone.embeddings.position_embeddings[:, 0] = 0
    weights = renamed(model.state_dict(), _MMPOSE_1)
    weights["backbone.pos_embed"] = weights["backbone.pos_embed"][:, 1:].clone()
    torch.save({"state_dict": weights, "message_hub": {}}, path / "a.pth")
    return Case(path / "a.pth", runner(model))


def _transformers(path: Path, simple: bool = False, experts: int = 1) -> Case:
    model = network(simple, experts=experts)
    model.save_pretrained(path / "hf")
    return Case(path / "hf", runner(model))


def _hub(path: Path) -> Case:
    """A model in the hub's cache, as snapshot_download leaves it."""
    import huggingface_hub.constants as hub

    cached = path / "models--someone--vitpose-simple"
    case = _transformers(path, simple=True)
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0123")
    (cached / "snapshots").mkdir()
    case.path.rename(cached / "snapshots" / "0123")
    hub.HF_HUB_CACHE, hub.HF_HUB_OFFLINE = str(path), True
    return replace(case, path=Path("someone/vitpose-simple"))


def _coco_aic(path: Path) -> Case:
    case = _mmpose(path, _MMPOSE_0)
    weights = torch.load(case.path)["state_dict"]
    torch.save({"state_dict": weights | other_head(weights, 0, 14)}, case.path)
    return case


def _plus(path: Path, expert: str) -> Case:
    model = network(experts=6)
    weights = renamed(model.state_dict(), _MMPOSE_0)
    for number, joints in enumerate((14, 16, 17, 17, 133)):
        weights |= other_head(weights, number, joints)
    index = 0
    if expert == "wholebody":
        index = 5
        own = {k.replace("associate_keypoint_heads.4", "keypoint_head"): v
               for k, v in weights.items() if "associate_keypoint_heads.4." in k}  # fmt: skip
        torch.save({"state_dict": weights}, path / "a.pth")
        whole = network(joints=133, experts=6)
        heads = {v: k for k, v in _MMPOSE_0.items() if k.startswith("head.")}
        whole.load_state_dict(
            {k: v for k, v in model.state_dict().items() if not k.startswith("head.")}
            | renamed(own, heads)
        )
        model = whole
    torch.save({"state_dict": weights}, path / "a.pth")
    return Case(path / "a.pth", runner(model, index), expert)


def _ema(path: Path) -> Case:
    """mmcv's EMAHook in a file of distributed training."""
    case = _mmpose(path, _MMPOSE_0)
    weights = torch.load(case.path)["state_dict"]
    last = {f"ema_{k.replace('.', '_')}": torch.rand_like(v.float()) for k, v in weights.items()}
    torch.save({"state_dict": {f"module.{k}": v for k, v in (weights | last).items()}}, case.path)
    return case


def _wrapped(path: Path) -> Case:
    """Lightning over torch.compile over transformers, beside the state of its optimizer."""
    model = network()
    weights = {f"model._orig_mod.{k}": v for k, v in model.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": weights, "optimizer_states": []}, path / "a.ckpt")
    return Case(path / "a.ckpt", runner(model))


def _own(path: Path, name: str) -> Case:
    torch.manual_seed(0)
    model = build_model(name).eval()
    save_weights(path / "run" / "best.safetensors", model.state_dict(), name)
    return Case(path / "run", model)


def _mae(path: Path) -> Case:
    weights = renamed(network().state_dict(), _MMPOSE_0)
    backbone = {
        k.removeprefix("backbone."): v
        for k, v in weights.items()
        if k.startswith("backbone.") and "last_norm" not in k
    }
    backbone["pos_embed"] = torch.rand(1, 197, WIDTH)
    backbone |= {"cls_token": torch.zeros(1, 1, WIDTH), "norm.weight": torch.ones(WIDTH)}
    torch.save({"model": backbone}, path / "mae.pth")
    return Case(path / "mae.pth")


def _foreign(*shapes: tuple[str, tuple[int, ...]]) -> Callable[[Path], Case]:
    def write(path: Path) -> Case:
        save_file({name: torch.zeros(shape) for name, shape in shapes}, path / "a.safetensors")
        return Case(path / "a.safetensors")

    return write


def _larger(path: Path) -> Case:
    weights = renamed(network().state_dict(), _MMPOSE_0)
    weights["backbone.pos_embed"] = torch.zeros(1, 433, WIDTH)
    torch.save(weights, path / "a.pth")
    return Case(path / "a.pth")


LAYOUTS: dict[str, Callable[[Path], Case]] = {
    "transformers, classic decoder": _transformers,
    "transformers, simple decoder": lambda path: _transformers(path, simple=True),
    "transformers, ViTPose+": lambda path: _transformers(path, experts=6),
    "Hugging Face name": _hub,
    "mmpose 0.x, classic decoder": lambda path: _mmpose(path, _MMPOSE_0),
    "mmpose 0.x, simple decoder": lambda path: _mmpose(path, _MMPOSE_0, simple=True),
    "mmpose 0.x, COCO + AIC": _coco_aic,
    "mmpose 0.x, ViTPose+, coco": lambda path: _plus(path, "coco"),
    "mmpose 0.x, ViTPose+, wholebody": lambda path: _plus(path, "wholebody"),
    "mmpose 0.x, ViTPose+, aic": lambda path: replace(_plus(path, "aic"), source=None),
    "mmpose 0.x, 133 joints": lambda path: _mmpose(path, _MMPOSE_0, joints=133),
    "mmpose 0.x, ema_ and module.": _ema,
    "mmpose 1.x, classic decoder": lambda path: _without_class_token(path, False),
    "mmpose 1.x, simple decoder": lambda path: _without_class_token(path, True),
    "Lightning and torch.compile": _wrapped,
    "MAE backbone": _mae,
    "run of vitpose-s": lambda path: _own(path, "vitpose-s"),
    "run of vitpose-s-simple": lambda path: _own(path, "vitpose-s-simple"),
    "run of tiny": lambda path: _own(path, "tiny"),
}
"""By name: a function that writes weights of the layout into a folder."""

REFUSED: dict[str, tuple[Callable[[Path], Case], str]] = {
    "HRNet, mmpose 1.x": (
        _foreign(
            ("backbone.conv1.weight", (4, 3, 3, 3)),
            ("backbone.stage2.0.branches.0.0.conv1.weight", (4, 4, 3, 3)),
            ("head.final_layer.weight", (17, 4, 1, 1)),
        ),
        "mmpose 1.x HRNet weights",
    ),
    "HRNet, mmpose 0.x": (
        _foreign(
            ("backbone.stage2.0.branches.0.0.conv1.weight", (4, 4, 3, 3)),
            ("keypoint_head.final_layer.weight", (17, 4, 1, 1)),
        ),
        "mmpose 0.x HRNet weights",
    ),
    "RTMPose": (
        _foreign(("backbone.stem.0.conv.weight", (4, 3, 3, 3)), ("head.cls_x.weight", (384, 256))),
        "mmpose 1.x RTMPose weights",
    ),
    "RT-DETR": (
        _foreign(
            ("model.encoder.aifi.0.layers.0.fc1.weight", (4, 4)),
            ("model.decoder.class_embed.0.weight", (80, 4)),
            ("model.decoder.bbox_embed.0.layers.0.weight", (4, 4)),
        ),
        "a DETR-like detector",
    ),
    "ResNet classifier": (
        _foreign(("layer1.0.conv1.weight", (4, 4, 1, 1)), ("fc.weight", (1000, 8))),
        "a classifier of 1000 classes",
    ),
    "YOLO": (
        _foreign(
            ("model.0.conv.weight", (4, 3, 3, 3)), ("model.22.dfl.conv.weight", (1, 16, 1, 1))
        ),
        "a YOLO network",
    ),
    "head of 14 joints": (
        lambda path: _mmpose(path, _MMPOSE_0, joints=14),
        "its head is for 14 joints",
    ),
    "crops of 384 x 288": (_larger, "a ViTPose for crops of 384 x 288"),
}
"""By name: weights of other networks, and what the refusal calls them."""


def try_layout(case: Case, export: bool = True) -> dict[str, str]:
    """The results of loading, running, training and exporting weights. Raises where one fails."""
    weights, name = read_weights(case.path, case.expert)
    model = build_model(name)
    random = load_into(model, weights, str(case.path), name)
    result = {"load": f"{name}, backbone only" if random else name}
    crops = torch.randn(2, 3, 256, 192, generator=torch.Generator().manual_seed(0))
    model.eval()
    with torch.no_grad():
        heatmaps = model(crops)
    assert heatmaps.shape == (2, 17, 64, 48)
    result["forward"] = "runs"
    if case.source is not None:
        with torch.no_grad():
            wanted = case.source(crops)
        difference = float((heatmaps - wanted).abs().max() / wanted.abs().max())
        assert difference < 1e-4, f"heatmaps differ by {difference:.1e}"
        result["forward"] = f"differs by {difference:.0e}"
    result["train"] = _train_step(model.train(), crops)
    if random:
        return result | {"export": "after training"}
    if export:
        model, name = load_model(case.path, case.expert)
        with tempfile.TemporaryDirectory() as folder:
            difference = export_onnx(model, Path(folder) / "a.onnx", name)
        result["export"] = f"differs by {difference:.0e}"
    return result


def _train_step(model: nn.Module, crops: Tensor) -> str:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    losses = []
    for _ in range(2):
        torch.manual_seed(0)  # the same layers are dropped
        loss = ((model(crops) - 1) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0], f"the loss went from {losses[0]} to {losses[1]}"
    return "loss falls"


def main(words: list[str]) -> int:
    """Print the table; 1 where a layout fails."""
    failed = 0
    columns = ("load", "forward", "train", "export")
    print(f"| layout | {' | '.join(columns)} |\n|{'---|' * 5}")
    with small_networks(), tempfile.TemporaryDirectory() as folder:
        for number, (name, write) in enumerate(LAYOUTS.items()):
            if not all(word in name for word in words):
                continue
            path = Path(folder) / str(number)
            path.mkdir()
            try:
                result = try_layout(write(path))
                print(f"| {name} | {' | '.join(result[c] for c in columns)} |", flush=True)
            except (AssertionError, UserError, RuntimeError) as error:
                failed += 1
                print(f"| {name} | fails: {json.dumps(str(error)[:200])} |", flush=True)
        for name, (write, says) in REFUSED.items():
            if not all(word in name for word in words):
                continue
            path = Path(folder) / name.replace(" ", "-")
            path.mkdir()
            try:
                read_weights(write(path).path)
                failed += 1
                print(f"| {name} | is loaded, and should be refused |")
            except UserError as error:
                failed += says not in str(error)
                print(f"| {name} | refused: {str(error).split(' ', 1)[1]} |")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
