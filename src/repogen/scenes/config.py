"""The options of a scene."""

from dataclasses import dataclass
from functools import cached_property

from repogen.assets.packs import CORE, find_packs
from repogen.cameras.config import CameraConfig
from repogen.config import Config
from repogen.environment.backgrounds import BackgroundSampler, names_files, parse_backgrounds
from repogen.environment.config import EnvironmentConfig, SensorConfig
from repogen.errors import UserError
from repogen.people.config import PeopleConfig
from repogen.people.wardrobe import check_wardrobe
from repogen.poses.config import PoseConfig


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
        size = self.camera.size
        return parse_backgrounds(self.environment.backgrounds, self.packs, size, exact)
