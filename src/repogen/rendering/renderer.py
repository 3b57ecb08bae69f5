"""From a scene to its picture and its G-buffer."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from repogen.appearance.backgrounds import Photo, Place, Plain, photo_pixels
from repogen.appearance.colors import from_hex, to_linear, to_srgb
from repogen.bodies.protocol import Body, PosedBody, Surface
from repogen.errors import UserError
from repogen.rendering.gbuffer import GBuffer
from repogen.rendering.kernels import geometry, place, raster, shade
from repogen.rendering.kernels.noise import noise_table
from repogen.rendering.kernels.paint import Paint
from repogen.rendering.kernels.raster import SAMPLES
from repogen.rendering.paints import linear, outfits_to_paints, place_to_room
from repogen.scenes.people import pose_person
from repogen.scenes.scene import Scene
from repogen.views.camera import Camera
from repogen.warp_setup import records, wp

_SHADOW_SIZE = 256
_LINEAR_OF_BYTE = to_linear(np.arange(256) / 255)
_LAMP = np.dtype(records(geometry.Lamp))


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
    """What stays on the device for a given number of people: the mesh, and room to work in."""

    fixed: wp.array
    faces: wp.array
    face_layers: wp.array
    starts: wp.array
    incident: wp.array
    facings: wp.array
    corners: wp.array
    placed: wp.array
    texels: wp.array
    shown: wp.array
    sides: wp.array


class Renderer:
    """Keeps one body model's surface and its buffers on a device ("cpu" or "cuda").

    Raises whatever Warp raises for a device this machine does not have.
    """

    def __init__(self, body: Body, device: str = "cpu") -> None:
        self.body = body
        self.device = device
        self._noise = self._array(noise_table(), wp.vec4)
        self._to_linear = self._array(_LINEAR_OF_BYTE, wp.float32)
        srgb = np.rint(255 * to_srgb(np.arange(4096) / 4095)).astype(np.uint8)
        self._to_srgb = self._array(srgb, wp.uint8)
        surface = body.surface
        eyes = np.unique(surface.faces[surface.faces_of("eyes")])
        left = surface.canonical[eyes][surface.canonical[eyes][:, 0] > 0]
        self._eye = wp.vec3(*(float(v) for v in left[np.argmin(left[:, 1])]))
        self._static = lru_cache(maxsize=4)(self._build_static)

    def _array(self, values: np.ndarray, dtype: type) -> wp.array:
        return wp.array(np.ascontiguousarray(values), dtype=dtype, device=self.device)

    def _structs(self, values: np.ndarray, dtype: type) -> wp.array:
        """An array of structs from NumPy records.

        By way of bytes: from records, Warp would parse the struct's layout anew every time.
        """
        memory = self._array(values.view(np.uint8), wp.uint8)
        out = wp.array(ptr=memory.ptr, dtype=dtype, shape=len(values), device=self.device)
        out.memory = memory  # it lives as long as the array that points into it
        return out

    def _build_static(self, people: int) -> _Static:
        s = self.body.surface
        n, f = len(s.canonical), len(s.faces)
        shift = np.repeat(np.arange(people) * n, f)[:, None]
        faces = np.tile(s.faces, (people, 1)) + shift
        fixed = np.zeros(n, dtype=records(geometry.Fixed))
        fixed["canonical"], fixed["occlusion"], fixed["lips"] = s.canonical, s.occlusion, s.lips
        fixed["layer"] = -1
        fixed["layer"][s.faces] = s.face_layers[:, None]
        fixed = np.tile(fixed, people)
        fixed["person"] = np.repeat(np.arange(people), n)
        order = np.argsort(faces.ravel(), kind="stable")
        counts = np.bincount(faces.ravel(), minlength=n * people)
        return _Static(
            fixed=self._structs(fixed, geometry.Fixed),
            faces=self._array(faces, wp.int32),
            face_layers=self._array(np.tile(s.face_layers, people), wp.uint8),
            starts=self._array(np.concatenate([[0], np.cumsum(counts)]), wp.int32),
            incident=self._array(order // 3, wp.int32),
            facings=wp.empty(f * people, dtype=wp.vec3, device=self.device),
            corners=wp.empty(n * people, dtype=geometry.Corner, device=self.device),
            placed=wp.empty(n * people, dtype=wp.vec3, device=self.device),
            texels=wp.empty(n * people, dtype=wp.vec3, device=self.device),
            shown=wp.empty(n * people, dtype=wp.uint8, device=self.device),
            sides=wp.empty(f * people, dtype=wp.uint8, device=self.device),
        )

    def _launch(self, kernel: object, dim: object, *args: object) -> None:
        wp.launch(kernel, dim=dim, inputs=list(args), device=self.device)

    def render(self, scene: Scene) -> Rendering:
        """The picture of a scene, the same bytes each time on the same kind of device.

        Raises `UserError` for a scene without people.
        """
        if not scene.people:
            raise UserError(f"scene {scene.index} has no people; a picture needs at least one")
        bodies = tuple(pose_person(self.body, person) for person in scene.people)
        static = self._static(len(bodies))
        camera = scene.camera
        paints = self._structs(outfits_to_paints([p.outfit for p in scene.people]), Paint)
        world = self._array(np.concatenate([b.vertices for b in bodies]), wp.vec3)
        bounds = self._array(np.array([1e9, 1e9, -1e9, -1e9]), wp.float32)
        self._launch(geometry.face_normals, len(static.faces), world, static.faces, static.facings)
        self._launch(
            geometry.place_vertices, len(world),
            world, static.facings, static.starts, static.incident, static.fixed, paints,
            wp.mat33(*np.array(camera.rotation).ravel()), wp.vec3(*camera.translation),
            camera.fx, camera.fy, camera.cx, camera.cy,
            static.placed, static.corners, static.shown, bounds,
        )  # fmt: skip
        self._launch(
            geometry.visible_sides, len(static.faces),
            static.faces, static.face_layers, static.shown, static.sides,
        )  # fmt: skip
        vertices = static.placed.numpy().copy()
        optics = _optics(camera, bounds.numpy())
        n = SAMPLES
        keys = wp.empty((optics.height * n, optics.width * n), dtype=wp.uint64, device=self.device)
        keys.fill_(raster.EMPTY)
        if keys.size:
            self._launch(
                raster.rasterize, len(static.faces),
                static.placed, static.faces, static.sides, camera.fx * n, camera.fy * n,
                (camera.cx - optics.left) * n, (camera.cy - optics.top) * n,
                keys.shape[1], keys.shape[0], keys.flatten(),
            )  # fmt: skip

        light = self._lighting(scene, vertices, static)
        background = self._background(scene, light)
        sky, ground = _ambient(scene, background)
        light.sky, light.ground = wp.vec3(*sky), wp.vec3(*ground)
        model = shade.Model()
        model.corners, model.faces, model.layers = static.corners, static.faces, static.face_layers
        model.paints, model.noise, model.eye = paints, self._noise, self._eye
        picture = self._array(background.reshape(camera.height, -1), wp.uint8)
        seen = wp.zeros(len(static.faces), dtype=wp.uint8, device=self.device)
        counts = wp.empty((optics.height, optics.width), dtype=wp.uint8, device=self.device)
        self._launch(
            shade.shade, (optics.height, -(-optics.width // shade.STRIP)),
            keys, model, light, optics, self._to_linear, self._to_srgb, picture, seen, counts,
        )  # fmt: skip
        return Rendering(
            scene=scene,
            image=picture.numpy().reshape(camera.height, camera.width, 3),
            gbuffer=GBuffer(
                keys=keys.numpy(),
                counts=counts.numpy(),
                seen_faces=np.flatnonzero(seen.numpy()),
                samples=n,
                left=optics.left,
                top=optics.top,
                width=camera.width,
                height=camera.height,
                faces_per_person=len(self.body.surface.faces),
            ),
            posed=bodies,
            surface=self.body.surface,
            vertices=vertices,
        )

    def _lighting(
        self, scene: Scene, vertices: Float[np.ndarray, "n 3"], static: _Static
    ) -> shade.Lighting:
        """Lights in the camera's frame, those with shadows first, and their shadow maps."""
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
        light.lamps = self._structs(lamps, geometry.Lamp)
        light.shadow_count, light.shadow_size = sum(x.shadow for x in lights), _SHADOW_SIZE
        light.shadow_depths = wp.full(
            light.shadow_count * _SHADOW_SIZE**2, 1e9, dtype=wp.float32, device=self.device
        )
        light.up = wp.vec3(*rotation[:, 2])
        for index in range(light.shadow_count):
            self._launch(
                geometry.to_lamp, len(static.placed),
                static.placed, light.lamps, index, static.texels,
            )  # fmt: skip
            self._launch(
                raster.rasterize_light, len(static.faces),
                static.texels, static.faces, static.sides, static.face_layers,
                _SHADOW_SIZE, index * _SHADOW_SIZE**2, light.shadow_depths,
            )  # fmt: skip
        return light

    def _background(
        self,
        scene: Scene,
        light: shade.Lighting,
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
                out = wp.empty((half.height, 3 * half.width), dtype=wp.uint8, device=self.device)
                self._launch(
                    place.draw_place, (half.height, -(-half.width // shade.STRIP)),
                    place_to_room(built_in, half), light, self._noise, self._to_srgb,
                    half.width, out,
                )  # fmt: skip
                small = out.numpy().reshape(half.height, half.width, 3)
                return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _optics(camera: Camera, bounds: Float[np.ndarray, "4"]) -> shade.Optics:
    """The camera, and the window of the picture within `bounds` (left, top, right, bottom)."""
    limits = np.array([camera.width, camera.height])
    low = np.clip(np.floor(bounds[:2]), 0, limits).astype(int)
    high = np.clip(np.ceil(bounds[2:]), low, np.maximum(limits, low)).astype(int)
    optics = shade.Optics()
    optics.fx, optics.fy, optics.cx, optics.cy = camera.fx, camera.fy, camera.cx, camera.cy
    optics.samples = SAMPLES * SAMPLES
    optics.left, optics.top = (int(v) for v in low)
    optics.width, optics.height = (int(v) for v in high - low)
    return optics


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
    # A few pixels tell enough of the colours.
    height, width = background.shape[:2]
    few = background[height // 32 :: max(height // 16, 1), width // 32 :: max(width // 16, 1)]
    light = _LINEAR_OF_BYTE[few[..., ::-1]]
    middle = (len(light) + 1) // 2
    upper, lower = light[:middle].mean(axis=(0, 1)), light[-middle:].mean(axis=(0, 1))
    # Cameras expose for the scene: what counts is the tint, and above against below.
    grey = light.mean() + 0.03
    return tuple(
        scene.ambient * np.clip((half + grey) / (2 * grey), 0.4, 1.8) for half in (upper, lower)
    )
