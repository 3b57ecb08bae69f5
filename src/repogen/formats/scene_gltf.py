"""Scenes as glTF: posed, dressed people in colour, occluders, the floor, lights and the camera.

The root node `world` turns our world (metres, z up) into glTF's (y up); everything below it is in
our frame. Lights are those of KHR_lights_punctual
(https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Khronos/KHR_lights_punctual).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from repogen._version import __version__
from repogen.arrays import Bool, Float
from repogen.cameras.camera import Camera
from repogen.colors import from_hex, to_linear
from repogen.environment.lights import DirectionalLight
from repogen.environment.rooms import Room
from repogen.errors import UserError
from repogen.formats.glb import GlbWriter
from repogen.formats.labelled import LabelledImage, LabelledSet
from repogen.formats.output import Output
from repogen.rendering.colored_mesh import ColoredMesh
from repogen.rendering.renderer import Renderer
from repogen.scenes.scene import Scene

_LIGHTS = "KHR_lights_punctual"
_TO_Y_UP = (-(0.5**0.5), 0.0, 0.0, 0.5**0.5)
"""Quaternion x, y, z, w of -90° about x."""

_LUX = float(np.pi)
"""Illuminance that makes a white matt surface as bright as our irradiance 1 does."""

_NEAR = 0.01
_GREY = 0.4
"""Linear albedo of a floor whose colour a scene does not say."""
_SHORTEST = 1e-3
"""Length below which a normal has no direction."""
_MARGIN = 1.0
"""Metres of floor around people and occluders."""


def write_scenes(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write a .glb for each image into scenes/. Raises `UserError` for a source without scenes,
    and for images in another order than theirs."""
    if source.scenes is None or source.body is None:
        raise UserError(f"{source.name} has no scenes; give the folder of a dataset of repogen")
    renderer = Renderer(source.body())
    scenes = source.scenes()
    for image in images:
        scene = next(scenes, None)
        if scene is None or scene.index + 1 != image.id:
            raise UserError(
                f"{image.name} has no scene in its place; repogen validate {source.name} says what "
                "was changed"
            )
        out.write(f"scenes/{image.stem}.glb", scene_to_glb(scene, renderer.colored_mesh(scene)))


def scene_to_glb(scene: Scene, mesh: ColoredMesh) -> bytes:
    """A scene and its surfaces (`Renderer.colored_mesh`) as a binary glTF file."""
    glb = GlbWriter()
    plain = glb.add("materials", _material("plain"))
    hair = glb.add("materials", _material("hair") | {"alphaMode": "MASK", "alphaCutoff": 0.5})
    nodes = []
    for person in [*sorted({*mesh.people.tolist()} - {-1}), -1]:
        name = f"person {person + 1}" if person >= 0 else "occluders"
        own = mesh.people == person
        parts = [
            _primitive(glb, mesh, own & (mesh.strands == cut), material)
            for cut, material in ((False, plain), (True, hair))
            if (own & (mesh.strands == cut)).any()
        ]
        if parts:
            number = glb.add("meshes", {"name": name, "primitives": parts})
            nodes.append(glb.add("nodes", {"name": name, "mesh": number}))
    floor_z = getattr(scene.background, "floor_z", None)
    if floor_z is not None:
        nodes.append(_floor(glb, scene, mesh, floor_z, plain))
    nodes.append(_camera(glb, scene.camera))
    sources = [light for light in scene.lights if max(light.color) > 0]
    nodes += [_light(glb, i, light) for i, light in enumerate(sources)]
    root = glb.add("nodes", {"name": "world", "rotation": _TO_Y_UP, "children": nodes})
    extensions: dict[str, Any] = {}
    if sources:
        lamps = [_lamp(light) for light in sources]
        extensions = {
            "extensionsUsed": [_LIGHTS],
            "extensions": {_LIGHTS: {"lights": lamps}},
        }
    glb.add("scenes", {"nodes": [root], "extras": {"ambient_irradiance": scene.ambient}})
    return glb.to_bytes({"generator": f"repogen {__version__}"}, scene=0, **extensions)


def _material(name: str) -> dict[str, Any]:
    """A matt material in the colours of the vertices."""
    return {
        "name": name,
        "doubleSided": True,
        "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.9},
    }


def _primitive(
    glb: GlbWriter, mesh: ColoredMesh, chosen: Bool[np.ndarray, " f"], material: int
) -> dict[str, Any]:
    used, corners = np.unique(mesh.faces[chosen], return_inverse=True)
    return {
        "attributes": {
            "POSITION": glb.add_numbers(mesh.vertices[used], bounded=True),
            "NORMAL": glb.add_numbers(_units(mesh.normals[used])),
            "COLOR_0": glb.add_numbers(np.clip(mesh.colors[used], 0, 1)),
        },
        "indices": glb.add_numbers(corners.ravel()),
        "material": material,
    }


def _units(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """The vectors with length 1, those without one upwards."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(lengths > _SHORTEST, vectors / np.maximum(lengths, _SHORTEST), (0, 0, 1))


def _floor(glb: GlbWriter, scene: Scene, mesh: ColoredMesh, height: float, material: int) -> int:
    """A square below all people and occluders, in the colour of a built-in room's floor."""
    low, high = mesh.vertices[:, :2].min(axis=0), mesh.vertices[:, :2].max(axis=0)
    middle, half = (low + high) / 2, float((high - low).max()) / 2 + _MARGIN
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half + middle
    color = np.full(3, _GREY)
    if isinstance(scene.background, Room):
        color = to_linear(from_hex(scene.background.floor))
    primitive = {
        "attributes": {
            "POSITION": glb.add_numbers(
                np.column_stack([corners, np.full(4, height)]), bounded=True
            ),
            "NORMAL": glb.add_numbers(np.tile([0.0, 0.0, 1.0], (4, 1))),
            "COLOR_0": glb.add_numbers(np.tile([*color, 1.0], (4, 1))),
        },
        "indices": glb.add_numbers(np.array([0, 1, 2, 0, 2, 3])),
        "material": material,
    }
    number = glb.add("meshes", {"name": "floor", "primitives": [primitive]})
    return glb.add("nodes", {"name": "floor", "mesh": number})


def _camera(glb: GlbWriter, camera: Camera) -> int:
    """The camera: glTF's looks along -z with y up, and sees as far to one side as to the other.

    The view therefore is as large as it must be for the picture to be a window of it: `window` in
    `extras` is the picture's left, top, width and height as shares of the view, y down.
    """
    rotation = np.array(camera.rotation).T @ np.diag([1.0, -1.0, -1.0])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, camera.position()
    half_width = max(camera.cx, camera.width - camera.cx)
    half_height = max(camera.cy, camera.height - camera.cy)
    perspective = {
        "aspectRatio": half_width / camera.fx / (half_height / camera.fy),
        "yfov": 2 * float(np.arctan(half_height / camera.fy)),
        "znear": _NEAR,
    }
    extras = {
        "window": [
            0.5 - camera.cx / half_width / 2,
            0.5 - camera.cy / half_height / 2,
            camera.width / half_width / 2,
            camera.height / half_height / 2,
        ],
        "width": camera.width,
        "height": camera.height,
        "K": camera.matrix.tolist(),
        "model": camera.model,
        "distortion": camera.distortion,
    }
    number = glb.add("cameras", {
        "name": "camera", "type": "perspective", "perspective": perspective, "extras": extras,
    })  # fmt: skip
    return glb.add("nodes", {
        "name": "camera", "camera": number, "matrix": matrix.T.ravel().tolist(),
    })  # fmt: skip


def _lamp(light: DirectionalLight) -> dict[str, Any]:
    strongest = max(light.color)
    return {
        "type": "directional",
        "color": [channel / strongest for channel in light.color],
        "intensity": _LUX * strongest,
    }


def _light(glb: GlbWriter, number: int, light: DirectionalLight) -> int:
    """A node whose -z is where the light goes: +z is towards the light."""
    z = np.array(light.direction) / np.linalg.norm(light.direction)
    x = np.cross(np.eye(3)[np.abs(z).argmin()], z)
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    return glb.add("nodes", {
        "name": f"light {number + 1}",
        "matrix": matrix.T.ravel().tolist(),
        "extensions": {_LIGHTS: {"light": number}},
    })  # fmt: skip
