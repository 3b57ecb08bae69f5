"""Effects of a scene's `Sensor` on a picture: pure functions, in linear light.

Pictures are BGR bytes. Every blur is centred, so labels are those of the middle of the exposure.
Masks stay sharp: a pixel belongs to a person where a perfect camera would see that person.
"""

import cv2
import numpy as np

from repogen.arrays import Float, Float32, UInt8
from repogen.cameras.camera import Camera
from repogen.colors import to_linear, to_srgb
from repogen.environment.backgrounds import Plain
from repogen.environment.sensor import Sensor
from repogen.rendering.blur import disc_blur, motion_blur
from repogen.rendering.gbuffer import GBuffer, key_depth
from repogen.scenes.scene import Scene

_LINEAR_OF_BYTE = to_linear(np.arange(256) / 255).astype(np.float32)
_STEPS = 4095
_BYTE_OF_LINEAR = np.rint(255 * to_srgb(np.minimum(np.arange(65536) / _STEPS, 1.0))).astype(
    np.uint8
)


def _has_lut_16() -> bool:
    """Whether this OpenCV has tables of 16-bit numbers, as 5.0 has: three times as fast as
    NumPy's look-up."""
    try:
        cv2.LUT(np.zeros((1, 1), np.uint16), _BYTE_OF_LINEAR)
    except cv2.error:
        return False
    return True


_HAS_LUT_16 = _has_lut_16()

_WHITE = 230
_BRIGHTER = (1 + 3 * np.linspace((0 - _WHITE) / (255 - _WHITE), 1, 256).clip(0) ** 2).astype(
    np.float32
)
"""Factor by which a pixel whose darkest channel has this byte is brighter than it looks: our guess,
so that an overexposed sky stays white in a shorter exposure."""

_FULL_WELL = 10_000.0
_READ_NOISE = 3.0
"""Electrons at ISO 100, as in a telephone or a surveillance camera."""

_GRAIN = cv2.getGaussianKernel(3, 0.5)
"""Neighbouring pixels share some noise, as after demosaicing."""

_INTERPOLATIONS = {
    "area": cv2.INTER_AREA,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}


def circle_of_confusion(
    camera: Camera, sensor: Sensor, depths: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """Diameters in pixels of the discs that blur points at these depths (metres).

    The thin lens's circle of confusion: aperture v |1/focus - 1/depth|, where v is the distance
    from the lens to the image, the camera's focal length in pixels.
    """
    return camera.fx * sensor.aperture_m * np.abs(1 / sensor.focus_m - 1 / depths)


def background_depth(scene: Scene) -> float:
    """Depth in metres (`Camera.depth_of`) of the floor at the picture's centre; infinite without
    floor there. It stands for the whole background."""
    camera, background = scene.camera, scene.background
    if isinstance(background, Plain) or background.floor_z is None:
        return np.inf
    ray = camera.rays(np.array([[camera.width / 2, camera.height / 2]]))
    fall = float(ray[0] @ np.array(camera.rotation)[:, 2])
    if not fall < 0:
        return np.inf
    way = (background.floor_z - camera.position()[2]) / fall
    return float(camera.depth_of(way * ray)[0])


def defocus_background(
    background: UInt8[np.ndarray, "h w 3"], scene: Scene
) -> UInt8[np.ndarray, "h w 3"]:
    """The background, blurred as the scene's lens blurs points at `background_depth`."""
    if not scene.sensor.aperture_m:
        return background
    width = float(
        circle_of_confusion(scene.camera, scene.sensor, np.array(background_depth(scene)))
    )
    if width < 1:
        return background
    return _to_bytes(disc_blur(_unclip(background, np.ones(3)), width))


def needs_compositing(scene: Scene, depths: Float[np.ndarray, " n"]) -> bool:
    """Whether people must be drawn on their own layer, to be blurred apart from the background:
    for motion blur of the people, or because a vertex at one of these depths (metres) is out of
    focus."""
    if scene.sensor.people_motion[0] > 0:
        return True
    if not scene.sensor.aperture_m:
        return False
    near_and_far = np.array([depths.min(), depths.max()])
    return bool(
        (circle_of_confusion(scene.camera, scene.sensor, np.maximum(near_and_far, 0.01)) >= 1).any()
    )


def composite(
    people: UInt8[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"],
    gbuffer: GBuffer,
    scene: Scene,
) -> UInt8[np.ndarray, "h w 3"]:
    """The background under the people, who are drawn over black in `people` and are blurred by
    their motion and by depth.

    Blur by depth mixes three pictures: sharp, and blurred by half and all of the largest circle
    of confusion. Around people it is as strong as at their edge.
    """
    covered = gbuffer.counts > 0
    if not covered.any():
        return background
    depths = key_depth(gbuffer.nearest_keys[covered])
    widths = circle_of_confusion(scene.camera, scene.sensor, depths)
    widest = float(widths.max())
    margin = int((scene.sensor.people_motion[0] + widest) / 2) + 2
    rows = slice(max(gbuffer.top - margin, 0), gbuffer.top + covered.shape[0] + margin)
    columns = slice(max(gbuffer.left - margin, 0), gbuffer.left + covered.shape[1] + margin)
    share = (gbuffer.counts / np.float32(gbuffer.samples**2)).astype(np.float32)
    share = gbuffer.to_image(share)[rows, columns]
    layer = cv2.merge([*cv2.split(_to_linear(people[rows, columns])), share])
    if widest >= 1:
        blur = np.zeros(covered.shape, np.float32)
        blur[covered] = widths
        layer = _blur_by_depth(layer, gbuffer.to_image(blur)[rows, columns], widest)
    layer = motion_blur(layer, *scene.sensor.people_motion)
    out = background.copy()
    *light, share = cv2.split(layer)
    behind = _to_linear(background[rows, columns]) * cv2.merge([1 - share] * 3)
    out[rows, columns] = _to_bytes(cv2.merge(light) + behind)
    return out


def apply_sensor(image: UInt8[np.ndarray, "h w 3"], sensor: Sensor) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with the effects that concern all of it: camera motion, vignette, exposure, white
    balance, noise and rescaling; the same array for a perfect sensor."""
    gains = 2**sensor.exposure_ev * np.array(sensor.white_balance)
    if (gains != 1).any() or sensor.camera_motion[0] or sensor.vignette or sensor.iso:
        light = motion_blur(_unclip(image, gains), *sensor.camera_motion)
        if sensor.vignette:
            height, width = image.shape[:2]
            factor = vignette_factor(height, width, sensor.vignette)
            cv2.multiply(light, cv2.merge([factor] * 3), dst=light)
        if sensor.iso:
            grain = _grain(light.shape, sensor.noise_seed)
            grain *= noise_std(light, sensor.iso)
            light += grain
        image = _to_bytes(light)
    return _rescale(image, sensor) if sensor.rescale < 1 else image


def noise_std(light: Float[np.ndarray, "..."], iso: float) -> Float[np.ndarray, "..."]:
    """Standard deviation of the noise in linear light of this mean: shot noise and read noise."""
    electrons = np.float32(_FULL_WELL * 100 / iso)
    variance = light * (1 / electrons)
    variance += (np.float32(_READ_NOISE) / electrons) ** 2
    return np.sqrt(variance, out=variance if variance.ndim else None)


def vignette_factor(height: int, width: int, loss: float) -> Float32[np.ndarray, "h w"]:
    """Factor of linear light: 1 at the picture's centre, 1 - `loss` in its corners, quadratic in
    the distance from the centre."""
    y = (np.arange(height) + 0.5 - height / 2).astype(np.float32)[:, None]
    x = (np.arange(width) + 0.5 - width / 2).astype(np.float32)
    return 1 - np.float32(4 * loss / (height**2 + width**2)) * (x * x + y * y)


def _blur_by_depth(
    layer: Float32[np.ndarray, "h w 4"], blur: Float32[np.ndarray, "h w"], widest: float
) -> Float32[np.ndarray, "h w 4"]:
    half, full = disc_blur(layer, widest / 2), disc_blur(layer, widest)
    seen = (layer[..., 3] > 0).astype(np.float32)
    reached, share = cv2.split(disc_blur(cv2.merge([blur, seen]), widest))
    level = np.where(seen > 0, blur, reached / np.maximum(share, 1e-6))
    level = cv2.merge([np.clip(level / np.float32(widest), 0, 1) * 2] * 4)
    first, second = np.minimum(level, 1), np.maximum(level - 1, 0)
    return layer + first * (half - layer) + second * (full - half)


def _grain(shape: tuple[int, ...], seed: int) -> Float32[np.ndarray, "h w 3"]:
    """Noise of unit variance, nearly normal: the sum of two random bytes, blurred slightly."""
    size = int(np.prod(shape))
    bits = np.random.PCG64(seed)
    words = bits.random_raw(-(-2 * size // 8))
    one, other = words.view(np.uint8)[: 2 * size].reshape(2, *shape)
    total = cv2.add(one, other, dtype=cv2.CV_32F)
    std = np.sqrt(2 * (256**2 - 1) / 12) * float((_GRAIN**2).sum())
    return cv2.sepFilter2D(total, -1, _GRAIN / std, _GRAIN, delta=-255 / std)


def _rescale(image: UInt8[np.ndarray, "h w 3"], sensor: Sensor) -> UInt8[np.ndarray, "h w 3"]:
    height, width = image.shape[:2]
    size = tuple(max(round(sensor.rescale * side), 1) for side in (width, height))
    small = cv2.resize(image, size, interpolation=_INTERPOLATIONS[sensor.shrink])
    return cv2.resize(small, (width, height), interpolation=_INTERPOLATIONS[sensor.enlarge])


def _to_linear(image: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """Linear light of a picture, BGR."""
    return cv2.LUT(image, _table(np.ones(3)))


def _table(gains: Float[np.ndarray, "3"]) -> Float32[np.ndarray, "1 256 3"]:
    """Linear light of each byte, BGR, times the gains of red, green and blue."""
    return (_LINEAR_OF_BYTE[None, :, None] * gains[::-1]).astype(np.float32)


def _unclip(
    image: UInt8[np.ndarray, "h w 3"], gains: Float[np.ndarray, "3"]
) -> Float32[np.ndarray, "h w 3"]:
    """Linear light of a picture, BGR, times the gains of red, green and blue; what was clipped to
    white becomes brighter than 1."""
    light = cv2.LUT(image, _table(gains))
    blue, green, red = cv2.split(image)
    lowest = cv2.min(cv2.min(blue, green), red)
    if lowest.max() > _WHITE:
        cv2.multiply(light, cv2.merge([cv2.LUT(lowest, _BRIGHTER)] * 3), dst=light)
    return light


def _to_bytes(light: Float32[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    steps = cv2.multiply(light, (_STEPS,) * 4, dtype=cv2.CV_16U)
    return cv2.LUT(steps, _BYTE_OF_LINEAR) if _HAS_LUT_16 else np.take(_BYTE_OF_LINEAR, steps)
