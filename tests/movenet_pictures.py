"""Drawn people, from integers only, so that they are the same everywhere; the original MoveNet's
answers for them are in movenet_reference.npz (tools/movenet_reference.py)."""

import numpy as np

_LIMBS = ((5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16))
_STANDING = np.array(
    [(50, 14), (53, 12), (47, 12), (56, 14), (44, 14), (60, 27), (40, 27), (66, 42), (34, 42),
     (68, 56), (32, 56), (57, 56), (43, 56), (58, 74), (42, 74), (59, 92), (41, 92)]
)  # fmt: skip
"""COCO's joints of somebody who stands, in hundredths of the picture."""


def person(seed, size):
    """A picture of somebody drawn, in a pose that differs from picture to picture."""
    picture = _background(seed, size)
    draw(picture, seed, np.array([0, 0]), size)
    return picture


def two_people(seed, height, width):
    """A picture of two people drawn side by side."""
    picture = _background(seed, max(height, width))[:height, :width].copy()
    side = min(height, width // 2)
    draw(picture, seed, np.array([0, 0]), side)
    draw(picture, seed + 1, np.array([width - side, height - side]), side)
    return picture


def draw(picture, seed, corner, size):
    rng = np.random.RandomState(seed)
    joints = corner + (_STANDING + rng.randint(-5, 6, (17, 2))) * size // 100
    skin, shirt, trousers = rng.randint(40, 230, (3, 3))
    thick = size * 4 // 100
    for a, b in ((5, 6), (6, 12), (12, 11), (11, 5), (5, 12), (6, 11)):
        _capsule(picture, joints[a], joints[b], thick * 3 // 2, shirt)
    for k, (a, b) in enumerate(_LIMBS):
        _capsule(picture, joints[a], joints[b], thick, trousers if k > 3 else (shirt, skin)[k % 2])
    _capsule(picture, joints[0], joints[0], size * 7 // 100, skin)
    for eye in joints[[1, 2]]:
        _capsule(picture, eye, eye, max(1, size // 100), np.array([20, 20, 20]))


def _background(seed, size):
    tiles = np.random.RandomState(seed).randint(90, 170, (8, 8, 3)).astype(np.uint8)
    return np.kron(tiles, np.ones((size // 8, size // 8, 1), np.uint8))


def _capsule(picture, a, b, radius, color):
    """Paint the pixels within a radius of a line from a to b."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    along = b - a
    length = int(along @ along)
    t = np.clip((x - a[0]) * along[0] + (y - a[1]) * along[1], 0, length)
    scale = max(length, 1)
    dx = (x - a[0]) * scale - t * along[0]
    dy = (y - a[1]) * scale - t * along[1]
    picture[dx * dx + dy * dy <= (radius * scale) ** 2] = color
