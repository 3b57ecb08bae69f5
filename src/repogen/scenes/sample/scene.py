"""Drawing a scene: a pure function of the options, the seed and the index."""

from dataclasses import replace

import numpy as np

from repogen.bodies import Body, load_body
from repogen.cameras.camera import Camera, View, look_at
from repogen.cameras.framing import FRAMINGS, crop
from repogen.cameras.optics import sample_distortion
from repogen.cameras.viewpoints import parse_views, sample_direction
from repogen.environment.lights import sample_lights
from repogen.environment.panoramas import EnvironmentMap, panorama_lights
from repogen.environment.sensor import Sensor, parse_effects, sample_sensor
from repogen.people.person import Person
from repogen.people.posing import seen_points
from repogen.scenes.config import SceneConfig
from repogen.scenes.rng import stream
from repogen.scenes.sample.crowd import far_enough, sample_occluder
from repogen.scenes.sample.person import sample_crowd, sample_person
from repogen.scenes.scene import FORMAT, Scene


def sample_scene(
    config: SceneConfig, seed: int = 0, index: int = 0, body: Body | None = None
) -> Scene:
    """Image `index` (from 0) of the run with this seed; `body` is loaded if not given."""
    body = body or load_body(config.people.body, path=config.people.body_path)
    person = sample_person(config, seed, index, body)
    rng = stream(seed, index, "view")
    name, azimuth, elevation = sample_direction(rng, parse_views(config.camera.views))
    if config.camera.azimuth:
        azimuth = float(rng.uniform(*config.camera.azimuth))
    if config.camera.elevation:
        heights = np.sin(np.radians(config.camera.elevation))
        elevation = float(np.degrees(np.arcsin(rng.uniform(*heights))))
    rng.choice([-1, 1])  # the side of an option that is gone: later draws stay as they were
    view = View(
        azimuth_deg=azimuth,
        elevation_deg=elevation,
        roll_deg=float(rng.uniform(*config.camera.roll)),
        distance_m=float(rng.uniform(*config.camera.distance)),
    )
    rng = stream(seed, index, "lens")
    distortion = sample_distortion(rng, config.camera.lens)
    fov = float(rng.uniform(*config.camera.fov))
    circle = float(rng.uniform(*config.camera.circle)) if config.camera.circle else None
    people = sample_crowd(config, seed, index, body, person)
    target = person.position
    if config.camera.aim == "group":
        target = tuple(np.mean([p.position for p in people], axis=0).tolist())
    camera = look_at(
        view, target, person.yaw_deg, config.camera.image_size, fov, config.camera.lens, distortion
    )
    camera = replace(camera, circle_deg=circle)
    people = tuple(p for p in people if p is person or far_enough(camera, seen_points(body, p)))
    everybody = [seen_points(body, p) for p in people]
    vertices = np.concatenate(everybody)
    rng = stream(seed, index, "framing")
    camera = FRAMINGS[config.camera.framing](
        rng, camera, vertices, config.camera.person_share, config.camera.truncate
    )
    if config.camera.crop is not None:
        camera = crop(camera, vertices, config.camera.crop)
    lowest = min(float(vertices[:, 2].min()), float(camera.position()[2]) - 0.3)
    rng = stream(seed, index, "things")
    cutouts = config.environment.cutout_files
    occluders = [
        sample_occluder(rng, camera, everybody, lowest, cutouts)
        for _ in range(
            int(rng.integers(config.environment.occluders[0], config.environment.occluders[1] + 1))
        )
    ]
    draw_background, _ = config.environment.backdrop
    far = max(
        view.distance_m + float(np.linalg.norm(target)),
        float(np.linalg.norm(vertices[:, :2], axis=1).max()),
    )
    background = draw_background(stream(seed, index, "background"), lowest, far)
    if isinstance(background, EnvironmentMap):
        lights = panorama_lights(background)
    else:
        lights = sample_lights(
            stream(seed, index, "lights"), config.environment.lights, config.environment.shadows
        )
    return Scene(
        format=FORMAT,
        seed=seed,
        index=index,
        view_name=name,
        people=people,
        occluders=tuple(occluder for occluder in occluders if occluder),
        camera=camera,
        lights=lights,
        ambient=float(stream(seed, index, "ambient").uniform(0.35, 0.75)),
        background=background,
        sensor=_sample_sensor(config, seed, index, camera, person),
    )


def _sample_sensor(
    config: SceneConfig, seed: int, index: int, camera: Camera, person: Person
) -> Sensor:
    """A sensor behind a lens that is focused on a person's hips."""
    place = camera.to_camera(np.array([person.position]))
    return sample_sensor(
        stream(seed, index, "sensor"),
        parse_effects(config.sensor.effects),
        camera.fx,
        camera.width,
        max(float(camera.depth_of(place)[0]), 0.3),
    )
