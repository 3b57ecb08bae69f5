"""Drawing cameras around people, before they are framed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from repogen.arrays import Float
from repogen.cameras.camera import Camera, View, angles_to_direction, look_at, view_of
from repogen.cameras.framing import PAPER_FOV_DEG, crop, fit, step_back
from repogen.cameras.optics import sample_distortion
from repogen.cameras.viewpoints import FIXED_VIEW
from repogen.people.person import Person
from repogen.people.posing import PosedPerson
from repogen.poses.sampler import Component
from repogen.scenes.config import ABOVE_FLOOR, SceneConfig, draw_view
from repogen.scenes.rng import Streams
from repogen.scenes.sample.crowd import sparse

_TRIES = 50

_FROM_FIRST = 0.4
"""Metres between the camera and the first person's surface, at least; half the distance to the hips
where that is less."""


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
    config: SceneConfig,
    streams: Streams,
    people: Sequence[PosedPerson],
    target: tuple[float, float, float],
    component: Component | None = None,
) -> Shot:
    """A random camera around people that looks at `target`, metres in the world, far enough away
    for --max-off-axis. `component` is that of the first person, if --sampler drew one."""
    yaw_deg = people[0].person.yaw_deg
    name, view = _free_view(config, streams, people[0], target, component)
    camera = sample_camera(config, streams, view, target, yaw_deg)
    limit = config.camera.off_axis_limit
    if limit is not None:
        points = np.concatenate([sparse(posed.outer_points) for posed in people])
        farthest, towards = config.camera.distance[1], camera.position() - np.array(target)
        down = -float(towards[2]) / view.distance_m
        if down > 0:  # not below the floor
            farthest = min(farthest, (target[2] - _lowest(config, people[0])) / down)
        camera = step_back(camera, target, points, farthest, limit)
        distance = float(np.linalg.norm(camera.position() - np.array(target)))
        view = replace(view, distance_m=distance)
    return Shot(name, view, camera)


def _free_view(
    config: SceneConfig,
    streams: Streams,
    first: PosedPerson,
    target: tuple[float, float, float],
    component: Component | None,
) -> tuple[str, View]:
    """A view whose camera is not inside the first person and, with --ground floor, well above the
    floor. Where 50 tries find none, the best of them, lifted above the floor."""
    rng = streams.rng("view")
    points = sparse(first.outer_points)
    lowest = _lowest(config, first)

    def room(view: View) -> float:
        towards = angles_to_direction(view.azimuth_deg + first.person.yaw_deg, view.elevation_deg)
        eye = np.array(target) + view.distance_m * towards
        clearance = min(_FROM_FIRST, 0.5 * view.distance_m)
        gap = float(np.linalg.norm(points - eye, axis=1).min())
        return min(gap - clearance, float(eye[2]) - lowest)

    name, view = draw_view(rng, config.camera, component)
    best = room(view)
    for _ in range(_TRIES):
        if best >= 0:
            return name, view
        other_name, other = draw_view(rng, config.camera, component)
        if room(other) > best:
            name, view, best = other_name, other, room(other)
    sine = np.clip((lowest - target[2]) / view.distance_m, -1.0, 1.0)
    elevation = max(view.elevation_deg, float(np.degrees(np.arcsin(sine))))
    return name, replace(view, elevation_deg=elevation)


def _lowest(config: SceneConfig, first: PosedPerson) -> float:
    """The least height of a camera, metres."""
    return first.floor + ABOVE_FLOOR if config.people.on_floor else -np.inf


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
        rng, limit = streams.rng("framing"), options.off_axis_limit
        camera = fit(rng, camera, points, options.person_share, options.truncate, limit)
    return camera if options.crop is None else crop(camera, points, options.crop)
