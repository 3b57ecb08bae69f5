"""The options of the camera: where it stands, its lens, and how people are framed."""

from dataclasses import dataclass
from typing import Literal

from repogen.cameras.framing import PAPER_FOV_DEG
from repogen.cameras.optics import check_optics
from repogen.cameras.viewpoints import parse_views
from repogen.config import Config
from repogen.errors import check_between, check_range
from repogen.limits import MAX_SIDE


@dataclass(frozen=True, init=False)
class CameraConfig(Config):
    """Where the camera stands, its lens, and how people are framed."""

    image_size: int | tuple[int, int] = 512
    """Width and height of the image in pixels, 16 to 8192 each; one number is a square."""
    views: tuple[str, ...] = ("topbottom",)
    """Named views, equally likely or with weights that sum to 1 (top=0.5 bottom=0.5): sphere,
    perimeter, front, back, side, top, bottom, topbottom, top-wide, bottom-wide."""
    views_per_pose: int = 1
    """Number of images, 1 to 1000, of the same people, poses, clothes, lights and background, each
    from a camera of its own."""
    azimuth: tuple[float, float] | None = None
    """Range in degrees, 0 = front, 90 = left: a uniform azimuth instead of the view's own."""
    elevation: tuple[float, float] | None = None
    """Range in degrees within -90 (below) to 90 (above): an elevation uniform on the sphere
    instead of the view's own."""
    roll: tuple[float, float] = (-36.0, 36.0)
    """Range of the camera's roll in degrees, uniform; -180 180 is any roll."""
    distance: tuple[float, float] = (1.5, 5.0)
    """Range of the distance from the camera to the middle of the hips in metres, 0.3 to 100."""
    framing: Literal["fit", "paper"] = "fit"
    """fit: zoom until the person takes a random share of the image (person-share). paper: no zoom,
    the hips in the middle, as in the RePoGen paper."""
    person_share: tuple[float, float] = (0.3, 0.95)
    """With framing fit: range of the width or height of the person's box as a share of the image's,
    whichever share is larger, 0.02 to 1."""
    truncate: float = 0.0
    """With framing fit: probability, 0 to 1, that the image's border cuts the person."""
    crop: float | None = None
    """Render only a window this many times as large as the person's box, 1 to 10 (the paper:
    1.25)."""
    lens: Literal["pinhole", "opencv", "equidistant", "kannala-brandt"] = "pinhole"
    """Lens model; the coefficients of its distortion are random."""
    fov: tuple[float, float] = (PAPER_FOV_DEG, PAPER_FOV_DEG)
    """Range of the horizontal field of view in degrees; framing fit zooms in from there."""
    circle: tuple[float, float] | None = None
    """Range of the diameter of a fisheye's image circle in degrees; the image is black outside."""
    aim: Literal["person", "group"] = "person"
    """What the camera looks at: the first person, or the middle of the group."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image, pixels."""
        size = self.image_size
        return (size, size) if isinstance(size, int) else size

    def check(self) -> None:
        """Raise `UserError` for options that no camera has."""
        for side in self.size:
            check_between("--image-size", side, 16, MAX_SIDE)
        check_between("--views-per-pose", self.views_per_pose, 1, 1000)
        parse_views(self.views)
        if self.azimuth is not None:
            check_range("--azimuth", self.azimuth, -360, 360)
        if self.elevation is not None:
            check_range("--elevation", self.elevation, -90, 90)
        check_range("--roll", self.roll, -360, 360)
        check_range("--distance", self.distance, 0.3, 100)
        check_range("--person-share", self.person_share, 0.02, 1)
        check_between("--truncate", self.truncate, 0, 1)
        if self.crop is not None:
            check_between("--crop", self.crop, 1, 10)
        check_optics(self.lens, self.fov, self.circle)
