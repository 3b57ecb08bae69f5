"""From a scene to its picture and its G-buffer."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from repogen.appearance.backgrounds import Photo, Place, Plain, photo_pixels
from repogen.appearance.colors import from_hex, to_linear, to_srgb
from repogen.appearance.panorama import Panorama, panorama_backdrop, panorama_light
from repogen.bodies.protocol import LAYERS, Body, PosedBody, Surface
from repogen.errors import UserError
from repogen.rendering.extents import extents, overlapping
from repogen.rendering.gbuffer import GBuffer, half_covered, in_place
from repogen.rendering.kernels import geometry, place, raster, raster_rays, shade
from repogen.rendering.kernels.lens import PINHOLE, Lens, camera_to_lens
from repogen.rendering.kernels.noise import noise_table
from repogen.rendering.kernels.paint import Paint
from repogen.rendering.kernels.panorama import draw_panorama
from repogen.rendering.kernels.raster import SAMPLES
from repogen.rendering.kernels.texture import Material
from repogen.rendering.mesh import Mesh, Piece, join
from repogen.rendering.paints import outfits_to_paints, panorama_to_dome, place_to_room
from repogen.rendering.pieces import person_pieces, thing_piece
from repogen.rendering.sensor import developed, focused_background, laid_over, stand_apart
from repogen.rendering.surroundings import ambient_light
from repogen.rendering.textures import Textures
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
    mesh: Mesh
    """Bodies, garments and things; the G-buffer's faces are its faces."""
    vertices: Float[np.ndarray, "n 3"]
    """The mesh's vertices in the camera's frame."""
    boxes: Float[np.ndarray, "n 4"]
    """Left, top, right and bottom of each person in pixels, hidden or not, cut by no border."""
    alone: dict[int, UInt8[np.ndarray, "h w"]]
    """Masks of people near others or things in the picture, as if nothing but they were there."""


@dataclass(frozen=True)
class _Static:
    """What stays on the device for one choice of surfaces: the mesh, and room to work in."""

    mesh: Mesh
    fixed: wp.array
    faces: wp.array
    face_layers: wp.array
    uvs: wp.array
    starts: wp.array
    incident: wp.array
    facings: wp.array
    corners: wp.array
    placed: wp.array
    texels: wp.array
    shown: wp.array
    sides: wp.array


class Renderer:
    """Keeps one body model's surface, textures and buffers on a device ("cpu" or "cuda").

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
        self._textures = Textures(device)
        self._static = lru_cache(maxsize=4)(self._build_static)
        self._panorama = lru_cache(maxsize=32)(
            lambda path: self._array(panorama_backdrop(path), wp.vec3)
        )

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

    def _build_static(self, *surfaces: tuple[Surface, int]) -> _Static:
        mesh = join(surfaces)
        n, f = len(mesh.fixed), len(mesh.faces)
        return _Static(
            mesh=mesh,
            fixed=self._structs(mesh.fixed, geometry.Fixed),
            faces=self._array(mesh.faces, wp.int32),
            face_layers=self._array(mesh.layers, wp.uint8),
            uvs=self._array(mesh.uvs, wp.vec2),
            starts=self._array(mesh.starts, wp.int32),
            incident=self._array(mesh.incident, wp.int32),
            facings=wp.empty(f, dtype=wp.vec3, device=self.device),
            corners=wp.empty(n, dtype=geometry.Corner, device=self.device),
            placed=wp.empty(n, dtype=wp.vec3, device=self.device),
            texels=wp.empty(n, dtype=wp.vec3, device=self.device),
            shown=wp.empty(n, dtype=wp.uint8, device=self.device),
            sides=wp.empty(f, dtype=wp.uint8, device=self.device),
        )

    def _launch(self, kernel: object, dim: object, *args: object) -> None:
        wp.launch(kernel, dim=dim, inputs=list(args), device=self.device)

    def render(self, scene: Scene) -> Rendering:
        """The picture of a scene, the same bytes each time on the same kind of device.

        Raises `UserError` for a scene without people or with another body's.
        """
        if not scene.people:
            raise UserError(f"scene {scene.index} has no people; a picture needs at least one")
        other = {person.body for person in scene.people} - {self.body.name}
        if other:
            raise UserError(
                f"scene {scene.index} needs the body {min(other)}, not {self.body.name}"
            )
        self._textures.make_room()
        bodies = tuple(pose_person(self.body, person) for person in scene.people)
        pieces = [
            piece
            for place, (person, posed) in enumerate(zip(scene.people, bodies, strict=True))
            for piece in person_pieces(self.body, posed, person, place, self._textures.load)
        ]
        pieces += [thing_piece(thing, self._textures.load) for thing in scene.things]
        static = self._static(*((piece.surface, piece.person) for piece in pieces))
        camera = scene.camera
        lens = camera_to_lens(camera, self.device)
        paints = self._structs(outfits_to_paints([p.outfit for p in scene.people]), Paint)
        world = self._array(np.concatenate([piece.vertices for piece in pieces]), wp.vec3)
        bounds = self._array(np.array([1e9, 1e9, -1e9, -1e9]), wp.float32)
        self._launch(geometry.face_normals, len(static.faces), world, static.faces, static.facings)
        self._launch(
            geometry.place_vertices, len(world),
            world, static.facings, static.starts, static.incident, self._fixed(static, pieces),
            paints, wp.mat33(*np.array(camera.rotation).ravel()), wp.vec3(*camera.translation),
            lens, static.placed, static.corners, static.shown, bounds,
        )  # fmt: skip
        self._launch(
            geometry.visible_sides, len(static.faces),
            static.faces, static.face_layers, static.shown, static.sides,
        )  # fmt: skip
        vertices = static.placed.numpy().copy()
        optics = _optics(camera, lens, bounds.numpy())
        n = SAMPLES
        keys = wp.empty((optics.height * n, optics.width * n), dtype=wp.uint64, device=self.device)
        keys.fill_(raster.EMPTY)
        model = self._model(static, pieces, paints)
        if keys.size:
            self._rasterize(static, model, optics, keys, static.sides)

        light = self._lighting(scene, vertices, static)
        background = self._background(scene, light)
        if not isinstance(scene.background, Panorama):
            light.around = self._array(ambient_light(scene, background), wp.vec3)
        background = focused_background(background, scene)
        apart = stand_apart(scene, camera.depth_of(vertices))
        canvas = np.zeros_like(background) if apart else background
        picture = self._array(canvas.reshape(camera.height, -1), wp.uint8)
        seen = wp.zeros(len(static.faces), dtype=wp.uint8, device=self.device)
        counts = wp.empty((optics.height, optics.width), dtype=wp.uint8, device=self.device)
        self._launch(
            shade.shade, (optics.height, -(-optics.width // shade.STRIP)),
            keys, model, light, optics, self._to_linear, self._to_srgb, picture, seen, counts,
        )  # fmt: skip
        gbuffer = GBuffer(
            keys=keys.numpy(),
            counts=counts.numpy(),
            seen_faces=np.flatnonzero(seen.numpy()),
            samples=n,
            left=optics.left,
            top=optics.top,
            width=camera.width,
            height=camera.height,
        )
        shown = np.isin(static.sides.numpy(), (1, 2, 4))
        owners = (*range(len(bodies)), -1)
        boxes = np.stack([extents(camera, static.mesh, vertices, shown, who) for who in owners])
        image = picture.numpy().reshape(camera.height, camera.width, 3)
        if apart:
            image = laid_over(image, background, gbuffer, scene)
        return Rendering(
            scene=scene,
            image=developed(image, scene.sensor),
            gbuffer=gbuffer,
            posed=bodies,
            mesh=static.mesh,
            vertices=vertices,
            boxes=boxes[:-1],
            alone=self._alone(scene, static, model, lens, boxes),
        )

    def _alone(
        self,
        scene: Scene,
        static: _Static,
        model: shade.Model,
        lens: Lens,
        boxes: Float[np.ndarray, "n 4"],
    ) -> dict[int, UInt8[np.ndarray, "h w"]]:
        """See `Rendering.alone`; the last of the boxes is the things'."""
        camera, n, out = scene.camera, SAMPLES, {}
        near = overlapping(boxes)[:-1]
        sides = static.sides.numpy()
        for person in np.flatnonzero(near).tolist():
            own = self._array(np.where(static.mesh.people == person, sides, 0), wp.uint8)
            optics = _optics(camera, lens, boxes[person])
            keys = wp.full(
                (optics.height * n, optics.width * n), raster.EMPTY, wp.uint64, device=self.device
            )
            if keys.size:
                self._rasterize(static, model, optics, keys, own)
            mask = half_covered(keys.numpy() != np.uint64(raster.EMPTY), n)
            out[person] = in_place(mask, optics.left, optics.top, camera.width, camera.height)
        return out

    def _rasterize(
        self,
        static: _Static,
        model: shade.Model,
        optics: shade.Optics,
        keys: wp.array,
        sides: wp.array,
    ) -> None:
        """Fill the z-buffer: for a pinhole camera row by row; for other lenses, and of what
        textures cut out, ray by ray."""
        n, lens, (height, width) = SAMPLES, optics.lens, keys.shape
        buffer = keys.flatten()
        grid = raster_rays.Grid()
        grid.left, grid.top, grid.samples = optics.left, optics.top, n
        grid.width, grid.height = width, height
        if lens.model == PINHOLE:
            self._launch(
                raster.rasterize, len(static.faces),
                static.placed, static.faces, sides, lens.fx * n, lens.fy * n,
                (lens.cx - optics.left) * n, (lens.cy - optics.top) * n, width, height, buffer,
            )  # fmt: skip
        else:
            self._launch(
                raster_rays.rasterize_rays, len(static.faces),
                static.placed, static.faces, sides, lens, grid, buffer,
            )  # fmt: skip
        if (static.mesh.layers == LAYERS.index("strands")).any():
            self._launch(
                raster_rays.rasterize_strands, len(static.faces),
                static.placed, static.faces, sides, model.uvs, model.face_materials,
                model.materials, model.texels, lens, grid, buffer,
            )  # fmt: skip

    def _fixed(self, static: _Static, pieces: list[Piece]) -> wp.array:
        """The vertices' records, with what of the skin is under garments."""
        if all(piece.cover is None for piece in pieces):
            return static.fixed
        fixed = static.mesh.fixed.copy()
        start = 0
        for piece in pieces:
            end = start + len(piece.vertices)
            if piece.cover is not None:
                fixed["cover"][start:end] = piece.cover
            start = end
        return self._structs(fixed, geometry.Fixed)

    def _model(self, static: _Static, pieces: list[Piece], paints: wp.array) -> shade.Model:
        counts = np.cumsum([0] + [len(piece.materials) for piece in pieces])
        materials = np.concatenate([piece.materials for piece in pieces])
        model = shade.Model()
        model.corners, model.faces, model.layers = static.corners, static.faces, static.face_layers
        model.paints, model.noise, model.eye = paints, self._noise, self._eye
        model.uvs = static.uvs
        if len(materials):
            model.materials = self._structs(materials, Material)
        own = [
            np.full(len(p.surface.faces), -1, np.int16) if p.face_materials is None
            else np.where(p.face_materials < 0, -1, p.face_materials + start).astype(np.int16)
            for p, start in zip(pieces, counts, strict=False)
        ]  # fmt: skip
        model.face_materials = self._array(np.concatenate(own), wp.int16)
        model.texels.pixels = self._textures.pixels
        model.texels.to_linear = self._to_linear
        return model

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
        light.to_world = wp.mat33(*rotation.T.ravel())
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
                room = place_to_room(built_in, scene.camera)
                return self._drawn(scene, light, place.draw_place, room)
            case Panorama() as panorama:
                light.around = self._array(panorama_light(panorama), wp.vec3)
                dome = panorama_to_dome(panorama, scene.camera, self._panorama(panorama.path))
                return self._drawn(scene, light, draw_panorama, dome)

    def _drawn(
        self, scene: Scene, light: shade.Lighting, kernel: object, place: object
    ) -> UInt8[np.ndarray, "h w 3"]:
        """A background drawn at half size: it is out of focus, and the eye is on the person."""
        width, height = scene.camera.width, scene.camera.height
        columns, rows = (width + 1) // 2, (height + 1) // 2
        half = scene.camera.windowed(0, 0, columns, rows, 0.5)
        lens = camera_to_lens(half, self.device)
        out = wp.empty((rows, 3 * columns), dtype=wp.uint8, device=self.device)
        self._launch(
            kernel, (rows, -(-columns // shade.STRIP)),
            place, lens, light, self._noise, self._to_srgb, columns, out,
        )  # fmt: skip
        small = out.numpy().reshape(rows, columns, 3)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _optics(camera: Camera, lens: Lens, bounds: Float[np.ndarray, "4"]) -> shade.Optics:
    """The camera, and the window of the picture within `bounds` (left, top, right, bottom)."""
    limits = np.array([camera.width, camera.height])
    # Curved edges reach a little beyond their ends.
    margin = 0 if camera.model == "pinhole" else 2
    low = np.clip(np.floor(bounds[:2]) - margin, 0, limits).astype(int)
    high = np.clip(np.ceil(bounds[2:]) + margin, low, np.maximum(limits, low)).astype(int)
    optics = shade.Optics()
    optics.lens = lens
    optics.samples = SAMPLES * SAMPLES
    optics.left, optics.top = (int(v) for v in low)
    optics.width, optics.height = (int(v) for v in high - low)
    return optics
