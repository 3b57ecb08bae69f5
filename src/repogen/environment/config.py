"""The options of the surroundings, and of the camera's sensor."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from repogen.config import Config
from repogen.environment.sensor import Effect
from repogen.errors import check_between, check_counts
from repogen.limits import MAX_LIGHTS, MAX_OCCLUDERS, MAX_SHADOWS


@dataclass(frozen=True, init=False)
class EnvironmentConfig(Config):
    """Backgrounds, lights, and objects between the camera and the people."""

    backgrounds: str = "auto"
    """A folder of photographs or panoramas (.hdr, .exr), coco:ANNOTATIONS.json:IMAGES_DIR (its
    images without people), builtin, plain or #rrggbb. auto: panoramas of asset packs (option
    packs), or builtin if there are none; indoors: those of rooms and halls; outdoors: the
    others."""
    background_fit: Literal["cover", "exact"] = "cover"
    """cover: photographs are cropped, scaled and mirrored to fill the image. exact: each is used
    whole; for photographs of the very camera of the images (option camera), of the same size.
    Where that camera is mounted, people throw shadows on the photograph's floor, and its light is
    estimated."""
    lights: int = 5
    """Number of directional lights from random directions, 0 to 32; panoramas and photographs of a
    mounted camera bring their own."""
    light_model: Literal["varied", "equal"] = "varied"
    """varied: nearly white lights of different strengths, and light from all sides in the
    background's colours. equal: white lights of one strength and a trace of light from all sides,
    as in the RePoGen paper."""
    shadows: int = 1
    """Number of lights that cast shadows, 0 to 8."""
    water: bool = False
    """The first person is in water, from up to the knees to below the surface; cameras may be above
    or below it."""
    occluders: tuple[int, int] = (0, 0)
    """Range of the number of objects between the camera and the people, 0 to 100, each number
    equally likely: furniture and cut-outs on the floor, balls, boxes and sticks at a hand. Objects
    for which there is no room are left out."""
    cutouts: Path | None = None
    """Folder of images with alpha (.png, .webp), used for half of the occluders. A name such as
    dog-1.png gives the real size of a dog."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range."""
        check_between("--lights", self.lights, 0, MAX_LIGHTS)
        check_between("--shadows", self.shadows, 0, MAX_SHADOWS)
        check_counts("--occluders", self.occluders, 0, MAX_OCCLUDERS)

    def check_files(self) -> None:
        """Raise `UserError` for a folder without cut-outs."""
        _ = self.cutout_files

    @cached_property
    def cutout_files(self) -> tuple[Path, ...]:
        """The images in the folder `cutouts`. Read once for each config."""
        if self.cutouts is None:
            return ()
        from repogen.environment.cutouts import find_cutouts

        return find_cutouts(self.cutouts)


@dataclass(frozen=True, init=False)
class SensorConfig(Config):
    """Effects of the sensor and of the image file."""

    effects: tuple[Literal[Effect, "all"], ...] = ()
    """Effects, each of a random strength; all is all of them."""
