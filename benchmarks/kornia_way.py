"""A training crop made with kornia's functions: the picture decoded whole, then one warp, colours
and losses of quality on float tensors. The random changes are those of `training_crop`."""

import cv2
import numpy as np
import torch

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.augmentation import Augmentation, augment
from repogen.coco.crops import box_to_window, joints_to_crop, window_to_crop


def available() -> str | None:
    """None if kornia can be imported, else the reason in one line."""
    try:
        import kornia  # noqa: F401
    except ImportError as error:
        return str(error)
    torch.set_num_threads(1)
    return None


def crop_of(
    rng: np.random.Generator, people: PersonAnnotations, person: int, how: Augmentation
) -> tuple[np.ndarray, np.ndarray]:
    """The crop (h, w, 3), RGB, and its joints (17, 3)."""
    from kornia.enhance import adjust_contrast
    from kornia.geometry import warp_affine

    picture = cv2.imread(str(people.path(person)), cv2.IMREAD_COLOR)
    assert picture is not None
    keypoints = people.keypoints[person]
    window = box_to_window(people.boxes[person], how.padding, how.crop)
    window = augment(rng, window, keypoints, how)
    matrix = torch.from_numpy(window_to_crop(window, how.crop)).float()[None]
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    crop = warp_affine(pixels, matrix, how.crop[::-1], padding_mode="zeros")
    if how.jitter:
        gain = 1 + how.jitter * rng.uniform(-1, 1, 3)
        crop = adjust_contrast(crop, 1 + how.jitter * rng.uniform(-1, 1))
        lift = 0.5 * how.jitter * rng.uniform(-1, 1)
        crop = (crop * torch.from_numpy(gain).float().view(1, 3, 1, 1) + lift).clamp(0, 1)
    if how.degrade:
        crop = _degrade(rng, crop)
    rgb = (crop[0].flip(0) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    return rgb.numpy(), joints_to_crop(keypoints, window, how.crop)


def _degrade(rng: np.random.Generator, crop: torch.Tensor) -> torch.Tensor:
    from kornia.enhance import jpeg_codec_differentiable
    from kornia.filters import gaussian_blur2d
    from kornia.geometry import resize

    size = crop.shape[2:]
    if rng.random() < 0.5:
        ratio = rng.uniform(1, 4)
        coarse = resize(crop, (int(size[0] / ratio), int(size[1] / ratio)), antialias=True)
        crop = resize(coarse, tuple(size))
    if rng.random() < 0.4:
        sigma = rng.uniform(0.3, 1.6)
        width = 2 * round(3 * sigma) + 1
        crop = gaussian_blur2d(crop, (width, width), (sigma, sigma))
    if rng.random() < 0.3:
        crop = (crop + torch.randn_like(crop) * rng.uniform(2, 10) / 255).clamp(0, 1)
    if rng.random() < 0.4:
        quality = torch.tensor([float(rng.integers(25, 80))])
        crop = jpeg_codec_differentiable(crop, quality).clamp(0, 1)
    return crop
