"""A scene's lights as kernels read them, and their shadow maps."""

import numpy as np

from repogen.arrays import Float
from repogen.rendering.buffers import Buffers, launch_batched, struct_array
from repogen.rendering.kernels import geometry, raster, shade
from repogen.scenes.scene import Scene
from repogen.warp_setup import struct_dtype, wp

_SHADOW_SIZES = 256, 512
"""Texels along a side of a shadow map: the first unless texels would be larger than `_TEXEL`."""
_TEXEL = 0.012
"""Metres."""

_LIGHT_DTYPE = struct_dtype(geometry.DirectionalLight)


def scene_lighting(
    scene: Scene, vertices: Float[np.ndarray, "n 3"], buffers: Buffers, device: str
) -> shade.Lighting:
    """Lights in the camera's frame, those with shadows first, and their shadow maps.

    `vertices` are the buffers' `camera_vertices` (metres). `Lighting.sh_irradiance` is left to the
    caller.
    """
    rotation = np.array(scene.camera.rotation)
    columns = np.ascontiguousarray(vertices.T)
    low, high = columns.min(axis=1), columns.max(axis=1)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2 + 0.02
    size = _SHADOW_SIZES[2 * radius > _TEXEL * _SHADOW_SIZES[0]]
    scene_lights = sorted(scene.lights, key=lambda light: not light.shadow)
    lights = np.zeros(len(scene_lights), dtype=_LIGHT_DTYPE)
    axes = np.array([light.direction for light in scene_lights]).reshape(-1, 3) @ rotation.T
    lights["direction"] = axes
    lights["color"] = np.array([light.color for light in scene_lights]).reshape(-1, 3)
    # Right-handed, so that a face's front is its front in the shadow map too.
    side = np.cross(axes, np.eye(3)[np.abs(axes).argmin(axis=1)])
    side *= size / 2 / radius / np.linalg.norm(side, axis=1, keepdims=True)
    lights["matrix"] = np.stack([side, np.cross(side, axes), -axes], axis=1)
    lights["offset"] = [size / 2, size / 2, 0.0] - lights["matrix"] @ centre
    lighting = shade.Lighting()
    lighting.lights = struct_array(lights, geometry.DirectionalLight, device)
    lighting.shadow_count = sum(light.shadow for light in scene_lights)
    lighting.shadow_size, lighting.shadow_texel = size, 2 * radius / size
    lighting.shadow_depths = wp.full(
        lighting.shadow_count * size**2, 1e9, dtype=wp.float32, device=device
    )
    lighting.up = wp.vec3(*rotation[:, 2])
    lighting.to_world = wp.mat33(*rotation.T.ravel())
    for index in range(lighting.shadow_count):
        launch_batched(
            device, geometry.to_light_space, len(buffers.camera_vertices),
            buffers.camera_vertices, lighting.lights, index, buffers.light_vertices,
        )  # fmt: skip
        launch_batched(
            device, raster.rasterize_light, len(buffers.faces),
            buffers.light_vertices, buffers.faces, buffers.face_culling,
            size, index * size**2, lighting.shadow_depths,
        )  # fmt: skip
    return lighting
