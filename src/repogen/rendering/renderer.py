"""From a scene to its picture and its G-buffer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.bodies.protocol import Body, Surface
from repogen.environment.backgrounds import Photo
from repogen.environment.panoramas import Panorama
from repogen.errors import UserError
from repogen.people.posing import PosedPerson, pose_person
from repogen.rendering.amodal import AmodalPatch, amodal_boxes, amodal_patches
from repogen.rendering.backdrop import Backdrop
from repogen.rendering.buffers import (
    Buffers,
    array,
    color_tables,
    launch,
    launch_batched,
    mesh_buffers,
    struct_array,
)
from repogen.rendering.colored_mesh import ColoredMesh, read_colored_mesh
from repogen.rendering.floor_shadow import floor_light_squares, shaded_floor
from repogen.rendering.gbuffer import GBuffer
from repogen.rendering.image_circle import apply_image_circle
from repogen.rendering.kernels import folds, geometry, shade
from repogen.rendering.kernels.codes import NO_MATERIAL
from repogen.rendering.kernels.lens import Lens, camera_to_lens
from repogen.rendering.kernels.noise import noise_table
from repogen.rendering.kernels.occlusion import Bodies
from repogen.rendering.kernels.paint import Paint
from repogen.rendering.kernels.raster import SAMPLES
from repogen.rendering.kernels.scene_mesh import SceneMesh
from repogen.rendering.kernels.texture import TexturedMaterial
from repogen.rendering.lighting import scene_lighting
from repogen.rendering.loading import load_kernels
from repogen.rendering.mesh import Mesh, Piece, concatenate_structs, join
from repogen.rendering.occlusion import floor_map, make_bodies
from repogen.rendering.paints import outfits_to_paints
from repogen.rendering.pieces import occluder_piece, person_pieces
from repogen.rendering.sensor import (
    apply_sensor,
    composite,
    defocus_background,
    needs_compositing,
)
from repogen.rendering.textures import Textures
from repogen.rendering.water import apply_water
from repogen.rendering.zbuffer import empty_keys, rasterize_window, zbuffer_viewport
from repogen.scenes.scene import Scene
from repogen.warp_setup import wp


@dataclass(frozen=True)
class RenderResult:
    """One finished picture, and everything that its labels are computed from.

    Boxes are in pixels, x to the right and y down, with pixel centres at +0.5.
    """

    scene: Scene
    image: UInt8[np.ndarray, "h w 3"]
    """The picture, BGR as in OpenCV."""
    gbuffer: GBuffer
    """Face and depth of each sample of the picture, before the sensor's effects."""
    people: tuple[PosedPerson, ...]
    mesh: Mesh
    """Bodies, garments and occluders in one mesh; the G-buffer's faces are indices into it."""
    vertices: Float[np.ndarray, "n 3"]
    """The mesh's vertices in the camera's frame, metres."""
    amodal_boxes: Float[np.ndarray, "n 4"]
    """Left, top, right and bottom of each person, as if nothing stood in front and not clipped to
    the picture. Lenses other than a pinhole clip them to what the picture's corners see
    (`camera_to_lens`)."""
    amodal_patches: dict[int, AmodalPatch]
    """Windows of the amodal masks of people who overlap others or occluders, by their index in the
    scene. Outside the window, and for everybody else, the amodal mask is the visible mask."""


@dataclass(frozen=True)
class _Prepared:
    """A scene in a renderer's buffers, before anything is drawn."""

    people: Sequence[PosedPerson]
    buffers: Buffers
    lens: Lens
    bodies: Bodies
    bounds: Float[np.ndarray, "4"]
    """What `Renderer._transform` returns."""
    scene_mesh: SceneMesh


class Renderer:
    """Renders scenes of one body model on a device ("cpu" or "cuda").

    It keeps the body's surface, textures and buffers on the device. Not for use by several threads
    at once. Raises the error of Warp for a device that this machine does not have.
    """

    def __init__(self, body: Body, device: str = "cpu") -> None:
        self.body = body
        self.device = device
        load_kernels(device)
        self._noise = array(noise_table(), wp.vec4, device)
        self._to_linear, _ = color_tables(device)
        surface = body.surface
        eyes = np.unique(surface.faces[surface.faces_of("eyes")])
        left = surface.canonical[eyes][surface.canonical[eyes][:, 0] > 0]
        self._eye = wp.vec3(*(float(v) for v in left[np.argmin(left[:, 1])]))
        self._textures = Textures(device)
        self._backdrop = Backdrop(device, self._noise)
        self._buffers = lru_cache(maxsize=4)(self._build_buffers)

    def _build_buffers(self, *surfaces: tuple[Surface, int]) -> Buffers:
        return mesh_buffers(join(surfaces), self.device)

    def render(self, scene: Scene, people: Sequence[PosedPerson] | None = None) -> RenderResult:
        """Renders a scene: the same bytes each time on the same kind of device.

        `people` are the scene's people where they are posed already; they are posed if not given.

        Raises `UserError` for a scene without people or with people of another body.
        """
        prepared = self._prepare(scene, people)
        camera, lens, people = scene.camera, prepared.lens, prepared.people
        buffers, bodies = prepared.buffers, prepared.bodies
        vertices = buffers.camera_vertices.numpy().copy()
        viewport = zbuffer_viewport(camera, lens, prepared.bounds)
        scene_mesh = prepared.scene_mesh
        keys = empty_keys(viewport, self.device)
        rasterize_window(buffers, scene_mesh, viewport, buffers.face_culling, keys)

        lighting = scene_lighting(scene, vertices, buffers, self.device)
        lighting.floor = floor_map(scene, bodies, self.device)
        floor_light = floor_light_squares(scene, lighting)
        lighting.floor_light = array(floor_light.ravel(), wp.float32, self.device)
        lighting.floor_size = floor_light.shape[-1]
        background = self._backdrop.draw(scene, lighting, lens)
        if isinstance(scene.background, Photo) and scene.background.floor_z is not None:
            floor_z = scene.background.floor_z
            background = shaded_floor(
                background, floor_z, scene, lighting, vertices, buffers, self.device
            )
        background = defocus_background(background, scene)
        layered = needs_compositing(scene, camera.depth_of(vertices))
        canvas = np.zeros_like(background) if layered else background
        tables = color_tables(self.device, isinstance(scene.background, Panorama))
        image, gbuffer = self._shade(keys, scene_mesh, lighting, viewport, canvas, tables)
        if layered:
            image = composite(image, background, gbuffer, scene)
        image = apply_water(image, gbuffer, scene)
        image = apply_image_circle(image, camera, lens, self.device)
        boxes = amodal_boxes(buffers, len(people))
        return RenderResult(
            scene=scene,
            image=apply_sensor(image, scene.sensor),
            gbuffer=gbuffer,
            people=tuple(people),
            mesh=buffers.mesh,
            vertices=vertices,
            amodal_boxes=boxes[:-1],
            amodal_patches=amodal_patches(camera, buffers, scene_mesh, boxes, viewport, keys),
        )

    def colored_mesh(self, scene: Scene) -> ColoredMesh:
        """All surfaces of a scene that a camera can see, from whatever side, with their colours.

        Raises `UserError` as `render` does.
        """
        prepared = self._prepare(scene, None)
        return read_colored_mesh(scene.camera, prepared.buffers, prepared.scene_mesh, self.device)

    def _prepare(self, scene: Scene, people: Sequence[PosedPerson] | None) -> _Prepared:
        """Pose the people, and fill the buffers with all that the camera may see."""
        if not scene.people:
            raise UserError(f"scene {scene.index} has no people; a picture needs at least one")
        other = {person.body for person in scene.people} - {self.body.name}
        if other:
            raise UserError(
                f"scene {scene.index} needs the body {min(other)}, not {self.body.name}"
            )
        self._textures.clear_if_full()
        if people is None:
            people = [pose_person(self.body, person) for person in scene.people]
        pieces = [
            piece
            for person_index, posed in enumerate(people)
            for piece in person_pieces(posed, person_index, self._textures.load)
        ]
        if scene.occluders:
            points = np.concatenate([posed.outer_points for posed in people])
            pieces += [occluder_piece(one, points, self._textures.load) for one in scene.occluders]
        buffers = self._buffers(*((piece.surface, piece.person) for piece in pieces))
        lens = camera_to_lens(scene.camera, self.device)
        outfits = [person.outfit for person in scene.people]
        paints = struct_array(outfits_to_paints(outfits), Paint, self.device)
        bodies = make_bodies(scene, people, self.device)
        bounds = self._transform(scene, buffers, pieces, paints, lens, bodies)
        return _Prepared(
            people, buffers, lens, bodies, bounds, self._scene_mesh(buffers, pieces, paints)
        )

    def _transform(
        self,
        scene: Scene,
        buffers: Buffers,
        pieces: list[Piece],
        paints: wp.array,
        lens: Lens,
        bodies: Bodies,
    ) -> Float[np.ndarray, "4"]:
        """Fill the buffers with the pieces as the camera sees them.

        Returns the box (left, top, right, bottom; pixels) of the vertices by which people and
        occluders may be seen.
        """
        camera = scene.camera
        world = array(np.concatenate([p.vertices for p in pieces]), wp.vec3, self.device)
        bounds = array(np.array([1e9, 1e9, -1e9, -1e9]), wp.float32, self.device)
        covers = np.concatenate([_covers(piece) for piece in pieces])
        launch_batched(
            self.device, geometry.face_normals, len(buffers.faces),
            world, buffers.faces, buffers.face_normals,
        )  # fmt: skip
        launch_batched(
            self.device, geometry.transform_vertices, len(world),
            world, buffers.face_normals, buffers.vertex_face_offsets, buffers.vertex_faces,
            buffers.static_vertices, array(covers, wp.uint8, self.device), paints,
            wp.mat33(*np.array(camera.rotation).ravel()), wp.vec3(*camera.translation), lens,
            bodies,
            buffers.camera_vertices, buffers.screen_vertices, buffers.shading_vertices,
            buffers.vertex_visibility, bounds,
        )  # fmt: skip
        launch_batched(
            self.device, geometry.cull_faces, len(buffers.faces),
            buffers.faces, buffers.face_layers, buffers.vertex_visibility, buffers.face_culling,
        )  # fmt: skip
        rests = [piece.vertices if piece.rest is None else piece.rest for piece in pieces]
        rest = array(np.concatenate(rests), wp.vec3, self.device)
        launch_batched(
            self.device, folds.fold_faces, len(buffers.cloth_faces),
            world, rest, buffers.canonical, buffers.faces, buffers.cloth_faces,
            buffers.face_culling, buffers.face_folds,
        )  # fmt: skip
        launch_batched(
            self.device, folds.fold_vertices, len(buffers.cloth_vertices),
            buffers.canonical, buffers.faces, buffers.cloth_vertices, buffers.face_culling,
            buffers.vertex_face_offsets, buffers.vertex_faces, buffers.face_folds,
            buffers.vertex_folds,
        )  # fmt: skip
        return bounds.numpy()

    def _scene_mesh(self, buffers: Buffers, pieces: list[Piece], paints: wp.array) -> SceneMesh:
        counts = np.cumsum([0] + [len(piece.materials) for piece in pieces], dtype=np.int16)
        materials = concatenate_structs([piece.materials for piece in pieces])
        scene_mesh = SceneMesh()
        scene_mesh.vertices, scene_mesh.faces = buffers.shading_vertices, buffers.faces
        scene_mesh.folds = buffers.vertex_folds
        scene_mesh.layers, scene_mesh.uvs = buffers.face_layers, buffers.uvs
        scene_mesh.paints, scene_mesh.noise, scene_mesh.eye = paints, self._noise, self._eye
        if len(materials):
            scene_mesh.materials = struct_array(materials, TexturedMaterial, self.device)
        face_materials = []
        for piece, start in zip(pieces, counts, strict=False):
            own = piece.face_materials
            if own is None:
                face_materials.append(np.full(len(piece.surface.faces), NO_MATERIAL, np.int16))
            else:
                face_materials.append(np.where(own == NO_MATERIAL, own, own + start))
        scene_mesh.face_materials = array(np.concatenate(face_materials), wp.int16, self.device)
        scene_mesh.texels.pixels = self._textures.pixels
        scene_mesh.texels.to_linear = self._to_linear
        return scene_mesh

    def _shade(
        self,
        keys: wp.array,
        scene_mesh: SceneMesh,
        lighting: shade.Lighting,
        viewport: shade.Viewport,
        canvas: UInt8[np.ndarray, "h w 3"],
        tables: tuple[wp.array, wp.array],
    ) -> tuple[UInt8[np.ndarray, "h w 3"], GBuffer]:
        """The canvas with the faces of the z-buffer drawn over it, BGR, and the G-buffer.

        `tables` are those of `color_tables`.
        """
        height, width = canvas.shape[:2]
        picture = array(canvas.reshape(height, -1).copy(), wp.uint8, self.device)
        seen = wp.zeros(len(scene_mesh.faces), dtype=wp.uint8, device=self.device)
        counts = wp.empty((viewport.height, viewport.width), dtype=wp.uint8, device=self.device)
        launch(
            self.device, shade.shade, (viewport.height, -(-viewport.width // shade.STRIP)),
            keys, scene_mesh, lighting, viewport, *tables, picture,
            seen, counts,
        )  # fmt: skip
        gbuffer = GBuffer(
            depth_face_keys=keys.numpy(),
            counts=counts.numpy(),
            seen_faces=np.flatnonzero(seen.numpy()),
            samples=SAMPLES,
            left=viewport.left,
            top=viewport.top,
            width=width,
            height=height,
        )
        return picture.numpy().reshape(height, width, 3), gbuffer


def _covers(piece: Piece) -> UInt8[np.ndarray, " v"]:
    """Cover codes of a piece's vertices."""
    return np.zeros(len(piece.vertices), np.uint8) if piece.cover is None else piece.cover
