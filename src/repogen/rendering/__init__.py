"""From a scene to a picture and its G-buffer."""

from functools import lru_cache

from repogen.bodies import load_body
from repogen.rendering.gbuffer import GBuffer
from repogen.rendering.renderer import Renderer, Rendering
from repogen.scenes.scene import Scene


@lru_cache(maxsize=2)
def _renderer(device: str) -> Renderer:
    return Renderer(load_body("anny", device), device)


def render(scene: Scene, device: str = "cpu") -> Rendering:
    """The picture of a scene and what its labels are read from; the renderer is kept."""
    return _renderer(device).render(scene)


__all__ = ["GBuffer", "Renderer", "Rendering", "render"]
