"""Drawing a scene: a pure function of the options, the seed and the index."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from repogen.bodies import Body, load_body
from repogen.cameras.camera import Camera, View, look_at, view_of
from repogen.cameras.framing import PAPER_FOV_DEG, crop, fit
from repogen.cameras.optics import sample_distortion
from repogen.cameras.viewpoints import FIXED_VIEW, parse_views, sample_direction
from repogen.config import checked, config_from_keywords
from repogen.environment.backgrounds import Background, Room
from repogen.environment.lights import (
    DirectionalLight,
    is_tinted,
    sample_ambient,
    sample_lights,
)
from repogen.environment.occluders import Occluder
from repogen.environment.panoramas import Panorama, expose, panorama_lights
from repogen.environment.sensor import Sensor, parse_effects, sample_sensor
from repogen.errors import check_between
from repogen.people.person import Person
from repogen.people.posing import PosedPerson
from repogen.scenes.config import SceneConfig
from repogen.scenes.rng import Streams
from repogen.scenes.sample.crowd import clear_of_cameras, sample_crowd
from repogen.scenes.sample.floor import stand_in_view
from repogen.scenes.sample.occluders import sample_occluder
from repogen.scenes.scene import FORMAT, Scene
from repogen.usable_files import recorded_unreadable

_CAMERA_HEIGHT = 0.3
"""Metres that the floor of a background lies below the camera, at least."""


@dataclass(frozen=True, eq=False)
class SampledScene:
    """A scene with its people already posed, which rendering need not do again."""

    scene: Scene
    people: tuple[PosedPerson, ...]


@checked
def sample_scene(
    config: SceneConfig | None = None,
    seed: int = 0,
    index: int = 0,
    body: Body | None = None,
    **options: object,
) -> Scene:
    """Image `index` (from 0) of the run with this seed; `body` is loaded if not given.

    The options are a `SceneConfig` or its keywords: `sample_scene(views="top", seed=7)`.

    >>> scene = repogen.sample_scene(views="bottom", people=(2, 2), seed=1, index=5)
    >>> len(scene.people), scene.view_name
    (2, 'bottom')
    """
    config = config_from_keywords(SceneConfig, config, options)
    check_between("seed", seed, 0, 2**63 - 1)
    check_between("index", index, 0, 2**63 - 1)
    body = body or load_body(config.people.body, path=config.people.body_path)
    return sample_posed_scene(config, seed, index, body).scene


def sample_posed_scene(config: SceneConfig, seed: int, index: int, body: Body) -> SampledScene:
    """`sample_scene`, with its people as they are posed on `body`."""
    with recorded_unreadable() as reasons:
        sampled = _sample_posed_scene(config, seed, index, body)
    return replace(sampled, scene=replace(sampled.scene, unreadable=tuple(reasons)))


def _sample_posed_scene(config: SceneConfig, seed: int, index: int, body: Body) -> SampledScene:
    fixed = config.camera.fixed
    size = len(fixed) or config.camera.views_per_pose
    group = index // size
    # People and their surroundings are those of the group, the camera is the image's own.
    shared, streams = Streams(seed, group), Streams(seed, index)
    people = sample_crowd(config, shared, body)
    if fixed:
        people = stand_in_view(shared.rng("floor"), body, people, fixed)
    target = _target(config, people)
    # Surroundings have to suit all cameras of the group.
    shots = fixed_shots(fixed, people[0].person) or [
        sample_shot(config, Streams(seed, member), target, people[0].person.yaw_deg)
        for member in range(group * size, (group + 1) * size)
    ]
    view_name, _, camera = shots[index % size]
    people = clear_of_cameras(people, [shot.camera for shot in shots])
    points = [posed.outer_points for posed in people]
    camera = frame(config, streams, camera, np.concatenate(points))
    on_floor = config.people.ground == "floor"
    lowest = min(
        people[0].lowest if on_floor else min(float(p[:, 2].min()) for p in points),
        *(camera_floor(shot.camera) for shot in shots),
    )
    occluders = sample_occluders(config, streams, camera, points, lowest)
    reach = max(
        *(shot.view.distance_m + float(np.linalg.norm(target)) for shot in shots),
        *(float(np.linalg.norm(p[:, :2], axis=1).max()) for p in points),
    )
    background, lights = sample_surroundings(config, shared, lowest, reach)
    if isinstance(background, Panorama):
        towards = camera.position() - np.array(people[0].person.position)
        background = expose(background, towards / max(float(np.linalg.norm(towards)), 1e-9))
        lights = panorama_lights(background)
    light_model = config.environment.light_model
    scene = Scene(
        format=FORMAT,
        seed=seed,
        index=index,
        group=group,
        view_name=view_name,
        people=tuple(posed.person for posed in people),
        occluders=occluders,
        camera=camera,
        lights=lights,
        ambient=sample_ambient(shared.rng("ambient"), light_model),
        tinted=is_tinted(light_model),
        background=background,
        sensor=sample_focused_sensor(config, streams, camera, people[0].person.position),
    )
    return SampledScene(scene, people)


class Shot(NamedTuple):
    """A camera of a scene before it is framed, with its view of the first person."""

    view_name: str
    view: View
    camera: Camera


def fixed_shots(cameras: Sequence[Camera], first: Person) -> list[Shot]:
    """The shots of cameras that stand at one position."""
    return [
        Shot(f"{FIXED_VIEW}{number}", view_of(camera, first.position, first.yaw_deg), camera)
        for number, camera in enumerate(cameras, 1)
    ]


def sample_shot(
    config: SceneConfig, streams: Streams, target: tuple[float, float, float], yaw_deg: float
) -> Shot:
    """A random camera around people; it looks at `target`, metres in the world, and the first
    person is turned by `yaw_deg`."""
    name, view = sample_view(config, streams)
    return Shot(name, view, sample_camera(config, streams, view, target, yaw_deg))


def sample_view(config: SceneConfig, streams: Streams) -> tuple[str, View]:
    """The name of the viewpoint drawn, and the camera's view of the first person."""
    rng = streams.rng("view")
    distance = float(rng.uniform(*config.camera.distance))
    name, azimuth, elevation = sample_direction(rng, parse_views(config.camera.views), distance)
    if config.camera.azimuth:
        azimuth = float(rng.uniform(*config.camera.azimuth))
    if config.camera.elevation:
        heights = np.sin(np.radians(config.camera.elevation))
        elevation = float(np.degrees(np.arcsin(rng.uniform(*heights))))
    return name, View(azimuth, elevation, float(rng.uniform(*config.camera.roll)), distance)


def _target(config: SceneConfig, people: Sequence[PosedPerson]) -> tuple[float, float, float]:
    """What the camera looks at: the first person's hips, or the middle of the group."""
    if config.camera.aim == "group":
        x, y, z = np.mean([posed.person.position for posed in people], axis=0).tolist()
        return x, y, z
    return people[0].person.position


def sample_camera(
    config: SceneConfig,
    streams: Streams,
    view: View,
    target: tuple[float, float, float],
    yaw_deg: float,
) -> Camera:
    """The camera of a view, with its lens and field of view, before it is framed."""
    rng = streams.rng("lens")
    distortion = sample_distortion(rng, config.camera.lens)
    fov = float(rng.uniform(*config.camera.fov))
    circle = float(rng.uniform(*config.camera.circle)) if config.camera.circle else None
    if config.camera.calibrations:
        (calibration,) = config.camera.calibrations
        level = look_at(view, target, yaw_deg, 2, PAPER_FOV_DEG)
        return replace(calibration.camera, rotation=level.rotation, translation=level.translation)
    width, height = config.camera.size
    camera = look_at(view, target, yaw_deg, width, fov, config.camera.lens, distortion, height)
    return replace(camera, circle_deg=circle)


def frame(
    config: SceneConfig, streams: Streams, camera: Camera, points: Float[np.ndarray, "n 3"]
) -> Camera:
    """The camera zoomed, shifted and cropped as the options ask, around points in the world."""
    options = config.camera
    if options.calibrations:
        return camera
    if options.framing == "fit":
        rng = streams.rng("framing")
        camera = fit(rng, camera, points, options.person_share, options.truncate)
    return camera if options.crop is None else crop(camera, points, options.crop)


def camera_floor(camera: Camera) -> float:
    """The greatest height of a floor that is well below the camera, metres."""
    return float(camera.position()[2]) - _CAMERA_HEIGHT


def sample_occluders(
    config: SceneConfig,
    streams: Streams,
    camera: Camera,
    people: Sequence[Float[np.ndarray, "n 3"]],
    lowest: float,
) -> tuple[Occluder, ...]:
    """Occluders between the camera and people, where there is free space. `people` are the
    points that each person can be seen by, `lowest` is the height of the floor, metres."""
    rng = streams.rng("things")  # the name is part of the seed; keep it
    cutouts, root = config.environment.cutout_files, config.environment.cutouts
    count = int(rng.integers(config.environment.occluders[0], config.environment.occluders[1] + 1))
    found = [sample_occluder(rng, camera, people, lowest, cutouts, root) for _ in range(count)]
    return tuple(occluder for occluder in found if occluder)


def sample_surroundings(
    config: SceneConfig, streams: Streams, lowest: float, reach: float
) -> tuple[Background, tuple[DirectionalLight, ...]]:
    """A background around a scene that reaches `reach` metres from the origin and down to `lowest`,
    and its directional lights."""
    draw_background, _ = config.backdrop
    background = draw_background(streams.rng("background"), lowest, reach)
    if config.people.ground == "floor" and isinstance(background, Room):
        background = replace(background, floor_z=lowest)
    if isinstance(background, Panorama):
        return background, panorama_lights(background)
    return background, sample_lights(
        streams.rng("lights"),
        config.environment.lights,
        config.environment.shadows,
        config.environment.light_model,
    )


def sample_focused_sensor(
    config: SceneConfig, streams: Streams, camera: Camera, subject: tuple[float, float, float]
) -> Sensor:
    """The camera's sensor, its lens focused on a point in the world."""
    point = camera.to_camera(np.array([subject]))
    distance = max(float(camera.depth_of(point)[0]), 0.3)
    effects = parse_effects(config.sensor.effects)
    return sample_sensor(streams.rng("sensor"), effects, camera.fx, camera.width, distance)
