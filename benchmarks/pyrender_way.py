"""A picture made as the original code does it: one process, and for each image a new body model, a
new pyrender offscreen renderer, a mesh drawn by OpenGL, a photograph behind it, and a JPEG.

The original's body model, SMPL-X, needs a licence: our model is loaded for each image instead.
"""

import os
from typing import Any

import numpy as np
from jaxtyping import UInt8

from repogen import Scene
from repogen.bodies.anny import AnnyBody
from repogen.bodies.protocol import PosedBody, Surface
from repogen.cameras.camera import Camera
from repogen.environment.backgrounds import Photo, photo_pixels
from repogen.pictures import encode_jpeg


def available() -> str | None:
    """None if pyrender can draw on this machine, else the reason in one line."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "osmesa")
    try:
        import pyrender

        pyrender.OffscreenRenderer(8, 8).delete()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return None


def new_model(scene: Scene) -> PosedBody:
    """The scene's first person, posed by a body model loaded from its file for this call."""
    person = scene.people[0]
    return AnnyBody().pose(person.shape, person.face, person.angles)


def picture(
    camera: Camera, posed: PosedBody, surface: Surface
) -> tuple[UInt8[np.ndarray, "h w 3"], np.ndarray]:
    """Colour (RGB) and depth in metres of the skin under five directional lights, from the scene's
    camera."""
    import pyrender
    import trimesh

    skin = surface.faces[surface.faces_of("skin", "eyes")]
    # OpenGL's camera looks along -z with y up.
    vertices = camera.to_camera(posed.vertices) * [1, -1, -1]
    colors = np.full((len(vertices), 4), 200, np.uint8)
    mesh = trimesh.Trimesh(vertices, skin, vertex_colors=colors, process=False)
    world: Any = pyrender.Scene(bg_color=[0, 0, 0, 0], ambient_light=[0.3, 0.3, 0.3])
    world.add(pyrender.Mesh.from_trimesh(mesh, smooth=True))
    world.add(pyrender.IntrinsicsCamera(camera.fx, camera.fy, camera.cx, camera.cy), pose=np.eye(4))
    rng = np.random.default_rng(0)
    for _ in range(5):
        pose = np.eye(4)
        pose[:3, :3] = trimesh.transformations.random_rotation_matrix(rng.random(3))[:3, :3]
        world.add(pyrender.DirectionalLight(intensity=1.5), pose=pose)
    renderer = pyrender.OffscreenRenderer(camera.width, camera.height)
    color, depth = renderer.render(world)
    renderer.delete()
    return color, depth


def finished(scene: Scene, color: np.ndarray, depth: np.ndarray) -> bytes:
    """The JPEG of a picture (RGB, depth) in front of the scene's background."""
    camera = scene.camera
    behind = np.zeros_like(color)
    if isinstance(scene.background, Photo):
        behind = photo_pixels(scene.background, camera.width, camera.height)
    return encode_jpeg(np.where(depth[..., None] > 0, color[..., ::-1], behind))
