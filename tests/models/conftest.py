"""A ViTPose with different values in every tensor, also in the names of mmpose 0.x."""

import pytest


@pytest.fixture
def small(monkeypatch):
    """Makes vitpose-s narrow, with all its layers: the tests run faster."""
    from repogen.models.vitpose import SIZES

    monkeypatch.setitem(SIZES, "s", (48, 12, 12, 0.1))


@pytest.fixture
def vitpose(small):
    import torch

    from repogen.models import build_model

    torch.manual_seed(0)
    model = build_model("vitpose-s").eval()
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.05)  # variances are positive
    return model


@pytest.fixture
def mmpose_weights(vitpose):
    """The weights under mmpose's names, written out independently of the reader."""
    import torch

    out = {}
    for name, value in vitpose.state_dict().items():
        if "attention.attention." in name:
            layer, part, kind = name.split(".")[3], name.split(".")[6], name.split(".")[7]
            key = f"backbone.blocks.{layer}.attn.qkv.{kind}"
            pieces = out.setdefault(key, [None, None, None])
            pieces[["query", "key", "value"].index(part)] = value
            continue
        for ours, theirs in (
            ("backbone.embeddings.position_embeddings", "backbone.pos_embed"),
            ("backbone.embeddings.patch_embeddings.projection", "backbone.patch_embed.proj"),
            ("backbone.encoder.layer.", "backbone.blocks."),
            ("attention.output.dense", "attn.proj"),
            ("layernorm_before", "norm1"),
            ("layernorm_after", "norm2"),
            ("backbone.layernorm", "backbone.last_norm"),
            ("head.deconv1", "keypoint_head.deconv_layers.0"),
            ("head.batchnorm1", "keypoint_head.deconv_layers.1"),
            ("head.deconv2", "keypoint_head.deconv_layers.3"),
            ("head.batchnorm2", "keypoint_head.deconv_layers.4"),
            ("head.conv", "keypoint_head.final_layer"),
        ):
            name = name.replace(ours, theirs)
        out[name] = value
    return {k: torch.cat(v) if isinstance(v, list) else v for k, v in out.items()}
