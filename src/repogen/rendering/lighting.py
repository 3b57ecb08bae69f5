"""A scene's lights as kernels read them, and their shadow maps."""

import numpy as np
from jaxtyping import Float

from repogen.rendering.buffers import Buffers, launch, structs
from repogen.rendering.kernels import geometry, raster, shade
from repogen.scenes.scene import Scene
from repogen.warp_setup import records, wp

_SHADOW_SIZE = 256
_LAMP = np.dtype(records(geometry.DirectionalLight))


def scene_lighting(
    scene: Scene, vertices: Float[np.ndarray, "n 3"], buffers: Buffers, device: str
) -> shade.Lighting:
    """Lights in the camera's frame, those with shadows first, and their shadow maps; `vertices`
    are those placed in the buffers. The light from all around is left to fill in."""
    rotation = np.array(scene.camera.rotation)
    columns = np.ascontiguousarray(vertices.T)
    low, high = columns.min(axis=1), columns.max(axis=1)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2 + 0.02
    lights = sorted(scene.lights, key=lambda lamp: not lamp.shadow)
    lamps = np.zeros(len(lights), dtype=_LAMP)
    axes = np.array([x.direction for x in lights]).reshape(-1, 3) @ rotation.T
    lamps["direction"] = axes
    lamps["color"] = np.array([x.color for x in lights]).reshape(-1, 3)
    # Right-handed, so that a face's front is its front in the shadow map too.
    side = np.cross(axes, np.eye(3)[np.abs(axes).argmin(axis=1)])
    side *= _SHADOW_SIZE / 2 / radius / np.linalg.norm(side, axis=1, keepdims=True)
    lamps["matrix"] = np.stack([side, np.cross(side, axes), -axes], axis=1)
    lamps["offset"] = [_SHADOW_SIZE / 2, _SHADOW_SIZE / 2, 0.0] - lamps["matrix"] @ centre
    light = shade.Lighting()
    light.lamps = structs(lamps, geometry.DirectionalLight, device)
    light.shadow_count, light.shadow_size = sum(x.shadow for x in lights), _SHADOW_SIZE
    light.shadow_depths = wp.full(
        light.shadow_count * _SHADOW_SIZE**2, 1e9, dtype=wp.float32, device=device
    )
    light.up = wp.vec3(*rotation[:, 2])
    light.to_world = wp.mat33(*rotation.T.ravel())
    for index in range(light.shadow_count):
        launch(
            device, geometry.to_lamp, len(buffers.placed),
            buffers.placed, light.lamps, index, buffers.texels,
        )  # fmt: skip
        launch(
            device, raster.rasterize_light, len(buffers.faces),
            buffers.texels, buffers.faces, buffers.sides, buffers.face_layers,
            _SHADOW_SIZE, index * _SHADOW_SIZE**2, light.shadow_depths,
        )  # fmt: skip
    return light
