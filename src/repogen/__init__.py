"""Synthetic people in rare poses and from rare camera views, with exact COCO-keypoint labels.

Everything public is here; the command line has one verb for each function that makes files.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repogen.bodies import load_body
    from repogen.errors import UserError
    from repogen.generation.config import PRESETS, GenerateConfig
    from repogen.generation.loop import generate
    from repogen.generation.rerender import rerender, validate
    from repogen.labels import label
    from repogen.rendering import render
    from repogen.scenes import Scene, SceneConfig, sample_scene, scene_from_json, scene_to_json
    from repogen.viewing import info, preview

_HOME = {
    "GenerateConfig": "generation.config",
    "PRESETS": "generation.config",
    "Scene": "scenes",
    "SceneConfig": "scenes",
    "UserError": "errors",
    "generate": "generation.loop",
    "info": "viewing",
    "label": "labels",
    "load_body": "bodies",
    "preview": "viewing",
    "render": "rendering",
    "rerender": "generation.rerender",
    "sample_scene": "scenes",
    "scene_from_json": "scenes",
    "scene_to_json": "scenes",
    "validate": "generation.rerender",
}

__all__ = [
    "PRESETS",
    "GenerateConfig",
    "Scene",
    "SceneConfig",
    "UserError",
    "generate",
    "info",
    "label",
    "load_body",
    "preview",
    "render",
    "rerender",
    "sample_scene",
    "scene_from_json",
    "scene_to_json",
    "validate",
]


def __getattr__(name: str) -> object:
    # Imported when asked for: `repogen --help` need not wait for the renderer.
    if name not in _HOME:
        raise AttributeError(f"module 'repogen' has no attribute {name!r}")
    return getattr(import_module(f"repogen.{_HOME[name]}"), name)
