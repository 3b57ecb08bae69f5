"""Drawing a scene: a pure function of the options, the seed and the index."""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from repogen.appearance.backgrounds import parse_backgrounds
from repogen.appearance.light import sample_lights
from repogen.appearance.outfit import sample_outfit
from repogen.bodies import Body, load_body
from repogen.bodies.shapes import parse_ages
from repogen.errors import UserError, choose
from repogen.poses.bounds import Bounds, default_bounds, load_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.sampling import named_pose, sample_body_pose, sample_face, sample_hands
from repogen.scenes.people import pose_person, worn_vertices
from repogen.scenes.scene import FORMAT, Person, Scene
from repogen.views.camera import View, look_at
from repogen.views.directions import parse_views, sample_direction
from repogen.views.framing import FRAMINGS, PAPER_FOV_DEG, crop


@dataclass(frozen=True)
class SceneConfig:
    """What the people in the pictures look like, do, and are seen from."""

    image_size: int = 512
    """Width and height of the picture in pixels."""
    views: tuple[str, ...] = ("topbottom",)
    """Where the camera stands: names out of sphere, perimeter, front, back, side, top, bottom,
    topbottom, evenly or with weights that sum to 1 (top=0.5 bottom=0.5)."""
    azimuth: tuple[float, float] | None = None
    """Degrees; replaces the view's azimuth by one even in this range (0 = front, 90 = left)."""
    elevation: tuple[float, float] | None = None
    """Degrees; replaces the view's elevation by one in this range, even on the sphere."""
    rotation: float = 0.0
    """Degrees of camera roll, to either side; `roll` is added to it."""
    roll: tuple[float, float] = (-36.0, 36.0)
    """Degrees of random camera roll; -180 180 is any."""
    distance: tuple[float, float] = (1.5, 5.0)
    """Metres from the camera to the hips' middle."""
    framing: str = "fit"
    """fit: the whole person at a random share of the picture. paper: a 90 degree camera that
    looks at the hips."""
    person_share: tuple[float, float] = (0.3, 0.95)
    """With fit: the longer side of the person's box as a share of the picture."""
    truncate: float = 0.0
    """With fit: chance that the border cuts the person."""
    crop: float | None = None
    """Render only a window this many times the person's box (the paper: 1.25)."""
    pose_distribution: str = "pair_of_gaussians"
    """pair_of_gaussians, uniform, truncated_gaussian or exponential_uniform."""
    pose_variance: float = 1.0
    """Multiplies every joint bound."""
    bounds: Path | None = None
    """A TOML file with joint bounds that replace the paper's."""
    pose: str | None = None
    """Everybody in one named pose: min, max, sit, stand, stretch or tpose."""
    ages: tuple[str, ...] = ("adults",)
    """Whom to draw, evenly: adults, children, elders."""
    patterns: bool = True
    """Print stripes, checks and the like on clothes; without, each is of one colour."""
    backgrounds: str = "builtin"
    """A folder of photographs, coco:ANNOTATIONS.json:IMAGES_DIR, builtin, plain or #rrggbb."""
    lights: int = 5
    """Directional lights, from random directions."""
    shadows: int = 1
    """How many of the lights cast shadows."""

    def __post_init__(self) -> None:
        check_scene_config(self)


def check_scene_config(config: SceneConfig) -> None:
    """Raises `UserError` for the first option that makes no sense."""
    _within("image-size", config.image_size, 16, 8192)
    parse_views(config.views)
    parse_ages(config.ages)
    for name in ("azimuth", "elevation", "roll", "distance", "person_share"):
        limits = getattr(config, name)
        if limits is not None and not -1e6 < limits[0] <= limits[1] < 1e6:
            raise UserError(f"--{name.replace('_', '-')} {limits[0]:g} {limits[1]:g}: give the "
                            "lower value first")  # fmt: skip
    if config.elevation and not -90 <= config.elevation[0] <= config.elevation[1] <= 90:
        raise UserError("--elevation must stay within -90 and 90 degrees")
    _within("distance", config.distance[0], 0.3, 100)
    _within("distance", config.distance[1], 0.3, 100)
    _within("person-share", config.person_share[0], 0.02, 1)
    _within("person-share", config.person_share[1], 0.02, 1)
    _within("truncate", config.truncate, 0, 1)
    if config.crop is not None:
        _within("crop", config.crop, 1, 10)
    _within("rotation", config.rotation, -180, 180)
    _within("pose-variance", config.pose_variance, 0, 4)
    _within("lights", config.lights, 0, 32)
    _within("shadows", config.shadows, 0, 8)
    if config.framing not in FRAMINGS:
        raise choose("framing", config.framing, FRAMINGS)
    if config.pose_distribution not in DISTRIBUTIONS:
        raise choose("pose distribution", config.pose_distribution, DISTRIBUTIONS)
    bounds = load_bounds(config.bounds) if config.bounds else default_bounds()
    if config.pose is not None:
        named_pose(config.pose, bounds)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(f"--{name} {value:g} must lie between {low:g} and {high:g}")


@lru_cache(maxsize=8)
def _bounds(path: Path | None) -> Bounds:
    return load_bounds(path) if path else default_bounds()


_backdrop = lru_cache(maxsize=8)(parse_backgrounds)


def stream(seed: int, index: int, topic: str) -> np.random.Generator:
    """The random numbers of one topic of one image.

    Topics do not share draws: another view or background leaves the poses as they were.
    """
    key = [seed & 0xFFFFFFFF, seed >> 32, index, zlib.crc32(topic.encode())]
    return np.random.default_rng(np.array(key, dtype=np.uint32))


def sample_scene(
    config: SceneConfig, seed: int = 0, index: int = 0, body: Body | None = None
) -> Scene:
    """Image `index` (from 0) of the run with this seed; `body` is loaded if not given."""
    body = body or load_body()
    person = _sample_person(config, seed, index, body)
    worn = worn_vertices(body.surface, person.outfit)
    vertices = pose_person(body, person).vertices[worn]
    rng = stream(seed, index, "view")
    name, azimuth, elevation = sample_direction(rng, parse_views(config.views))
    if config.azimuth:
        azimuth = float(rng.uniform(*config.azimuth))
    if config.elevation:
        heights = np.sin(np.radians(config.elevation))
        elevation = float(np.degrees(np.arcsin(rng.uniform(*heights))))
    view = View(
        azimuth_deg=azimuth,
        elevation_deg=elevation,
        roll_deg=float(rng.choice([-1, 1]) * config.rotation + rng.uniform(*config.roll)),
        distance_m=float(rng.uniform(*config.distance)),
    )
    camera = look_at(view, person.position, person.yaw_deg, config.image_size, PAPER_FOV_DEG)
    rng = stream(seed, index, "framing")
    camera = FRAMINGS[config.framing](rng, camera, vertices, config.person_share, config.truncate)
    if config.crop is not None:
        camera = crop(camera, vertices, config.crop)
    lowest = min(float(vertices[:, 2].min()), float(camera.position()[2]) - 0.3)
    draw_background, _ = _backdrop(config.backgrounds)
    return Scene(
        format=FORMAT,
        seed=seed,
        index=index,
        view_name=name,
        people=(person,),
        camera=camera,
        lights=sample_lights(stream(seed, index, "lights"), config.lights, config.shadows),
        ambient=float(stream(seed, index, "ambient").uniform(0.35, 0.75)),
        background=draw_background(stream(seed, index, "background"), lowest, view.distance_m),
    )


def _sample_person(config: SceneConfig, seed: int, index: int, body: Body) -> Person:
    shape = body.sample_shape(stream(seed, index, "shape"), config.ages)
    rng = stream(seed, index, "pose")
    bounds = _bounds(config.bounds)
    if config.pose:
        angles = named_pose(config.pose, bounds)
    else:
        distribution = DISTRIBUTIONS[config.pose_distribution]
        angles = sample_body_pose(rng, bounds, distribution, config.pose_variance)
    return Person(
        body=body.name,
        shape=shape,
        face=sample_face(stream(seed, index, "face"), body.face_labels),
        angles=angles | sample_hands(stream(seed, index, "hands")),
        outfit=sample_outfit(
            stream(seed, index, "outfit"), shape.get("gender", 0.5), config.patterns
        ),
        position=(0.0, 0.0, 0.0),
        yaw_deg=0.0,
    )
