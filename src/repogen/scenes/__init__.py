"""Scenes: everything an image is made from, as plain numbers."""

from typing import TYPE_CHECKING

from repogen.lazy import lazy_exports

if TYPE_CHECKING:
    from repogen.scenes.config import SceneConfig as SceneConfig
    from repogen.scenes.sample.scene import sample_scene as sample_scene
    from repogen.scenes.scene import Scene as Scene
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__, {"config": "SceneConfig", "sample.scene": "sample_scene", "scene": "Scene"}
    )
