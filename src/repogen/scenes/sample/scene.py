"""Drawing a scene: a pure function of the options, the seed and the index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from repogen.assets.sources import path_of
from repogen.bodies import Body, load_body
from repogen.cameras.camera import Camera
from repogen.config import checked, config_from_keywords
from repogen.environment.backgrounds import Background, Photo, has_floor, load_photo
from repogen.environment.lights import (
    DirectionalLight,
    expose_lights,
    is_tinted,
    sample_ambient,
    sample_lights,
)
from repogen.environment.occluders import Occluder
from repogen.environment.panoramas import Panorama, expose, panorama_lights
from repogen.environment.photo_light import photo_light
from repogen.environment.rooms import Room, as_pool, within_walls
from repogen.environment.sensor import Sensor, parse_effects, sample_sensor
from repogen.environment.water import Water, sample_water
from repogen.errors import check_between
from repogen.people.person import Given, Person
from repogen.people.posing import PosedPerson
from repogen.scenes.config import ABOVE_FLOOR, SceneConfig
from repogen.scenes.rng import Streams
from repogen.scenes.sample.bed import sample_bed
from repogen.scenes.sample.climbing_wall import sample_wall
from repogen.scenes.sample.crowd import clear_of_cameras, sample_crowd
from repogen.scenes.sample.floor import stand_in_view
from repogen.scenes.sample.occluders import sample_occluder
from repogen.scenes.sample.person import component_of
from repogen.scenes.sample.shots import fixed_shots, frame, sample_shot
from repogen.scenes.sample.visible import visible_keypoints_about
from repogen.scenes.scene import FORMAT, Scene
from repogen.usable_files import recorded_unreadable

_LEAST_ABOVE = 0.05
"""Metres that the floor of a background lies below the camera, at least."""

_NEAR_FLOOR = 0.3
"""Metres that the first person is above the floor, at most, for furniture to stand between the
camera and people: from far below, it would be a tower before the sky."""

_HIGH, _FAR_FLOOR = 3.0, 8.0
"""Metres above the floor from which on a camera is high, and metres from the people to the floor
that it sees far from them."""

_TRIES = 8
"""Compositions drawn for an image, at most, with --min-keypoints."""

_DOUBT = 1
"""Keypoints that `visible_keypoints_about` must find beyond those wanted, since it may be wrong."""


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


def sample_posed_scene(
    config: SceneConfig,
    seed: int,
    index: int,
    body: Body,
    given: Mapping[int, Given] | None = None,
) -> SampledScene:
    """`sample_scene`, with its people as they are posed on `body`; `given` is what is not drawn of
    people, by number from 0."""
    with recorded_unreadable() as reasons:
        sampled = _sample_posed_scene(config, seed, index, body, given)
    return replace(sampled, scene=replace(sampled.scene, unreadable=tuple(reasons)))


def _sample_posed_scene(
    config: SceneConfig, seed: int, index: int, body: Body, given: Mapping[int, Given] | None
) -> SampledScene:
    fixed = config.camera.fixed
    size = len(fixed) or config.camera.views_per_pose
    shared = Streams(seed, index // size)
    crowd = sample_crowd(config, shared, body, given)
    wanted = config.camera.min_keypoints
    enough = min(wanted + _DOUBT, 17) if wanted else 0
    best: tuple[int, _Composition] | None = None
    for attempt in range(_TRIES if wanted else 1):
        found = _compose(config, seed, index, attempt, body, crowd)
        count = 0
        if wanted:
            seen = visible_keypoints_about(found.camera, found.people, found.occluders)
            count = int(seen.sum())
        if best is None or count > best[0]:
            best = count, found
        if count >= enough:
            break
    assert best is not None
    return _finished(config, Streams(seed, index), shared, best[1])


class _Composition(NamedTuple):
    """Where people, camera and occluders of an image are."""

    people: tuple[PosedPerson, ...]
    view_name: str
    camera: Camera
    occluders: tuple[Occluder, ...]
    background: Background
    lights: tuple[DirectionalLight, ...]
    ambient: float


def _compose(
    config: SceneConfig,
    seed: int,
    index: int,
    attempt: int,
    body: Body,
    people: tuple[PosedPerson, ...],
) -> _Composition:
    """One try at placing the cameras of an image's group, and the occluders.

    Surroundings have to suit all cameras of a group, so that later tries move only the camera of
    a group of one.
    """
    fixed = config.camera.fixed
    size = len(fixed) or config.camera.views_per_pose
    group, moves = index // size, attempt if size == 1 else 0
    # People and their surroundings are those of the group, the camera is the image's own.
    shared, streams = Streams(seed, group), Streams(seed, index, attempt)
    if fixed:
        rng = Streams(seed, group, moves).rng("floor")
        people = stand_in_view(rng, body, people, fixed)
    target = _target(config, people)
    component = component_of(config, shared)
    shots = fixed_shots(fixed, people[0].person) or [
        sample_shot(config, Streams(seed, member, moves), people, target, component)
        for member in range(group * size, (group + 1) * size)
    ]
    view_name, _, camera = shots[index % size]
    people = clear_of_cameras(people, [shot.camera for shot in shots])
    points = [posed.outer_points for posed in people]
    camera = frame(config, streams, camera, np.concatenate(points))
    cameras = [shot.camera for shot in shots]
    near = sample_bed(shared.rng("bed"), people[0]) if config.people.ground == "bed" else ()
    floor = _floor(config, people, near, cameras)
    if config.people.ground == "wall":
        rng = shared.rng("wall")
        if not _on_floor(config):
            floor -= float(rng.uniform(0.0, 2.0))
        near = sample_wall(rng, people[0], cameras, floor)
    reach = max(
        *(float(np.linalg.norm(shot.camera.position())) for shot in shots),
        *(float(np.sqrt((p[:, 0] * p[:, 0] + p[:, 1] * p[:, 1]).max())) for p in points),
    )
    first = people[0]
    # The cameras of a group share the surroundings, and each is framed by itself.
    views = [camera] if size == 1 else cameras
    overlook = max(metres_overlooked(view, floor) for view in views)
    background, lights, ambient = sample_surroundings(
        config, shared, floor, reach, first.person, overlook
    )
    towards = camera.position() - np.array(first.person.position)
    towards /= max(float(np.linalg.norm(towards)), 1e-9)
    if isinstance(background, Panorama):
        background = expose(background, towards, config.people.ground == "wall")
        lights = panorama_lights(background)
    elif is_tinted(config.environment.light_model) and not config.shows_own_floor:
        lights, ambient = expose_lights(lights, ambient, towards)
    ground = _ground(config, background, first, floor)
    occluders = sample_occluders(config, streams, camera, people, near, ground)
    return _Composition(people, view_name, camera, occluders, background, lights, ambient)


def _finished(
    config: SceneConfig, streams: Streams, shared: Streams, found: _Composition
) -> SampledScene:
    subject = found.people[0].person.position
    scene = Scene(
        format=FORMAT,
        seed=streams.seed,
        index=streams.index,
        group=shared.index,
        view_name=found.view_name,
        people=tuple(posed.person for posed in found.people),
        occluders=found.occluders,
        camera=found.camera,
        lights=found.lights,
        ambient=found.ambient,
        tinted=is_tinted(config.environment.light_model),
        background=found.background,
        sensor=sample_focused_sensor(config, streams, found.camera, subject),
        water=_water(config, shared, found.people[0]),
    )
    return SampledScene(scene, found.people)


def _on_floor(config: SceneConfig) -> bool:
    """Whether people stand on the background's floor; before fixed cameras they always do."""
    return config.people.on_floor or bool(config.camera.fixed)


def _water(config: SceneConfig, streams: Streams, first: PosedPerson) -> Water | None:
    if not config.environment.water:
        return None
    heights = first.outer_points[:, 2]
    return sample_water(streams.rng("water"), float(heights.min()), float(heights.max()))


def _floor(
    config: SceneConfig,
    people: Sequence[PosedPerson],
    bed: Sequence[Occluder],
    cameras: Sequence[Camera],
) -> float:
    """The height of the background's floor, metres: under the bed or the first person's feet, or
    below everything where people are in the air."""
    heights = [float(camera.position()[2]) for camera in cameras]
    if bed:
        return bed[0].position[2] - bed[0].size[2] / 2
    if _on_floor(config):
        # Below a camera of a file that stands lower than the people.
        return min(people[0].floor, *(height - _LEAST_ABOVE for height in heights))
    lowest = [float(posed.outer_points[:, 2].min()) for posed in people]
    return min(*lowest, *(height - ABOVE_FLOOR for height in heights))


def metres_overlooked(camera: Camera, floor: float) -> float:
    """Metres that a camera is above the floor (a height, metres), if it is high and sees the floor
    far from people; else 0."""
    height = float(camera.position()[2]) - floor
    if height < _HIGH:
        return 0.0
    rows, columns = np.mgrid[0:5, 0:5].reshape(2, -1) / 4
    pixels = np.column_stack([columns * camera.width, rows * camera.height])
    rays = camera.rays(pixels) @ np.array(camera.rotation)
    rays = rays[np.isfinite(rays).all(axis=1)]
    if (rays[:, 2] > -1e-6).any():
        return height
    seen = camera.position()[:2] - height / rays[:, 2:] * rays[:, :2]
    return height if (np.linalg.norm(seen, axis=1) > _FAR_FLOOR).any() else 0.0


def _ground(
    config: SceneConfig, background: Background, first: PosedPerson, floor: float
) -> float | None:
    """The height on which furniture stands, metres; None where it would stand on nothing, or far
    below the people."""
    if _on_floor(config):
        return floor
    if not has_floor(background, config.floorless):
        return None
    assert isinstance(background, Room | Panorama)
    return background.floor_z if first.floor - background.floor_z < _NEAR_FLOOR else None


def _target(config: SceneConfig, people: Sequence[PosedPerson]) -> tuple[float, float, float]:
    """What the camera looks at: the first person's hips, or the middle of the group."""
    if config.camera.aim == "group":
        x, y, z = np.mean([posed.person.position for posed in people], axis=0).tolist()
        return x, y, z
    return people[0].person.position


def sample_occluders(
    config: SceneConfig,
    streams: Streams,
    camera: Camera,
    people: Sequence[PosedPerson],
    near: Sequence[Occluder],
    floor: float | None,
) -> tuple[Occluder, ...]:
    """The bed or wall that is `near` people, and occluders between the camera and people, where
    there is free space. `floor` is the height of the floor, metres, None without one."""
    rng = streams.rng("things")  # the name is part of the seed; keep it
    cutouts, root = config.environment.cutout_files, config.environment.cutouts
    count = int(rng.integers(config.environment.occluders[0], config.environment.occluders[1] + 1))
    found = list(near)
    for _ in range(count):
        occluder = sample_occluder(rng, camera, people, found, floor, cutouts, root)
        found += [occluder] if occluder else []
    return tuple(found)


def sample_surroundings(
    config: SceneConfig,
    streams: Streams,
    lowest: float,
    reach: float,
    first: Person,
    overlook: float,
) -> tuple[Background, tuple[DirectionalLight, ...], float]:
    """A background around a scene that reaches `reach` metres from the origin and down to `lowest`,
    its directional lights, and the strength of the light from all sides. `first` is the first
    person; `overlook` are the metres from which a camera looks over the ground, 0 if none does."""
    draw_background, _ = config.backdrop
    background = draw_background(streams.rng("background"), lowest, reach, overlook)
    model = config.environment.light_model
    ambient = sample_ambient(streams.rng("ambient"), model)
    if isinstance(background, Room):
        if config.environment.water:
            background = as_pool(streams.rng("pool"), background)
        if config.people.ground == "bed":
            background = within_walls(streams.rng("walls"), background, reach)
        if _on_floor(config) or config.people.ground == "wall":
            background = replace(background, floor_z=lowest)
    if isinstance(background, Panorama):
        return background, panorama_lights(background), ambient
    if isinstance(background, Photo) and config.shows_own_floor:
        background = replace(background, floor_z=0.0)
        if is_tinted(model):
            photo, (camera,) = load_photo(str(path_of(background.file))), config.camera.fixed
            found = photo_light(photo, camera, 0.0, first.position[:2])
            return background, found.lamps, found.ambient
    lights = sample_lights(
        streams.rng("lights"), config.environment.lights, config.environment.shadows, model
    )
    if _on_floor(config) and is_tinted(model):
        lights = tuple(_from_above(light) for light in lights)
    return background, lights, ambient


def _from_above(light: DirectionalLight) -> DirectionalLight:
    """The light, mirrored at the floor if it comes from below it."""
    x, y, z = light.direction
    return replace(light, direction=(x, y, abs(z)))


def sample_focused_sensor(
    config: SceneConfig, streams: Streams, camera: Camera, subject: tuple[float, float, float]
) -> Sensor:
    """The camera's sensor, its lens focused on a point in the world."""
    point = camera.to_camera(np.array([subject]))
    distance = max(float(camera.depth_of(point)[0]), 0.3)
    effects = parse_effects(config.sensor.effects)
    return sample_sensor(streams.rng("sensor"), effects, camera.fx, camera.width, distance)
