"""Effects of a camera: exposure, colour cast, blur, noise, and losses of the picture's file."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from repogen.colors import LUMINANCE
from repogen.errors import check_between, unknown_choice
from repogen.pictures import JPEG_QUALITY

Effect = Literal[
    "exposure",
    "white-balance",
    "focus",
    "motion",
    "noise",
    "vignette",
    "jpeg",
    "rescale",
]

EFFECTS: tuple[str, ...] = get_args(Effect)

SHRINK_METHODS = ("area", "linear")
ENLARGE_METHODS = ("linear", "cubic")

_MOTION = (0.02, 0.5)
"""The longest motion blur as a share of the picture's width, and the shortest in pixels: less is
none."""

_WIDEST_BLUR = 0.04
"""Largest blur of the farthest background, as a share of the picture's width."""


@dataclass(frozen=True)
class Sensor:
    """Effects on a picture between the lens and the file; by default none.

    No effect moves a label: every blur is centred, and labels are those of the middle of the
    exposure. Raises `UserError` for a value out of range.
    """

    exposure_ev: float = 0.0
    """Stops; +1 is twice the light."""
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors of linear red, green and blue."""
    aperture_m: float = 0.0
    """Diameter of the lens's opening, metres; at 0 everything is sharp."""
    focus_m: float = 1.0
    """Depth that is sharp, metres (`Camera.depth_of`)."""
    camera_motion: tuple[float, float] = (0.0, 0.0)
    """Motion of the whole picture during the exposure: pixels, and degrees clockwise from the
    picture's right."""
    people_motion: tuple[float, float] = (0.0, 0.0)
    """The same for people and occluders in front of a background that does not move."""
    iso: float = 0.0
    """Noise of a small sensor at this speed (`rendering.sensor.noise_std`); 0 for none."""
    noise_seed: int = 0
    vignette: float = 0.0
    """Share of the light that the picture's corners lose."""
    rescale: float = 1.0
    """Factor by which the picture is shrunk before it is enlarged again; 1 leaves it."""
    shrink: str = "area"
    enlarge: str = "linear"
    jpeg_quality: int = JPEG_QUALITY

    def __post_init__(self) -> None:
        check_between("sensor: exposure_ev", self.exposure_ev, -10, 10)
        for gain in self.white_balance:
            check_between("sensor: white_balance", gain, 0.01, 100)
        check_between("sensor: aperture_m", self.aperture_m, 0, 1)
        check_between("sensor: focus_m", self.focus_m, 1e-3, 1e6)
        for length, angle in (self.camera_motion, self.people_motion):
            check_between("sensor: motion", length, 0, 1000)
            check_between("sensor: motion direction", angle, -360, 360)
        check_between("sensor: iso", self.iso, 0, 1e6)
        check_between("sensor: noise_seed", self.noise_seed, 0, 2**63)
        check_between("sensor: vignette", self.vignette, 0, 1)
        check_between("sensor: rescale", self.rescale, 0.01, 1)
        check_between("sensor: jpeg_quality", self.jpeg_quality, 1, 100)
        if self.shrink not in SHRINK_METHODS:
            raise unknown_choice("shrink method", self.shrink, SHRINK_METHODS)
        if self.enlarge not in ENLARGE_METHODS:
            raise unknown_choice("enlarge method", self.enlarge, ENLARGE_METHODS)


PERFECT = Sensor()
"""A sensor without effects."""


def active_effects(sensor: Sensor) -> dict[str, Any]:
    """Names and JSON values of the fields that differ from those of `PERFECT`."""
    values = ((field.name, getattr(sensor, field.name), field.default) for field in fields(sensor))
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value, off in values
        if value != off
    }


def parse_effects(names: tuple[str, ...]) -> frozenset[str]:
    """The named effects; `all` means all of `EFFECTS`.

    Raises `UserError` for a name that is not in `EFFECTS`.
    """
    for name in names:
        if name not in (*EFFECTS, "all"):
            raise unknown_choice("effect", name, (*EFFECTS, "all"))
    return frozenset(EFFECTS if "all" in names else names)


def sample_sensor(
    rng: np.random.Generator,
    effects: frozenset[str],
    focal_px: float,
    width: int,
    focus_m: float,
) -> Sensor:
    """A random sensor with these effects, focused at `focus_m` metres.

    `focal_px` is the focal length and `width` the picture's width, pixels. The ranges are ours:
    apertures from a telephone's (2 mm) to a portrait lens's (50 mm), exposures of 1/1000 to 1/25 s
    and ISO 50 to 3200, exposure errors of 0.4 stops, a stop at most. The same `rng` gives an effect
    the same values whatever the others are.
    """
    cast = np.exp(rng.normal(0.0, 0.1) * np.array([1, 0, -1]) + rng.normal(0, 0.04, 3))
    seconds = _log_uniform(rng, 0.001, 0.04)
    camera_speed = focal_px * rng.exponential(0.2)  # 0.2 rad/s
    people_speed = focal_px / focus_m * rng.exponential(1.0)  # 1 m/s
    aperture = min(_log_uniform(rng, 0.002, 0.05), _WIDEST_BLUR * width * focus_m / focal_px)
    drawn: dict[str, dict[str, Any]] = {
        "exposure": {"exposure_ev": float(np.clip(rng.normal(0.0, 0.4), -1.0, 1.0))},
        "white-balance": {"white_balance": tuple(float(v) for v in cast / (cast @ LUMINANCE))},
        "focus": {"aperture_m": aperture, "focus_m": focus_m},
        "motion": {
            "camera_motion": _sample_motion(rng, camera_speed * seconds, width),
            "people_motion": _sample_motion(rng, people_speed * seconds, width),
        },
        "noise": {
            "iso": _log_uniform(rng, 50, 3200),
            "noise_seed": int(rng.integers(2**32)),
        },
        "vignette": {"vignette": float(max(rng.uniform(-0.3, 0.5), 0.0))},
        "jpeg": {"jpeg_quality": int(rng.integers(30, 98))},
        "rescale": _sample_rescale(rng),
    }
    chosen = (drawn[effect] for effect in EFFECTS if effect in effects)
    return Sensor(**{name: value for values in chosen for name, value in values.items()})


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _sample_rescale(rng: np.random.Generator) -> dict[str, Any]:
    """Fields of rescaling, for two pictures of five."""
    drawn = {
        "rescale": _log_uniform(rng, 0.25, 1.0),
        "shrink": SHRINK_METHODS[int(rng.integers(len(SHRINK_METHODS)))],
        "enlarge": ENLARGE_METHODS[int(rng.integers(len(ENLARGE_METHODS)))],
    }
    return drawn if rng.random() < 0.4 else {}


def _sample_motion(rng: np.random.Generator, length: float, width: int) -> tuple[float, float]:
    """Pixels and degrees of a motion of this length (pixels) in a random direction."""
    angle = float(rng.uniform(0.0, 360.0))
    longest, shortest = _MOTION
    return (float(min(length, longest * width)), angle) if length >= shortest else (0.0, 0.0)
