"""Drawing a scene: a pure function of the options, the seed and the index."""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from repogen.appearance.backgrounds import parse_backgrounds
from repogen.appearance.light import sample_lights
from repogen.appearance.outfit import sample_outfit
from repogen.appearance.panorama import Panorama, panorama_lights
from repogen.appearance.wardrobe import check_wardrobe, dress
from repogen.bodies import Body, check_body, load_body
from repogen.bodies.anny import AnnyBody
from repogen.bodies.shapes import parse_ages
from repogen.errors import UserError, choose
from repogen.poses.bounds import Bounds, default_bounds, load_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.motion import load_motion, report_skipped, sample_motion
from repogen.poses.sampling import named_pose, sample_body_pose, sample_face, sample_hands
from repogen.scenes.people import seen_points
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
    poses: Path | None = None
    """Measured poses: an AMASS .npz, .bvh or pose .json file, or a folder of them."""
    poses_share: float = 1.0
    """Share of people in measured poses; the others' are random."""
    poses_noise: float = 0.0
    """Degrees of normal noise on every angle of a measured pose."""
    poses_mirror: bool = True
    """Mirror half of the measured poses."""
    body: str = "anny"
    """anny, or smplx, smplh or smpl from your own files."""
    body_path: Path | None = None
    """Folder of the body model's files; anny needs none."""
    ages: tuple[str, ...] = ("adults",)
    """Whom to draw, evenly: adults, children, elders."""
    wardrobe: str = "auto"
    """painted: clothes painted on the skin; packs: garments of installed asset packs (`repogen
    assets`); auto: both where there are packs."""
    patterns: bool = True
    """Print stripes, checks and the like on clothes; without, each is of one colour."""
    backgrounds: str = "auto"
    """A folder of photographs or panoramas (.hdr, .exr), coco:ANNOTATIONS.json:IMAGES_DIR,
    builtin, plain or #rrggbb; auto: installed panoramas, without any builtin."""
    lights: int = 5
    """Directional lights, from random directions; panoramas bring their own."""
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
    check_body(config.body, config.body_path)
    check_wardrobe(config.wardrobe)
    _within("lights", config.lights, 0, 32)
    _within("shadows", config.shadows, 0, 8)
    if config.framing not in FRAMINGS:
        raise choose("framing", config.framing, FRAMINGS)
    if config.pose_distribution not in DISTRIBUTIONS:
        raise choose("pose distribution", config.pose_distribution, DISTRIBUTIONS)
    bounds = load_bounds(config.bounds) if config.bounds else default_bounds()
    if config.pose is not None:
        named_pose(config.pose, bounds)
    _within("poses-share", config.poses_share, 0, 1)
    _within("poses-noise", config.poses_noise, 0, 90)
    if config.poses is not None:
        if config.pose is not None:
            raise UserError("give --pose or --poses, not both")
        report_skipped(_motion(config.poses))
    elif (config.poses_share, config.poses_noise, config.poses_mirror) != (1, 0, True):
        raise UserError("--poses-share, --poses-noise and --poses-mirror need --poses")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(f"--{name} {value:g} must lie between {low:g} and {high:g}")


@lru_cache(maxsize=8)
def _bounds(path: Path | None) -> Bounds:
    return load_bounds(path) if path else default_bounds()


_backdrop = lru_cache(maxsize=8)(parse_backgrounds)
_motion = lru_cache(maxsize=8)(load_motion)


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
    body = body or load_body(config.body, path=config.body_path)
    person = _sample_person(config, seed, index, body)
    vertices = seen_points(body, person)
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
    background = draw_background(stream(seed, index, "background"), lowest, view.distance_m)
    if isinstance(background, Panorama):
        lights = panorama_lights(background)
    else:
        lights = sample_lights(stream(seed, index, "lights"), config.lights, config.shadows)
    return Scene(
        format=FORMAT,
        seed=seed,
        index=index,
        view_name=name,
        people=(person,),
        camera=camera,
        lights=lights,
        ambient=float(stream(seed, index, "ambient").uniform(0.35, 0.75)),
        background=background,
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
    rng = stream(seed, index, "motion")
    if config.poses is not None and rng.random() < config.poses_share:
        motion = _motion(config.poses)
        angles = sample_motion(rng, motion, config.poses_noise, config.poses_mirror)
    hands = sample_hands(stream(seed, index, "hands"))
    feminine = shape.get("gender", 0.5)
    skirts = bool(body.surface.faces_of("skirt").any())
    return Person(
        body=body.name,
        shape=shape,
        face=sample_face(stream(seed, index, "face"), body.face_labels),
        angles=angles | hands | angles,  # measured hands win
        outfit=dress(
            stream(seed, index, "garments"),
            sample_outfit(stream(seed, index, "outfit"), feminine, config.patterns, skirts),
            feminine,
            config.patterns,
            config.wardrobe if isinstance(body, AnnyBody) else "painted",
        ),
        position=(0.0, 0.0, 0.0),
        yaw_deg=0.0,
    )
