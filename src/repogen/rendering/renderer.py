"""From a scene to its picture and its G-buffer."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8

from repogen.bodies.protocol import Body, PosedBody, Surface
from repogen.errors import UserError
from repogen.people.posing import pose_person
from repogen.rendering.backdrop import Backdrop
from repogen.rendering.buffers import (
    Buffers,
    array,
    color_tables,
    launch,
    mesh_buffers,
    structs,
)
from repogen.rendering.extents import extents
from repogen.rendering.gbuffer import GBuffer
from repogen.rendering.kernels import geometry, shade
from repogen.rendering.kernels.lens import Lens, camera_to_lens
from repogen.rendering.kernels.model import Model
from repogen.rendering.kernels.noise import noise_table
from repogen.rendering.kernels.paint import Paint
from repogen.rendering.kernels.raster import SAMPLES
from repogen.rendering.kernels.texture import Material
from repogen.rendering.lighting import scene_lighting
from repogen.rendering.mesh import Mesh, Piece, join
from repogen.rendering.paints import outfits_to_paints
from repogen.rendering.pieces import occluder_piece, person_pieces
from repogen.rendering.rim import rimmed
from repogen.rendering.sensor import developed, focused_background, laid_over, stand_apart
from repogen.rendering.textures import Textures
from repogen.rendering.zbuffer import Patch, patches_alone, rasterized, window
from repogen.scenes.scene import Scene
from repogen.warp_setup import wp


@dataclass(frozen=True)
class RenderResult:
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
    """Left, top, right and bottom of each person in pixels, hidden or not, cut by no border; but
    for a pinhole they end where the picture's corners see (`camera_to_lens`)."""
    alone: dict[int, Patch]
    """Of people near others or things in the picture: what their masks, without whatever hides
    them, are where those may be; elsewhere they are as they are."""


class Renderer:
    """Keeps one body model's surface, textures and buffers on a device ("cpu" or "cuda"), and
    draws one picture at a time: not for several threads.

    Raises whatever Warp raises for a device this machine does not have.
    """

    def __init__(self, body: Body, device: str = "cpu") -> None:
        self.body = body
        self.device = device
        self._noise = array(noise_table(), wp.vec4, device)
        self._to_linear, self._to_srgb = color_tables(device)
        surface = body.surface
        eyes = np.unique(surface.faces[surface.faces_of("eyes")])
        left = surface.canonical[eyes][surface.canonical[eyes][:, 0] > 0]
        self._eye = wp.vec3(*(float(v) for v in left[np.argmin(left[:, 1])]))
        self._textures = Textures(device)
        self._backdrop = Backdrop(device, self._noise)
        self._buffers = lru_cache(maxsize=4)(self._build_buffers)

    def _build_buffers(self, *surfaces: tuple[Surface, int]) -> Buffers:
        return mesh_buffers(join(surfaces), self.device)

    def render(self, scene: Scene) -> RenderResult:
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
        pieces += [occluder_piece(thing, self._textures.load) for thing in scene.occluders]
        buffers = self._buffers(*((piece.surface, piece.person) for piece in pieces))
        camera = scene.camera
        lens = camera_to_lens(camera, self.device)
        paints = structs(outfits_to_paints([p.outfit for p in scene.people]), Paint, self.device)
        bounds = self._place(scene, buffers, pieces, paints, lens)
        vertices = buffers.placed.numpy().copy()
        optics = window(camera, lens, bounds)
        model = self._model(buffers, pieces, paints)
        keys = rasterized(buffers, model, optics, buffers.sides)

        light = scene_lighting(scene, vertices, buffers, self.device)
        background = focused_background(self._backdrop.draw(scene, light, lens), scene)
        apart = stand_apart(scene, camera.depth_of(vertices))
        canvas = np.zeros_like(background) if apart else background
        image, gbuffer = self._shaded(keys, model, light, optics, canvas)
        if apart:
            image = laid_over(image, background, gbuffer, scene)
        shown = np.isin(buffers.sides.numpy(), (1, 2, 4))
        landed = buffers.landed.numpy()
        boxes = extents(buffers.mesh, landed, shown, len(bodies))
        return RenderResult(
            scene=scene,
            image=developed(rimmed(image, camera, lens, self.device), scene.sensor),
            gbuffer=gbuffer,
            posed=bodies,
            mesh=buffers.mesh,
            vertices=vertices,
            boxes=boxes[:-1],
            alone=patches_alone(camera, lens, buffers, model, boxes),
        )

    def _place(
        self, scene: Scene, buffers: Buffers, pieces: list[Piece], paints: wp.array, lens: Lens
    ) -> Float[np.ndarray, "4"]:
        """Put the pieces before the camera; returns the least and greatest x and y, in pixels, of
        what people and things may be seen by (left, top, right, bottom)."""
        camera = scene.camera
        world = array(np.concatenate([p.vertices for p in pieces]), wp.vec3, self.device)
        bounds = array(np.array([1e9, 1e9, -1e9, -1e9]), wp.float32, self.device)
        launch(
            self.device, geometry.face_normals, len(buffers.faces),
            world, buffers.faces, buffers.facings,
        )  # fmt: skip
        launch(
            self.device, geometry.place_vertices, len(world),
            world, buffers.facings, buffers.starts, buffers.incident,
            self._fixed(buffers, pieces), paints,
            wp.mat33(*np.array(camera.rotation).ravel()), wp.vec3(*camera.translation),
            lens, buffers.placed, buffers.landed, buffers.corners, buffers.shown, bounds,
        )  # fmt: skip
        launch(
            self.device, geometry.visible_sides, len(buffers.faces),
            buffers.faces, buffers.face_layers, buffers.shown, buffers.sides,
        )  # fmt: skip
        return bounds.numpy()

    def _fixed(self, buffers: Buffers, pieces: list[Piece]) -> wp.array:
        """The vertices' records, with what of the skin is under garments."""
        if all(piece.cover is None for piece in pieces):
            return buffers.fixed
        fixed = buffers.mesh.fixed.copy()
        start = 0
        for piece in pieces:
            end = start + len(piece.vertices)
            if piece.cover is not None:
                fixed["cover"][start:end] = piece.cover
            start = end
        return structs(fixed, geometry.Fixed, self.device)

    def _model(self, buffers: Buffers, pieces: list[Piece], paints: wp.array) -> Model:
        counts = np.cumsum([0] + [len(piece.materials) for piece in pieces])
        materials = np.concatenate([piece.materials for piece in pieces])
        model = Model()
        model.corners, model.faces = buffers.corners, buffers.faces
        model.layers, model.uvs = buffers.face_layers, buffers.uvs
        model.paints, model.noise, model.eye = paints, self._noise, self._eye
        if len(materials):
            model.materials = structs(materials, Material, self.device)
        own = [
            np.full(len(p.surface.faces), -1, np.int16) if p.face_materials is None
            else np.where(p.face_materials < 0, -1, p.face_materials + start).astype(np.int16)
            for p, start in zip(pieces, counts, strict=False)
        ]  # fmt: skip
        model.face_materials = array(np.concatenate(own), wp.int16, self.device)
        model.texels.pixels = self._textures.pixels
        model.texels.to_linear = self._to_linear
        return model

    def _shaded(
        self,
        keys: wp.array,
        model: Model,
        light: shade.Lighting,
        optics: shade.Optics,
        canvas: UInt8[np.ndarray, "h w 3"],
    ) -> tuple[UInt8[np.ndarray, "h w 3"], GBuffer]:
        """The canvas with what the z-buffer holds drawn over it, and the G-buffer."""
        height, width = canvas.shape[:2]
        picture = array(canvas.reshape(height, -1), wp.uint8, self.device)
        seen = wp.zeros(len(model.faces), dtype=wp.uint8, device=self.device)
        counts = wp.empty((optics.height, optics.width), dtype=wp.uint8, device=self.device)
        launch(
            self.device, shade.shade, (optics.height, -(-optics.width // shade.STRIP)),
            keys, model, light, optics, self._to_linear, self._to_srgb, picture, seen, counts,
        )  # fmt: skip
        gbuffer = GBuffer(
            keys=keys.numpy(),
            counts=counts.numpy(),
            seen_faces=np.flatnonzero(seen.numpy()),
            samples=SAMPLES,
            left=optics.left,
            top=optics.top,
            width=width,
            height=height,
        )
        return picture.numpy().reshape(height, width, 3), gbuffer
