"""The choices of `repogen convert`."""

from typing import Literal

FormatName = Literal[
    "coco", "yolo-pose", "webdataset", "fiftyone", "huggingface", "crowdpose", "mpii", "lsp",
    "coco-wholebody", "human36m", "point-clouds", "cameras",
    "camchains", "bop-cameras", "gltf",
]  # fmt: skip
"""Formats to write: the names in `table.FORMATS`."""

Images = Literal["link", "copy", "none"]
"""What becomes of the pictures: symbolic links to them, copies, or nothing."""
