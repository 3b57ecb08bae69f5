"""Scenes: everything an image is made from, as plain numbers."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repogen.scenes.config import SceneConfig
    from repogen.scenes.sample.scene import sample_scene
    from repogen.scenes.scene import Scene, scene_from_json, scene_to_json

_HOME = {
    "Scene": "scene",
    "SceneConfig": "config",
    "sample_scene": "sample.scene",
    "scene_from_json": "scene",
    "scene_to_json": "scene",
}

__all__ = ["Scene", "SceneConfig", "sample_scene", "scene_from_json", "scene_to_json"]


def __getattr__(name: str) -> object:
    # Imported when asked for: options need not wait for the body and its kernels.
    if name not in _HOME:
        raise AttributeError(f"module 'repogen.scenes' has no attribute {name!r}")
    return getattr(import_module(f"repogen.scenes.{_HOME[name]}"), name)
