"""What many tests share: building a body takes half a second, so it is built once."""

import pytest


@pytest.fixture(scope="session")
def body():
    from repogen.bodies.anny import AnnyBody

    return AnnyBody()


@pytest.fixture(scope="session")
def renderer(body):
    from repogen.rendering.renderer import Renderer

    return Renderer(body)
