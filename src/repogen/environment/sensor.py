"""What a camera adds to a picture: exposure, colour cast, blur, noise, and a file's losses."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from repogen.environment.panoramas import LUMINANCE
from repogen.errors import check_between, unknown_choice
from repogen.pictures import JPEG_QUALITY

EFFECTS = (
    "exposure",
    "white-balance",
    "focus",
    "motion",
    "noise",
    "vignette",
    "jpeg",
    "rescale",
)

SHRINKINGS = ("area", "linear")
ENLARGEMENTS = ("linear", "cubic")

_SMEAR = (0.02, 0.5)
"""The longest smear as a share of the picture's width, and the shortest that counts, pixels."""

_WIDEST_BLUR = 0.04
"""Of the farthest background, as a share of the picture's width."""


@dataclass(frozen=True)
class Sensor:
    """What happens to a picture on its way from the lens to the file; all of it off by default.

    Nothing here moves a label: every blur is centred, and labels are those of the middle of the
    exposure. Raises `UserError` for numbers that no camera has.
    """

    exposure_ev: float = 0.0
    """Stops; +1 is twice the light."""
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """What linear red, green and blue are multiplied by."""
    aperture_m: float = 0.0
    """Diameter of the lens's opening in metres; 0: everything is sharp."""
    focus_m: float = 1.0
    """Depth that is sharp, metres (`Camera.depth_of`)."""
    camera_motion: tuple[float, float] = (0.0, 0.0)
    """Pixels that the whole picture moves during the exposure, and where to: degrees clockwise
    from the picture's right."""
    people_motion: tuple[float, float] = (0.0, 0.0)
    """The same of the people (and the things among them) before a background that stands still."""
    iso: float = 0.0
    """Noise as of a small sensor at this speed (`rendering.sensor.noise_std`); 0: none."""
    noise_seed: int = 0
    vignette: float = 0.0
    """Share of the light that the picture's corners lose."""
    rescale: float = 1.0
    """The picture is shrunk by this factor and enlarged again; 1: not."""
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
            check_between("sensor: motion's direction", angle, -360, 360)
        check_between("sensor: iso", self.iso, 0, 1e6)
        check_between("sensor: noise_seed", self.noise_seed, 0, 2**63)
        check_between("sensor: vignette", self.vignette, 0, 1)
        check_between("sensor: rescale", self.rescale, 0.01, 1)
        check_between("sensor: jpeg_quality", self.jpeg_quality, 1, 100)
        if self.shrink not in SHRINKINGS:
            raise unknown_choice("way to shrink", self.shrink, SHRINKINGS)
        if self.enlarge not in ENLARGEMENTS:
            raise unknown_choice("way to enlarge", self.enlarge, ENLARGEMENTS)


PERFECT = Sensor()
"""A sensor that does nothing."""


def switched_on(sensor: Sensor) -> dict[str, Any]:
    """The fields that differ from those of `PERFECT`."""
    values = ((field.name, getattr(sensor, field.name), field.default) for field in fields(sensor))
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value, off in values
        if value != off
    }


def parse_effects(names: tuple[str, ...]) -> frozenset[str]:
    """The effects of `EFFECTS` that are named, `all` being all of them.

    Raises `UserError` for any other name.
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
    """A random camera and its photographer, who focuses at `focus_m` metres and pictures what is
    a metre wide there `focal_px` / `focus_m` pixels wide, in a picture of `width` pixels.

    The ranges are ours: apertures from a telephone's (2 mm) to a portrait lens's (50 mm), 1/1000
    to 1/25 s of exposure, ISO 50 to 3200, exposure off by half a stop. Another choice of effects
    leaves the other effects as they were.
    """
    cast = np.exp(rng.normal(0.0, 0.1) * np.array([1, 0, -1]) + rng.normal(0, 0.04, 3))
    seconds = _even_ratio(rng, 0.001, 0.04)
    camera_speed = focal_px * rng.exponential(0.2)  # 0.2 rad/s
    people_speed = focal_px / focus_m * rng.exponential(1.0)  # 1 m/s
    aperture = min(_even_ratio(rng, 0.002, 0.05), _WIDEST_BLUR * width * focus_m / focal_px)
    drawn: dict[str, dict[str, Any]] = {
        "exposure": {"exposure_ev": float(np.clip(rng.normal(0.0, 0.5), -1.0, 1.5))},
        "white-balance": {"white_balance": tuple(float(v) for v in cast / (cast @ LUMINANCE))},
        "focus": {"aperture_m": aperture, "focus_m": focus_m},
        "motion": {
            "camera_motion": _smear(rng, camera_speed * seconds, width),
            "people_motion": _smear(rng, people_speed * seconds, width),
        },
        "noise": {
            "iso": _even_ratio(rng, 50, 3200),
            "noise_seed": int(rng.integers(2**32)),
        },
        "vignette": {"vignette": float(max(rng.uniform(-0.3, 0.5), 0.0))},
        "jpeg": {"jpeg_quality": int(rng.integers(30, 98))},
        "rescale": _shrunk(rng),
    }
    chosen = (drawn[effect] for effect in EFFECTS if effect in effects)
    return Sensor(**{name: value for values in chosen for name, value in values.items()})


def _even_ratio(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _shrunk(rng: np.random.Generator) -> dict[str, Any]:
    """Two pictures of five are small ones enlarged."""
    drawn = {
        "rescale": _even_ratio(rng, 0.25, 1.0),
        "shrink": SHRINKINGS[int(rng.integers(len(SHRINKINGS)))],
        "enlarge": ENLARGEMENTS[int(rng.integers(len(ENLARGEMENTS)))],
    }
    return drawn if rng.random() < 0.4 else {}


def _smear(rng: np.random.Generator, length: float, width: int) -> tuple[float, float]:
    """Pixels and degrees of a motion of this length in a random direction."""
    angle = float(rng.uniform(0.0, 360.0))
    longest, shortest = _SMEAR
    return (float(min(length, longest * width)), angle) if length >= shortest else (0.0, 0.0)
