"""From a scene to its picture and its G-buffer."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from repogen.appearance.backgrounds import Photo, Place, Plain, photo_pixels
from repogen.appearance.colors import from_hex, to_linear, to_srgb
from repogen.bodies.protocol import LAYERS, Body, PosedBody, Surface
from repogen.rendering.gbuffer import GBuffer
from repogen.rendering.kernels import geometry, place, raster, shade
from repogen.rendering.kernels.noise import noise_table
from repogen.rendering.kernels.paint import Paint
from repogen.rendering.paints import linear, outfit_to_paint, place_to_room
from repogen.scenes.people import pose_person
from repogen.scenes.scene import Person, Scene
from repogen.views.camera import Camera
from repogen.warp_setup import wp

SAMPLES = 2
"""Samples along each side of a pixel: four a pixel."""

_SHADOW_SIZE = 320


@dataclass(frozen=True)
class Rendering:
    """One finished picture and what its labels are read from."""

    scene: Scene
    image: UInt8[np.ndarray, "h w 3"]
    """BGR, as OpenCV keeps it."""
    gbuffer: GBuffer
    posed: tuple[PosedBody, ...]
    """Each person in the world frame."""
    surface: Surface
    vertices: Float[np.ndarray, "n 3"]
    """All people's vertices in the camera's frame, cloth and hair included."""


@dataclass(frozen=True)
class _Static:
    """What stays on the device for a given number of people."""

    canonical: wp.array
    occlusion: wp.array
    lips: wp.array
    vertex_layers: wp.array
    person: wp.array
    faces: wp.array
    face_layers: wp.array
    starts: wp.array
    incident: wp.array


class Renderer:
    """Keeps one body model's surface and its buffers on a device ("cpu" or "cuda").

    Raises whatever Warp raises for a device this machine does not have.
    """

    def __init__(self, body: Body, device: str = "cpu") -> None:
        self.body = body
        self.device = device
        self._noise = self._array(noise_table(), wp.vec4)
        steps = np.arange(256) / 255
        self._to_linear = self._array(to_linear(steps), wp.float32)
        srgb = np.rint(255 * to_srgb(np.arange(4096) / 4095)).astype(np.uint8)
        self._to_srgb = self._array(srgb, wp.uint8)
        surface = body.surface
        eyes = np.unique(surface.faces[surface.faces_of("eyes")])
        left = surface.canonical[eyes][surface.canonical[eyes][:, 0] > 0]
        self._eye = wp.vec3(*(float(v) for v in left[np.argmin(left[:, 1])]))
        self._static = lru_cache(maxsize=4)(self._build_static)
        self._key_memory = wp.empty(0, dtype=wp.uint64, device=device)
        self._layer_vertices = {
            layer: np.unique(surface.faces[surface.faces_of(layer)]) for layer in LAYERS
        }

    def _array(self, values: np.ndarray, dtype: type) -> wp.array:
        return wp.array(np.ascontiguousarray(values), dtype=dtype, device=self.device)

    def _build_static(self, people: int) -> _Static:
        s = self.body.surface
        n, f = len(s.canonical), len(s.faces)
        shift = np.repeat(np.arange(people) * n, f)[:, None]
        faces = np.tile(s.faces, (people, 1)) + shift
        layers = np.zeros(n, dtype=np.uint8)
        layers[s.faces] = s.face_layers[:, None]
        order = np.argsort(faces.ravel(), kind="stable")
        counts = np.bincount(faces.ravel(), minlength=n * people)
        return _Static(
            canonical=self._array(np.tile(s.canonical, (people, 1)), wp.vec3),
            occlusion=self._array(np.tile(s.occlusion, people), wp.float32),
            lips=self._array(np.tile(s.lips, people), wp.float32),
            vertex_layers=self._array(np.tile(layers, people), wp.uint8),
            person=self._array(np.repeat(np.arange(people), n), wp.int32),
            faces=self._array(faces, wp.int32),
            face_layers=self._array(np.tile(s.face_layers, people), wp.uint8),
            starts=self._array(np.concatenate([[0], np.cumsum(counts)]), wp.int32),
            incident=self._array(order // 3, wp.int32),
        )

    def _launch(self, kernel: object, dim: object, *args: object) -> None:
        wp.launch(kernel, dim=dim, inputs=list(args), device=self.device)

    def render(self, scene: Scene) -> Rendering:
        """The picture of a scene; the same scene gives the same bytes on the same kind of device."""
        bodies = tuple(pose_person(self.body, person) for person in scene.people)
        static = self._static(len(bodies))
        camera = scene.camera
        paints = wp.array(
            [outfit_to_paint(p.outfit) for p in scene.people], dtype=Paint, device=self.device
        )
        world = self._array(np.concatenate([b.vertices for b in bodies]), wp.vec3)
        normals, vertices, camera_normals = (wp.empty_like(world) for _ in range(3))
        sides = wp.empty_like(static.face_layers)
        self._launch(
            geometry.surface_normals, len(world),
            world, static.faces, static.starts, static.incident, normals,
        )  # fmt: skip
        self._launch(
            geometry.place_vertices, len(world),
            world, normals, static.canonical, static.vertex_layers, static.person, paints,
            wp.mat33(*np.array(camera.rotation).ravel()), wp.vec3(*camera.translation),
            vertices, camera_normals,
        )  # fmt: skip
        self._launch(
            geometry.visible_sides, len(static.faces),
            static.faces, static.face_layers, static.canonical, static.person, paints, sides,
        )  # fmt: skip
        flat = vertices.numpy()
        optics = self._optics(scene, flat)
        n = SAMPLES
        keys = self._empty_keys(optics)
        if keys.size:
            self._launch(
                raster.rasterize, len(static.faces),
                vertices, static.faces, sides, camera.fx * n, camera.fy * n,
                (camera.cx - optics.left) * n, (camera.cy - optics.top) * n,
                keys.shape[1], keys.shape[0], keys.flatten(),
            )  # fmt: skip

        light = self._lighting(scene, flat, vertices, static, sides)
        background = self._background(scene, light)
        sky, ground = _ambient(scene, background)
        light.sky, light.ground = wp.vec3(*sky), wp.vec3(*ground)
        model = shade.Model()
        model.vertices, model.normals = vertices, camera_normals
        model.canonical, model.occlusion = static.canonical, static.occlusion
        model.lips, model.faces, model.layers = static.lips, static.faces, static.face_layers
        model.person, model.paints = static.person, paints
        model.noise, model.eye = self._noise, self._eye
        picture = self._array(background.reshape(camera.height, -1), wp.uint8)
        self._launch(
            shade.shade, (keys.shape[0] // n, keys.shape[1] // n),
            keys.flatten(), model, light, optics, self._to_linear, self._to_srgb, picture,
        )  # fmt: skip
        return Rendering(
            scene=scene,
            image=picture.numpy().reshape(camera.height, camera.width, 3),
            gbuffer=GBuffer(
                keys=keys.numpy().copy(),
                samples=n,
                left=optics.left,
                top=optics.top,
                width=camera.width,
                height=camera.height,
                faces_per_person=len(self.body.surface.faces),
            ),
            posed=bodies,
            surface=self.body.surface,
            vertices=flat,
        )

    def _empty_keys(self, optics: shade.Optics) -> wp.array:  # type: ignore[valid-type]
        """The cleared z-buffer of a window; its memory is used again for the next picture."""
        shape = (optics.height * SAMPLES, optics.width * SAMPLES)
        if shape[0] * shape[1] > len(self._key_memory):
            self._key_memory = wp.empty(shape[0] * shape[1], dtype=wp.uint64, device=self.device)
        keys = self._key_memory[: shape[0] * shape[1]].reshape(shape)
        keys.fill_(raster.EMPTY)
        return keys

    def _worn_vertices(self, people: tuple[Person, ...]) -> Int[np.ndarray, " n"]:
        """Vertices people can be seen by, as indices into all people's; bare helpers are not."""
        count = len(self.body.surface.canonical)
        out = []
        for place, person in enumerate(people):
            layers = ["skin", "tights"]
            layers += ["skirt"] * (person.outfit.bottom == "skirt")
            layers += ["hair"] * (person.outfit.hair == "long")
            out += [self._layer_vertices[layer] + place * count for layer in layers]
        return np.concatenate(out)

    def _optics(self, scene: Scene, flat: Float[np.ndarray, "n 3"]) -> shade.Optics:  # type: ignore[valid-type]
        """The camera, and the window of the picture that people can appear in."""
        camera = scene.camera
        points = flat[self._worn_vertices(scene.people)]
        pixels = camera.to_pixels(points[points[:, 2] > raster.NEAR])
        limits = (camera.width, camera.height)
        optics = shade.Optics()
        optics.fx, optics.fy, optics.cx, optics.cy = camera.fx, camera.fy, camera.cx, camera.cy
        optics.samples = SAMPLES
        if len(pixels) == 0:
            optics.left = optics.top = optics.width = optics.height = 0
            return optics
        low = np.clip(np.floor(pixels.min(axis=0)), 0, limits).astype(int)
        high = np.clip(np.ceil(pixels.max(axis=0)), 0, limits).astype(int)
        optics.left, optics.top = (int(v) for v in low)
        optics.width, optics.height = (int(v) for v in np.maximum(high - low, 0))
        return optics

    def _lighting(
        self,
        scene: Scene,
        flat: Float[np.ndarray, "n 3"],
        vertices: wp.array,
        static: _Static,
        sides: wp.array,
    ) -> shade.Lighting:  # type: ignore[valid-type]
        """Lights in the camera's frame, those with shadows first, and their shadow maps."""
        rotation = np.array(scene.camera.rotation)
        lamps = sorted(scene.lights, key=lambda lamp: not lamp.shadow)
        shadows = sum(lamp.shadow for lamp in lamps)
        towards = np.array([lamp.direction for lamp in lamps]).reshape(-1, 3) @ rotation.T
        used = flat[np.isfinite(flat).all(axis=1)]
        low, high = used.min(axis=0), used.max(axis=0)
        centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2 + 0.02
        matrices, offsets = [], []
        depths = wp.full(
            max(shadows, 1) * _SHADOW_SIZE**2, 1e9, dtype=wp.float32, device=self.device
        )
        texels = wp.empty_like(vertices)
        for index in range(shadows):
            axis = towards[index]
            side = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
            side /= np.linalg.norm(side)
            scale = 0.5 * _SHADOW_SIZE / radius
            matrix = np.stack([side * scale, np.cross(axis, side) * scale, -axis])
            middle = np.array([_SHADOW_SIZE / 2, _SHADOW_SIZE / 2, 0.0])
            offset = middle - matrix @ centre
            matrices.append(matrix)
            offsets.append(offset)
            self._launch(
                geometry.to_light, len(vertices),
                vertices, wp.mat33(*matrix.ravel()), wp.vec3(*offset), texels,
            )  # fmt: skip
            self._launch(
                raster.rasterize_light, len(static.faces),
                texels, static.faces, sides, _SHADOW_SIZE, index * _SHADOW_SIZE**2, depths,
            )  # fmt: skip
        light = shade.Lighting()
        light.directions = self._array(towards, wp.vec3)
        light.colors = self._array(np.array([x.color for x in lamps]).reshape(-1, 3), wp.vec3)
        light.shadow_count, light.shadow_size = shadows, _SHADOW_SIZE
        light.shadow_matrices = self._array(np.array(matrices).reshape(-1, 3, 3), wp.mat33)
        light.shadow_offsets = self._array(np.array(offsets).reshape(-1, 3), wp.vec3)
        light.shadow_depths = depths
        light.up = wp.vec3(*rotation[:, 2])
        return light

    def _background(
        self,
        scene: Scene,
        light: shade.Lighting,  # type: ignore[valid-type]
    ) -> UInt8[np.ndarray, "h w 3"]:
        width, height = scene.camera.width, scene.camera.height
        match scene.background:
            case Photo() as photo:
                return photo_pixels(photo, width, height)
            case Plain(color):
                bgr = np.rint(255 * from_hex(color)[::-1]).astype(np.uint8)
                return np.tile(bgr, (height, width, 1))
            case Place() as built_in:
                # Drawn at half size: it is out of focus, and the eye is on the person.
                half = scene.camera.windowed(0, 0, (width + 1) // 2, (height + 1) // 2, 0.5)
                out = wp.empty(
                    (half.height, 3 * half.width), dtype=wp.uint8, device=self.device
                )
                self._launch(
                    place.draw_place, (half.height, half.width),
                    place_to_room(built_in, half), light, self._noise, self._to_srgb, out,
                )  # fmt: skip
                small = out.numpy().reshape(half.height, half.width, 3)
                return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _ambient(
    scene: Scene, background: UInt8[np.ndarray, "h w 3"]
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Linear light from above and from below: the colours of what lies there.

    A photograph shows neither, so its upper and lower half stand in for them.
    """
    if isinstance(scene.background, Place):
        p = scene.background
        above = p.sky_zenith if p.half_size == (0.0, 0.0) else p.ceiling
        sky, ground = linear(above), linear(p.floor)
        grey = 0.5 * (sky.mean() + ground.mean())
        return scene.ambient * (sky + grey) / 2, scene.ambient * (ground + grey) / 2
    small = cv2.resize(background, (8, 8), interpolation=cv2.INTER_AREA)
    light = to_linear(small[..., ::-1] / 255)
    upper, lower = light[:4].mean(axis=(0, 1)), light[4:].mean(axis=(0, 1))
    grey = light.mean()
    # A dark photograph was taken by some light: never less than a quarter of white.
    lift = 0.5 / max(grey, 0.25)
    return scene.ambient * lift * (upper + grey), scene.ambient * lift * (lower + grey)
