"""The options of a scene."""

from dataclasses import dataclass

from repogen.cameras.config import CameraConfig
from repogen.config import Config
from repogen.environment.config import EnvironmentConfig, SensorConfig
from repogen.people.config import PeopleConfig
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
