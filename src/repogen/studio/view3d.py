"""The 3D view: bodies, floor, camera, lights, and handles for joints and camera."""

from collections.abc import Callable
from typing import Any

import numpy as np
import viser

from repogen.arrays import Float, Int
from repogen.bodies.rotations import matrices_to_vectors, quaternions_to_matrices
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.cameras.camera import Camera, angles_to_direction, direction_to_angles
from repogen.labels.stick import SIDE_COLORS
from repogen.people.posing import PosedPerson
from repogen.poses.bounds import Bounds
from repogen.scenes.sample.scene import SampledScene
from repogen.scenes.scene import Scene
from repogen.studio.frames import PELVIS, Frame, joint_frames
from repogen.studio.range_arcs import RangeArcs, joint_limits, range_arcs

_SKIN = (214, 190, 172)
_CLOTHES = {"hair": (92, 74, 60), "shoes": (70, 78, 92), "hats": (150, 120, 90)}
_CLOTH = ((92, 128, 150), (126, 142, 128), (150, 120, 130), (112, 112, 140))
_CAMERA = (20, 110, 120)
_CHOSEN = (250, 210, 40)
_SPHERE = (150, 170, 185)

LOOKS_FROM = np.array([1.0, -1.9, 0.8])
"""Where the 3D view looks from at first, in distances of the camera from the person."""

_OPACITY = 0.5
"""Opacity of bodies and clothes: the handles of the joints are inside."""

_RADIUS = 0.028
_CIRCLES = (-60, -30, 0, 30, 60)
"""Degrees of elevation of the circles of the sphere on which the camera is dragged."""

Rotation = Float[np.ndarray, "3 3"]


class View3D:
    """The nodes of viser's scene, and what is asked for when they are dragged.

    `choose(joint)`, `turn(joint, rotation, phase)` and `look(azimuth, elevation, phase)` are called
    on viser's thread and must return at once; `phase` is start, update or end.
    """

    def __init__(
        self,
        server: viser.ViserServer,
        choose: Callable[[str], None],
        turn: Callable[[str, Rotation, str], None],
        look: Callable[[float, float, str], None],
    ) -> None:
        self._scene = server.scene
        self._choose, self._turn, self._look = choose, turn, look
        self._meshes: dict[str, tuple[viser.MeshHandle, Int[np.ndarray, " v"]]] = {}
        self._people: dict[str, object] = {}
        self._chosen, self._held = "", ""
        self._target = np.zeros(3)
        self._azimuth_zero = 0.0
        self._initial, self._is_placed = server.initial_camera, False
        self._scene.configure_environment_map(hdri=None)
        self._scene.configure_default_lights(cast_shadow=False)
        self._scene.add_light_ambient("/ambient", intensity=1.1)
        self._floor = self._scene.add_grid(
            "/floor", 12, 12, cell_color=(222, 226, 230), section_color=(184, 192, 200)
        )
        self._frustum = self._scene.add_camera_frustum(
            "/camera", 1.0, 1.0, scale=0.35, color=_CAMERA, thickness=0.008
        )
        self._sphere = self._scene.add_line_segments(
            "/sphere", _sphere_lines(), colors=_SPHERE, thickness=0.004
        )
        self._eye = self._scene.add_icosphere("/eye", 0.06, color=_CAMERA)
        self._joints = {joint: self._joint(joint) for joint in (PELVIS, *BODY_JOINTS)}
        self._gizmo = self._scene.add_transform_controls(
            "/turn", 0.3, disable_axes=True, disable_sliders=True, depth_test=False, visible=False
        )
        self._arcs = RangeArcs(self._scene)
        self._on_drag()

    def _joint(self, joint: str) -> viser.IcosphereHandle:
        radius = 1.5 * _RADIUS if joint == PELVIS else _RADIUS
        handle = self._scene.add_icosphere(
            f"/joints/{joint}", radius, color=_joint_color(joint), subdivisions=2
        )

        async def clicked(_: object) -> None:
            self._choose(joint)

        handle.on_click(clicked)
        return handle

    def _on_drag(self) -> None:
        async def turned(event: viser.TransformControlsEvent) -> None:
            if event.client_id is None or not self._chosen:
                return
            self._held = "" if event.phase == "end" else "joint"
            rotation = _quaternion_to_matrix(np.array(event.target.wxyz))
            self._turn(self._chosen, rotation, event.phase)

        self._gizmo.on_update(turned)

        async def looked(event: Any) -> None:
            self._held = "" if event.phase == "end" else "camera"
            azimuth, elevation = direction_to_angles(np.array(event.end_position) - self._target)
            self._look(azimuth - self._azimuth_zero, elevation, event.phase)

        self._eye.on_drag("left")(looked)

    def mark(self, joint: str) -> None:
        """Mark the chosen joint; empty for none."""
        for name in {self._chosen, joint} - {""}:
            color = _CHOSEN if name == joint else _joint_color(name)
            self._joints[name].color = color
        self._chosen = joint
        self._gizmo.visible = bool(joint)

    def show(
        self,
        sampled: SampledScene,
        person_index: int,
        picture: np.ndarray | None,
        bounds: Bounds,
    ) -> None:
        """Show a scene; handles are those of one person, arcs the bounds of the chosen joint.
        `picture` is shown in the frustum."""
        scene, people = sampled.scene, sampled.people
        wanted: set[str] = set()
        for number, posed in enumerate(people):
            wanted |= self._show_person(f"/people/{number}", posed)
        for name in set(self._meshes) - wanted:
            self._meshes.pop(name)[0].remove()
        frames = joint_frames(people[person_index])
        for joint, handle in self._joints.items():
            handle.position = frames[joint].position
        if self._chosen:
            if self._held != "joint":
                self._place_gizmo(frames[self._chosen])
            limits = joint_limits(bounds, self._chosen)
            arcs = range_arcs(people[person_index].person, self._chosen, limits)
            self._arcs.show(arcs, frames[self._chosen].position)
        self._show_camera(scene, people[0], picture)
        self._floor.position = (0.0, 0.0, floor_of(scene, people))
        self._show_lights(scene)

    def _place_gizmo(self, frame: Frame) -> None:
        self._gizmo.position = frame.position
        self._gizmo.wxyz = _matrix_to_quaternion(frame.rotation)

    def _show_person(self, name: str, posed: PosedPerson) -> set[str]:
        """Names of the person's meshes."""
        pieces = {f"{name}/skin": (posed.body.vertices, skin_faces(posed), _SKIN)}
        for number, (item, garment) in enumerate(
            zip(posed.person.outfit.worn, posed.garments, strict=True)
        ):
            color = _CLOTHES.get(item.kind, _CLOTH[number % len(_CLOTH)])
            key = f"{name}/{item.kind}-{item.name}-{number}"
            pieces[key] = (garment.vertices, garment.fitted.surface.faces, color)
        if self._people.get(name) == posed.person and pieces.keys() <= self._meshes.keys():
            return set(pieces)
        self._people[name] = posed.person
        for key, (vertices, faces, color) in pieces.items():
            self._show_mesh(key, vertices, faces, color)
        return set(pieces)

    def _show_mesh(
        self,
        name: str,
        vertices: Float[np.ndarray, "v 3"],
        faces: Int[np.ndarray, "f 3"],
        color: tuple[int, int, int],
    ) -> None:
        used, own = np.unique(faces, return_inverse=True)
        known = self._meshes.get(name)
        if known is not None and np.array_equal(known[1], used):
            known[0].vertices = vertices[used].astype(np.float32)
            return
        handle = self._scene.add_mesh_simple(
            name,
            vertices[used].astype(np.float32),
            own.reshape(-1, 3).astype(np.uint32),
            color=color,
            side="double",
            opacity=_OPACITY,
        )
        self._meshes[name] = handle, used

    def _show_camera(self, scene: Scene, first: PosedPerson, picture: np.ndarray | None) -> None:
        camera = scene.camera
        eye = camera.position()
        self._target = np.array(first.person.position)
        self._azimuth_zero = first.person.yaw_deg
        distance = float(np.linalg.norm(eye - self._target))
        self._frustum.position, self._frustum.wxyz = eye, camera_quaternion(camera)
        half = min(camera.height / 2 / camera.fy, 4.0)
        self._frustum.fov = float(2 * np.arctan(half))
        self._frustum.aspect = camera.width / camera.height
        if picture is not None:
            self._frustum.image = picture
        if self._held != "camera":
            self._eye.position = eye
        self._sphere.position, self._sphere.scale = self._target, distance
        if not self._is_placed:
            self._is_placed = True
            self._initial.look_at = self._target.copy()
            self._initial.position = self._target + LOOKS_FROM * max(distance, 1.5)

    def _show_lights(self, scene: Scene) -> None:
        lights = [light for light in scene.lights if max(light.color) > 0]
        if not lights:
            self._scene.remove_by_name("/lights")
            return
        away = np.array([light.direction for light in lights])
        colors = np.array([light.color for light in lights])
        strength = colors.max(axis=1, keepdims=True)
        length = 0.25 + 0.5 * strength / strength.max()
        points = self._target + np.stack([(1.5 + length) * away, 1.5 * away], axis=1)
        rgb = np.rint(255 * colors / strength).astype(np.uint8)
        self._scene.add_arrows(
            "/lights", points.astype(np.float32), np.stack([rgb, rgb], axis=1)[:, 0],
            shaft_radius=0.01, head_radius=0.03, head_length=0.07,
        )  # fmt: skip


def skin_faces(posed: PosedPerson) -> Int[np.ndarray, "f 3"]:
    """The faces of skin and eyes that no garment hides."""
    surface = posed.surface
    faces = surface.faces[surface.faces_of("skin", "eyes")]
    hidden = np.zeros(len(surface.canonical), dtype=bool)
    for garment in posed.garments:
        hidden |= garment.fitted.hidden
    return faces[~hidden[faces].all(axis=1)]


def floor_of(scene: Scene, people: tuple[PosedPerson, ...]) -> float:
    """The height of the floor of the background, or of the lowest point of the first person where
    it has none; metres."""
    own = getattr(scene.background, "floor_z", None)
    return people[0].floor if own is None else float(own)


def camera_quaternion(camera: Camera) -> Float[np.ndarray, "4"]:
    """The camera's rotation to the world: w, x, y, z."""
    return _matrix_to_quaternion(np.array(camera.rotation).T)


def _sphere_lines() -> Float[np.ndarray, "n 2 3"]:
    """Circles of elevation and meridians of the unit sphere."""
    turn = np.linspace(-180.0, 180.0, 49)
    lines = [np.array([angles_to_direction(a, e) for a in turn]) for e in _CIRCLES]
    up = np.linspace(-90.0, 90.0, 25)
    lines += [np.array([angles_to_direction(a, e) for e in up]) for a in range(-180, 180, 45)]
    return np.concatenate([np.stack([line[:-1], line[1:]], axis=1) for line in lines])


def _joint_color(joint: str) -> tuple[int, int, int]:
    side = joint.split("_")[0]
    blue, green, red = SIDE_COLORS.get(side, SIDE_COLORS["middle"])
    return red, green, blue


def _quaternion_to_matrix(wxyz: Float[np.ndarray, "4"]) -> Rotation:
    return quaternions_to_matrices(np.roll(wxyz, -1)[None])[0]


def _matrix_to_quaternion(rotation: Rotation) -> Float[np.ndarray, "4"]:
    vector = matrices_to_vectors(rotation[None])[0]
    angle = float(np.linalg.norm(vector))
    axis = vector / angle if angle > 0 else np.array([1.0, 0.0, 0.0])
    return np.array([np.cos(angle / 2), *(np.sin(angle / 2) * axis)])
