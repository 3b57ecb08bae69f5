from .config import SceneConfig as SceneConfig
from .sample.scene import sample_scene as sample_scene
from .scene import Scene as Scene
