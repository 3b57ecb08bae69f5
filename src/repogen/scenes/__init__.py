"""Scenes: everything an image is made from, as plain numbers."""

from repogen.scenes.config import SceneConfig
from repogen.scenes.sample import sample_scene
from repogen.scenes.scene import Person, Scene, scene_from_json, scene_to_json

__all__ = ["Person", "Scene", "SceneConfig", "sample_scene", "scene_from_json", "scene_to_json"]
