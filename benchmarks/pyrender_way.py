"""The original's way to a picture: pyrender, a new offscreen renderer for each image.

It posed a new SMPL-X model for each image as well; that cannot be had without its licence, so
only the rendering is timed here, which favours the original.
"""

import os
from typing import Any

import numpy as np

from repogen import Scene
from repogen.rendering import Rendering


def available() -> str | None:
    """None where pyrender can draw here, else one line that says why not."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "osmesa")
    try:
        import pyrender

        pyrender.OffscreenRenderer(8, 8).delete()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return None


def picture(scene: Scene, rendering: Rendering) -> tuple[np.ndarray, np.ndarray]:
    """Colour and depth of the same skin mesh, five directional lights, from the same camera."""
    import pyrender
    import trimesh

    surface, camera = rendering.surface, scene.camera
    skin = surface.faces[surface.faces_of("skin", "eyes")]
    # OpenGL's camera looks along -z with y up.
    vertices = rendering.vertices[: len(surface.canonical)] * [1, -1, -1]
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
