"""ViTPose (Xu et al., NeurIPS 2022) of transformers, with its initialisation and drop-path."""

import torch
from torch import Tensor, nn
from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation

from repogen.arrays import Float

SIZES = {
    "s": (384, 12, 12, 0.1),
    "b": (768, 12, 12, 0.3),
    "l": (1024, 24, 16, 0.5),
    "h": (1280, 32, 16, 0.55),
}
"""Width, layers, attention heads, and the highest drop-path rate in ViTPose's own training."""


class ViTPose(VitPoseForPoseEstimation):
    """transformers' model, with the same weights and names, that returns only heatmaps."""

    def forward(self, pixel_values: Float[Tensor, "n 3 256 192"]) -> Float[Tensor, "n 17 64 48"]:
        """The heatmaps of a batch of normalised crops."""
        return super().forward(pixel_values).heatmaps


def vitpose(size: str, simple: bool = False) -> ViTPose:
    """ViTPose s, b, l or h with random weights and the classic decoder of two deconvolutions, or
    the `simple` one: ReLU, up-sampling by 4 and a 3 x 3 convolution.

    The initial weights of the decoder are small and drop-path grows linearly with depth, as in
    ViTPose's own training; transformers has neither.
    """
    width, layers, heads, drop_path = SIZES[size]
    backbone = VitPoseBackboneConfig(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        out_indices=[layers],
        layer_norm_eps=1e-6,  # ViTPose's own; transformers' default is 1e-12
    )
    model = ViTPose(
        VitPoseConfig(backbone_config=backbone, use_simple_decoder=simple, num_labels=17)
    )
    for convolution in model.head.children():
        if isinstance(convolution, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(convolution.weight, std=0.001)
    for layer in model.backbone.encoder.layer:
        # Hooks instead of modules: the weights keep their names.
        layer.drop_branch = _DropPath(0.0)
        for branch in (layer.attention, layer.mlp):
            branch.register_forward_hook(layer.drop_branch)
    set_drop_path(model, drop_path)
    return model


def set_drop_path(model: ViTPose, highest: float) -> None:
    """Let drop-path grow linearly with depth, from 0 at the first layer to `highest`."""
    layers = model.backbone.encoder.layer
    for depth, layer in enumerate(layers):
        layer.drop_branch.share = highest * depth / max(len(layers) - 1, 1)


def highest_drop_path(model: nn.Module) -> float:
    """The drop-path rate of a model's last layer; 0 for a model without drop-path."""
    return model.backbone.encoder.layer[-1].drop_branch.share if isinstance(model, ViTPose) else 0.0


class _DropPath:
    """Drops a residual branch for a random share of the samples in training (stochastic depth)."""

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, branch: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        if not branch.training or self.share == 0:
            return output
        keep = 1 - self.share
        shape = (output.shape[0],) + (1,) * (output.ndim - 1)
        mask = torch.empty(shape, dtype=output.dtype, device=output.device).bernoulli_(keep)
        return output * mask / keep
