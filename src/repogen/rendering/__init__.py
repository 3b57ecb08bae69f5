"""From a scene to a picture and its G-buffer."""

from functools import lru_cache

from repogen.bodies import Body, load_body
from repogen.rendering.gbuffer import GBuffer
from repogen.rendering.renderer import Renderer, Rendering
from repogen.scenes.scene import Scene


@lru_cache(maxsize=2)
def _renderer(body: Body, device: str) -> Renderer:
    return Renderer(body, device)


def render(scene: Scene, device: str = "cpu", body: Body | None = None) -> Rendering:
    """The picture of a scene and what its labels are read from; the renderer is kept.

    `body` is the one the scene was sampled with, anny if not given.
    """
    return _renderer(body or load_body("anny", device), device).render(scene)


__all__ = ["GBuffer", "Renderer", "Rendering", "render"]
