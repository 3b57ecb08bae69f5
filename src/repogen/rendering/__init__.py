"""Renders a scene: its picture, its G-buffer and the amodal shapes of its people."""

from functools import lru_cache

from repogen.bodies import Body, load_body
from repogen.rendering.gbuffer import GBuffer
from repogen.rendering.renderer import Renderer, Rendering
from repogen.scenes.scene import Scene


@lru_cache(maxsize=2)
def _renderer(body: Body, device: str) -> Renderer:
    return Renderer(body, device)


def render(scene: Scene, device: str = "cpu", body: Body | None = None) -> Rendering:
    """Renders a scene on a device ("cpu" or "cuda"); the renderer is kept for the next call.

    `body` is the one that the scene was sampled with, by default anny. Raises `UserError` for a
    scene without people or with another body.
    """
    return _renderer(body or load_body("anny", device), device).render(scene)


__all__ = ["GBuffer", "Renderer", "Rendering", "render"]
