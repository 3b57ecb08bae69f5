"""The options of a scene."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from repogen.assets.packs import CORE, NO_FLOOR, find_packs
from repogen.cameras.camera import View
from repogen.cameras.config import CameraConfig
from repogen.cameras.viewpoints import parse_views, sample_direction
from repogen.config import Config
from repogen.environment.backgrounds import (
    BackgroundSampler,
    names_files,
    parse_backgrounds,
    tagged,
)
from repogen.environment.config import EnvironmentConfig, SensorConfig
from repogen.errors import UserError
from repogen.people.config import PeopleConfig
from repogen.people.wardrobe import check_wardrobe
from repogen.poses.config import PoseConfig
from repogen.poses.sampler import LEARNT_VIEW, Component

ABOVE_FLOOR = 0.3
"""Metres that a camera is above the floor of --ground floor, at least."""

_HIPS = 0.9
"""Height of the hips of a standing adult, metres (0.53 of the height; Drillis & Contini 1966)."""

_DRAWS = 500
"""Views of which one at least must be above the floor."""


def draw_view(
    rng: np.random.Generator, options: CameraConfig, component: Component | None = None
) -> tuple[str, View]:
    """The name of a viewpoint drawn from the options, and the camera's view of the first person.
    With the `component` of a sampler, direction and roll are drawn from it."""
    distance = float(rng.uniform(*options.distance))
    if component is not None:
        azimuth, elevation, roll = component.draw_view(rng, options.azimuth, options.elevation)
        return LEARNT_VIEW, View(azimuth, elevation, roll, distance)
    name, azimuth, elevation = sample_direction(rng, parse_views(options.views), distance)
    if options.azimuth:
        azimuth = float(rng.uniform(*options.azimuth))
    if options.elevation:
        heights = np.sin(np.radians(options.elevation))
        elevation = float(np.degrees(np.arcsin(rng.uniform(*heights))))
    return name, View(azimuth, elevation, float(rng.uniform(*options.roll)), distance)


@dataclass(frozen=True, init=False, kw_only=True)
class SceneConfig(Config):
    """Options of a scene, in groups.

    `SceneConfig(views="top", people=(2, 6))` sets options of the groups.
    """

    camera: CameraConfig
    """Where the camera stands, its lens, and how people are framed."""
    pose: PoseConfig
    """How people are posed."""
    people: PeopleConfig
    """How many people there are, where, and their bodies and clothes."""
    environment: EnvironmentConfig
    """Backgrounds, lights, and objects between the camera and the people."""
    sensor: SensorConfig
    """Effects of the sensor and of the image file."""
    packs: tuple[str, ...] = (CORE,)
    """Asset packs that wardrobe and backgrounds draw from, in any order: core comes with repogen,
    others are installed (`repogen assets`). Without a name after it, none."""

    def check_files(self) -> None:
        """Raise `UserError` for a pack that is not installed, a wardrobe without clothes, and
        damaged files of repogen's own pack."""
        find_packs(self.packs)
        check_wardrobe(self.people.wardrobe, self.packs)
        if self.environment.background_fit == "exact":
            self._check_exact()
        if self.people.on_floor and not self.camera.fixed:
            self._check_above_floor()

    def _check_above_floor(self) -> None:
        options, rng = self.camera, np.random.default_rng(0)
        for _ in range(_DRAWS):
            view = draw_view(rng, options)[1]
            drop = view.distance_m * -np.sin(np.radians(view.elevation_deg))
            if _HIPS - drop >= ABOVE_FLOOR:
                return
        (low, high), end = options.distance, options.elevation
        views = (
            f"--elevation {end[0]:g} {end[1]:g}" if end else f"--views {' '.join(options.views)}"
        )
        raise UserError(
            f"--ground {self.people.ground}: {views} from --distance {low:g} {high:g} puts the "
            "camera under the floor; raise the elevation, lower the distance, or give --ground air"
        )

    def _check_exact(self) -> None:
        backgrounds, cameras = self.environment.backgrounds, len(self.camera.calibrations)
        if not names_files(backgrounds):
            raise UserError(
                f"--background-fit exact needs photographs, not --backgrounds {backgrounds}; give "
                "their folder"
            )
        if cameras > 1:
            raise UserError(
                f"--background-fit exact takes one camera, not {cameras}: a photograph shows what "
                "one of them saw"
            )
        if self.camera.crop is not None and not cameras:
            raise UserError("--background-fit exact keeps photographs whole; leave out --crop")

    @property
    def shows_own_floor(self) -> bool:
        """Whether backgrounds are photographs of a camera that stands above the floor z = 0."""
        return self.environment.background_fit == "exact" and bool(self.camera.fixed)

    @cached_property
    def backdrop(self) -> tuple[BackgroundSampler, str]:
        """A sampler of backgrounds, and a description of what it draws from. Read once for each
        config.

        Raises `UserError` where there is none that can be used.
        """
        exact = self.environment.background_fit == "exact"
        size, on_floor = self.camera.size, self.people.ground != "air"
        return parse_backgrounds(self.environment.backgrounds, self.packs, size, exact, on_floor)

    @cached_property
    def floorless(self) -> frozenset[Path]:
        """The panoramas of the packs that show no floor. Read once for each config."""
        return tagged(self.packs, NO_FLOOR)
