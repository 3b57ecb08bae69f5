"""The options of a scene, and the files they name, each read once."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from repogen.bodies import check_body
from repogen.bodies.shapes import parse_ages
from repogen.cameras.framing import FRAMINGS, PAPER_FOV_DEG
from repogen.cameras.optics import check_optics
from repogen.cameras.viewpoints import parse_views
from repogen.environment.backgrounds import parse_backgrounds
from repogen.environment.sensor import parse_effects
from repogen.errors import UserError, check_between, unknown_choice
from repogen.people.wardrobe import check_wardrobe, find_textures
from repogen.poses.bounds import Bounds, default_bounds, load_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.motion import load_motion, report_skipped
from repogen.poses.sampling import named_pose


@lru_cache(maxsize=8)
def bounds_of(path: Path | None) -> Bounds:
    """The joint bounds of a file, the paper's without one."""
    return load_bounds(path) if path else default_bounds()


backdrop_of = lru_cache(maxsize=8)(parse_backgrounds)
motion_of = lru_cache(maxsize=8)(load_motion)
textures_in = lru_cache(maxsize=8)(find_textures)


@lru_cache(maxsize=8)
def cutouts_in(folder: Path) -> tuple[Path, ...]:
    """The cut-outs in a folder."""
    from repogen.environment.cutouts import find_cutouts  # imports Pillow, seldom needed

    return find_cutouts(folder)


def forget_files() -> None:
    """What options name is read anew: it may have changed since another run of this process."""
    for remembered in (bounds_of, backdrop_of, motion_of, textures_in, cutouts_in):
        remembered.cache_clear()


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
    """Measured poses: an AMASS .npz, .bvh or pose .json file, a folder of them, or makehuman: the
    poses of that asset pack."""
    poses_share: float = 1.0
    """Share of people in measured poses; the others' are random."""
    poses_noise: float = 0.0
    """Degrees of normal noise on every angle of a measured pose."""
    poses_mirror: bool = True
    """Mirror half of the measured poses."""
    max_intersection: float | None = None
    """Share of the skin that may lie inside the body (0.01 = 1 %): a pose with more is drawn
    again, up to 20 times; then the best of them is taken. Elbows and knees that fold through
    themselves, past 180 degrees, hardly count: bounds and --pose-variance keep those in range."""
    body: str = "anny"
    """anny, or smplx, smplh or smpl from your own files."""
    body_path: Path | None = None
    """Folder of the body model's files; anny needs none."""
    people: tuple[int, int] = (1, 1)
    """How many people, evenly; those that find no room are left out."""
    ground: str = "air"
    """Where people beside the first are: in the air or on one floor."""
    spread: float = 1.5
    """Metres around the first person within which the others are."""
    occluders: tuple[int, int] = (0, 0)
    """How many things between camera and people, evenly: boxes, poles, furniture, cut-outs."""
    cutouts: Path | None = None
    """Folder of pictures with alpha (.png, .webp) for half of the occluders."""
    lens: str = "pinhole"
    """pinhole, opencv, equidistant or kannala-brandt; the distortion is drawn at random."""
    fov: tuple[float, float] = (PAPER_FOV_DEG, PAPER_FOV_DEG)
    """Degrees that the picture is wide before it is framed; with --framing fit it is zoomed."""
    circle: tuple[float, float] | None = None
    """Degrees that a fisheye's image circle is wide; outside of it the picture is black."""
    aim: str = "person"
    """What the camera looks at: the first person or the middle of the group."""
    ages: tuple[str, ...] = ("adults",)
    """Whom to draw, evenly: adults, children, elders."""
    wardrobe: str = "auto"
    """painted: clothes painted on the skin; packs: garments of installed asset packs (`repogen
    assets`); auto: both where there are packs."""
    textures: Path | None = None
    """Folder of pictures to lay on the skin by the body's texture coordinates, clothes and all, as
    SURREAL has them for SMPL; nothing else is worn then."""
    patterns: bool = True
    """Print stripes, checks and the like on clothes; without, each is of one colour."""
    backgrounds: str = "auto"
    """A folder of photographs or panoramas (.hdr, .exr), coco:ANNOTATIONS.json:IMAGES_DIR,
    builtin, plain or #rrggbb; auto: installed panoramas, without any builtin."""
    lights: int = 5
    """Directional lights, from random directions; panoramas bring their own."""
    shadows: int = 1
    """How many of the lights cast shadows."""
    effects: tuple[str, ...] = ()
    """What cameras and files do to pictures: exposure white-balance focus motion noise vignette
    jpeg rescale, or all."""

    def __post_init__(self) -> None:
        check_scene_config(self)


def check_scene_config(config: SceneConfig) -> None:
    """Raises `UserError` for the first option that makes no sense."""
    try:
        _check(config)
    except OSError as error:  # a name of any length, a folder that is not ours to read
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from error


def _check(config: SceneConfig) -> None:
    check_between("--image-size", config.image_size, 16, 8192)
    parse_views(config.views)
    parse_ages(config.ages)
    for name in ("azimuth", "elevation", "roll", "distance", "person_share"):
        limits = getattr(config, name)
        if limits is not None and not -1e6 < limits[0] <= limits[1] < 1e6:
            raise UserError(f"--{name.replace('_', '-')} {limits[0]:g} {limits[1]:g}: give the "
                            "lower value first")  # fmt: skip
    if config.elevation and not -90 <= config.elevation[0] <= config.elevation[1] <= 90:
        raise UserError("--elevation must stay within -90 and 90 degrees")
    check_between("--distance", config.distance[0], 0.3, 100)
    check_between("--distance", config.distance[1], 0.3, 100)
    check_between("--person-share", config.person_share[0], 0.02, 1)
    check_between("--person-share", config.person_share[1], 0.02, 1)
    check_between("--truncate", config.truncate, 0, 1)
    if config.crop is not None:
        check_between("--crop", config.crop, 1, 10)
    check_between("--rotation", config.rotation, -180, 180)
    check_between("--pose-variance", config.pose_variance, 0, 4)
    check_body(config.body, config.body_path)
    for name, low, high in (("people", 1, 100), ("occluders", 0, 100)):
        few, many = getattr(config, name)
        if not low <= few <= many <= high:
            raise UserError(f"--{name} {few} {many}: two counts between {low} and {high}, the "
                            "smaller one first")  # fmt: skip
    check_between("--spread", config.spread, 0, 100)
    check_optics(config.lens, config.fov, config.circle)
    if config.ground not in ("air", "floor"):
        raise unknown_choice("--ground", config.ground, ("air", "floor"))
    if config.aim not in ("person", "group"):
        raise unknown_choice("--aim", config.aim, ("person", "group"))
    if config.cutouts is not None:
        cutouts_in(config.cutouts)
    check_wardrobe(config.wardrobe)
    if config.textures is not None:
        textures_in(config.textures)
    parse_effects(config.effects)
    check_between("--lights", config.lights, 0, 32)
    check_between("--shadows", config.shadows, 0, 8)
    if config.framing not in FRAMINGS:
        raise unknown_choice("framing", config.framing, FRAMINGS)
    if config.pose_distribution not in DISTRIBUTIONS:
        raise unknown_choice("pose distribution", config.pose_distribution, DISTRIBUTIONS)
    bounds = load_bounds(config.bounds) if config.bounds else default_bounds()
    if config.pose is not None:
        named_pose(config.pose, bounds)
    check_between("--poses-share", config.poses_share, 0, 1)
    check_between("--poses-noise", config.poses_noise, 0, 90)
    if config.poses is not None:
        if config.pose is not None:
            raise UserError("give --pose or --poses, not both")
        report_skipped(motion_of(config.poses))
    elif (config.poses_share, config.poses_noise, config.poses_mirror) != (1, 0, True):
        raise UserError("--poses-share, --poses-noise and --poses-mirror need --poses")
    if config.max_intersection is not None:
        check_between("--max-intersection", config.max_intersection, 0, 1)
        if config.pose is not None:
            raise UserError("--max-intersection chooses among random poses; --pose is only one")
