"""Weights that come with repogen: Google's MoveNet (see data/NOTICE), also fine-tuned on generated
people."""

from pathlib import Path

from repogen.package_data import package_data_dir, read_package_data

PACKAGED = {
    "thunder": "movenet-thunder",
    "lightning": "movenet-lightning",
    "multipose": "movenet-multipose",
    "rare-thunder": "rare-thunder",
    "rare-lightning": "rare-lightning",
}
"""Names of the packaged networks, and of their files: multipose finds up to 30 people, the others
one."""


def packaged(name: str) -> str | None:
    """The name of the packaged network that weights are, unless a file or folder is named so."""
    return name if name in PACKAGED and not Path(name).exists() else None


def packaged_weights(name: str) -> Path:
    """The safetensors of a packaged network. Raises `UserError` where it is damaged."""
    return _checked(f"{PACKAGED[name]}.safetensors")


def packaged_onnx(name: str) -> Path:
    """The ONNX file of a packaged network, whose weights are its safetensors. Raises `UserError`
    where one of the two is damaged."""
    packaged_weights(name)
    return _checked(f"{PACKAGED[name]}.onnx")


def _checked(file: str) -> Path:
    read_package_data("models", file)
    return package_data_dir("models") / file
