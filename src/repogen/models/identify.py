"""What the weights of a network that repogen does not read are, in words."""

import re
from collections.abc import Mapping

from torch import Tensor

_KINDS = (
    (r"(^|\.)stage[234]\.\d+\.(branches|fuse_layers)\.", "HRNet weights"),
    (r"(^|\.)(cls_x|cls_y|gau)\.", "RTMPose weights"),
    (
        r"class_embed|bbox_embed|query_embed|query_position_embeddings"
        r"|class_labels_classifier|bbox_predictor",
        "a DETR-like detector",
    ),
    (r"(^|\.)(rpn|rpn_head|roi_heads?|bbox_head)\.", "a detector of boxes"),
    (r"^\d+\.(conv|cv\d|m|dfl|attn|ffn)\.", "a YOLO network"),
    (r"(^|\.)smpl\w*\.|dec(pose|shape|cam)\.", "a regressor of body meshes"),
    (r"^model\d(_\d)?\.|_stage\d(_L\d)?\.", "OpenPose weights"),
    (r"relative_position_bias_table|relative_coords_table", "a Swin transformer"),
    (r"\.ls1\.|layer_scale|register_tokens|mask_embed", "a DINOv2-like backbone"),
    (r"(^|\.)(vision_model|text_model|visual|text_projection)\b", "a CLIP-like network"),
    (r"(^|\.)(deconv_layers|final_layer)\.", "a heatmap network with another backbone"),
)
"""Patterns of tensor names and what they mean, the first that fits; classifiers come after."""

_CLASSIFIER = r"(^|\.)(fc|classifier|head|head\.fc|classifier\.\d+|last_linear)\.weight$"

_MAKERS = (
    (r"^keypoint_head\.", "mmpose 0.x "),
    (r"^backbone\.|^data_preprocessor\.", "mmpose 1.x "),
)
"""Who names tensors so, for networks with a `backbone.`."""


def what_it_is(weights: Mapping[str, Tensor]) -> str:
    """A name for the network that holds these tensors, with its source where the names tell it:
    "mmpose 1.x HRNet weights", "a classifier of 1000 classes"."""
    if not weights:
        return "no tensors"
    kind = next((text for p, text in _KINDS if any(re.search(p, k) for k in weights)), None)
    mm = any(k.startswith("backbone.") for k in weights) and any(
        re.match(r"(keypoint_)?head\.(final_layer|deconv_layers|final_conv|cls_|gau|mlp)", k)
        for k in weights
    )
    if kind and mm:
        maker = next(text for p, text in _MAKERS if any(re.search(p, k) for k in weights))
        return f"{maker}{kind.removeprefix('a ')}"
    if kind:
        return kind
    for name, value in weights.items():
        if re.search(_CLASSIFIER, name) and value.ndim == 2:
            return f"a classifier of {len(value)} classes"
    if any("attention.attention.query" in k or ".attn.qkv." in k for k in weights):
        return "a vision transformer of another size"
    if any(re.search(r"(^|\.)layer1\.0\.conv1", k) for k in weights):
        return "a ResNet backbone"
    first, more = min(weights), len(weights) - 1
    return f"an unknown network (it has {first}{f' and {more} more' * bool(more)})"
