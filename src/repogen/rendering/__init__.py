"""From a scene to its picture and its G-buffer."""

from repogen.rendering.gbuffer import GBuffer
from repogen.rendering.renderer import Renderer, RenderResult

__all__ = ["GBuffer", "RenderResult", "Renderer"]
