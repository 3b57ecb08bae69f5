"""What many tests share: building a body takes half a second, so it is built once."""

import os
import tempfile

import cv2
import pytest

# What the machine's user has installed must not change what tests see.
os.environ["REPOGEN_ASSETS"] = tempfile.mkdtemp(prefix="repogen-no-assets-")


@pytest.fixture(scope="session")
def body():
    from repogen.bodies.anny import AnnyBody

    return AnnyBody()


@pytest.fixture(scope="session")
def renderer(body):
    from repogen.rendering.renderer import Renderer

    return Renderer(body)


@pytest.fixture(scope="session")
def write_turned():
    """Writes a JPEG whose EXIF (orientation 6) asks for a quarter turn clockwise."""

    def write(path, picture):
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
        head = b"\xff\xd8\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
        path.write_bytes(head + data.tobytes()[2:])

    return write
