"""The options of the camera: where it stands, its lens, and how people are framed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from repogen.cameras.calibration import Calibration, read_calibrations
from repogen.cameras.camera import Camera
from repogen.cameras.framing import PAPER_FOV_DEG
from repogen.cameras.lens import FISHEYES
from repogen.cameras.optics import check_optics
from repogen.cameras.viewpoints import parse_views
from repogen.config import Config
from repogen.errors import UserError, check_between, check_range
from repogen.limits import MAX_SIDE

_SIDE = 512
"""Width and height of pictures where nothing gives another size, pixels."""


@dataclass(frozen=True, init=False)
class CameraConfig(Config):
    """Where the camera stands, its lens, and how people are framed."""

    image_size: int | tuple[int, int] | None = None
    """Width and height of the image in pixels, 16 to 8192 each; one number is a square. Without it
    512, or the size in the file of your own camera."""
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
    max_off_axis: float = 40.0
    """With framing fit: degrees, 5 to 90, that people may be off the lens axis, where perspective
    stretches them. The camera steps back, at most to the end of distance; if that is not enough,
    the picture ends there and cuts them. 90: no limit. For the lenses pinhole and opencv; a fisheye
    may be wide on purpose."""
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
    camera: tuple[str, ...] = ()
    """Your own camera: a calibration file of OpenCV (.yaml, .json, .npz), ROS, Kalibr, COLMAP
    (cameras.txt) or mmpose (.json), FILE or FILE:NAME. It replaces lens, fov, framing and crop;
    image-size is for a file that has no size. Several cameras see the same people."""
    camera_mount: tuple[float, float, float] | None = None
    """Where your camera hangs: height above the floor in metres, 0.05 to 100; degrees by which it
    looks down, -90 to 90 (straight down); roll in degrees. It replaces R and t of the file. A
    mounted camera also replaces views, azimuth, elevation, roll, distance and aim."""
    aim: Literal["person", "group"] = "person"
    """What the camera looks at: the first person, or the middle of the group."""
    min_keypoints: int = 6
    """Keypoints of the first person, 0 to 17, that should be visible. Where fewer are, the camera,
    the framing and the objects in front are drawn again, at most 8 times; then the best try is
    used. 0: never."""

    @property
    def off_axis_limit(self) -> float | None:
        """`max_off_axis` where it applies, else None."""
        wide = self.framing != "fit" or self.lens in FISHEYES or bool(self.camera)
        return None if wide or self.max_off_axis >= 90 else self.max_off_axis

    @property
    def given_size(self) -> tuple[int, int] | None:
        """Width and height of the option `image_size`, pixels; None where it is not given."""
        size = self.image_size
        return (size, size) if isinstance(size, int) else size

    def check(self) -> None:
        """Raise `UserError` for options that no camera has."""
        for side in self.given_size or ():
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
        check_between("--max-off-axis", self.max_off_axis, 5, 90)
        check_between("--min-keypoints", self.min_keypoints, 0, 17)
        if self.crop is not None:
            check_between("--crop", self.crop, 1, 10)
        check_optics(self.lens, self.fov, None if self.camera else self.circle)
        if self.camera_mount is not None:
            height, tilt, roll = self.camera_mount
            if not self.camera:
                raise UserError("--camera-mount needs --camera FILE")
            check_between("--camera-mount HEIGHT", height, 0.05, 100)
            check_between("--camera-mount TILT", tilt, -90, 90)
            check_between("--camera-mount ROLL", roll, -360, 360)

    def check_files(self) -> None:
        """Raise `UserError` for a calibration that cannot be used."""
        cameras, size = self.calibrations, self.given_size
        for one in cameras:
            own = (one.camera.width, one.camera.height)
            if size and own != size:
                raise UserError(
                    f"{one.name} is calibrated for {own[0]} x {own[1]} pixels, not {size[0]} x "
                    f"{size[1]}: give --image-size {own[0]} {own[1]}, or leave it out"
                )
        placed = [one.is_placed for one in cameras]
        if len(cameras) > 1 and not all(placed):
            names = " ".join(one.name for one in cameras[:4])
            raise UserError(
                f"{len(cameras)} cameras without R and t in all of their files: name one ({names}),"
                " or give R and t (world to camera) in each file"
            )
        if len(cameras) > 1 and self.camera_mount is not None:
            raise UserError("--camera-mount is for one camera; several need R and t in their files")
        if any(placed) and self.views_per_pose > 1:
            raise UserError(
                f"--views-per-pose {self.views_per_pose} is for cameras that move; a mounted "
                "camera has one view of a pose"
            )

    @cached_property
    def calibrations(self) -> tuple[Calibration, ...]:
        """The cameras of the files `camera`. Read once for each config."""
        circle = self.circle[1] if self.circle else None
        return tuple(
            one
            for spec in self.camera
            for one in read_calibrations(
                spec, self.given_size, self.lens, self.camera_mount, circle
            )
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures, of several cameras the first one's; pixels."""
        if self.calibrations:
            camera = self.calibrations[0].camera
            return camera.width, camera.height
        return self.given_size or (_SIDE, _SIDE)

    @property
    def fixed(self) -> tuple[Camera, ...]:
        """The cameras that stand at one position in all images; empty where they are drawn."""
        return tuple(one.camera for one in self.calibrations if one.is_placed)
