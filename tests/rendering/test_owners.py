"""Whose pixels and samples are, against NumPy."""

import numpy as np

from repogen.rendering.buffers import array, launch
from repogen.rendering.gbuffer import GBuffer, pixel_owners
from repogen.rendering.kernels.owners import STRIP, find_person
from repogen.rendering.kernels.raster import EMPTY, KEY_FACE_BITS, SAMPLES
from repogen.warp_setup import wp

PEOPLE = np.array([0, 0, 1, 2, -1], np.int16)
"""Owner of each face."""


def random_keys(height: int, width: int) -> np.ndarray:
    """Keys of faces at random depths, with some samples that see nothing."""
    rng = np.random.default_rng(3)
    shape = SAMPLES * height, SAMPLES * width
    faces = rng.integers(len(PEOPLE), size=shape).astype(np.uint64)
    keys = rng.integers(1, 2**30, size=shape).astype(np.uint64) << np.uint64(KEY_FACE_BITS) | faces
    return np.where(rng.random(shape) < 0.2, np.uint64(EMPTY), keys)


def naive_owner(keys: np.ndarray) -> int:
    """Naive version of `pixel_owners` for the samples of one pixel."""
    owners = [-1 if key == EMPTY else int(PEOPLE[int(key) & 0xFFFFFFFF]) for key in keys]
    half = {one for one in owners if one >= 0 and 2 * owners.count(one) >= len(owners)}
    seen = [(key, one) for key, one in zip(keys, owners, strict=True) if one in half]
    return min(seen)[1] if seen else -1


def test_a_pixel_is_of_whom_half_of_its_samples_see():
    height, width = 20, STRIP + 9
    keys = random_keys(height, width)
    gbuffer = GBuffer(keys, np.zeros((height, width), np.uint8), np.zeros(0), SAMPLES, 0, 0, 0, 0)
    counts = gbuffer.by_pixel(gbuffer.covered).sum(axis=2).astype(np.uint8)
    gbuffer = GBuffer(keys, counts, np.zeros(0), SAMPLES, 0, 0, 0, 0)
    found = pixel_owners(gbuffer, PEOPLE)
    wanted = np.array([[naive_owner(one) for one in row] for row in gbuffer.by_pixel(keys)])
    assert set(wanted.ravel()) == {-1, 0, 1, 2}
    assert (found == wanted).all()


def test_samples_of_a_person_are_found_in_another_window():
    keys = random_keys(8, STRIP)
    out = np.empty((12, keys.shape[1] + 10), np.uint64)
    left, top = -3, 9
    launch(
        "cpu", find_person, (len(out), -(-out.shape[1] // STRIP)),
        array(keys, wp.uint64, "cpu"), array(PEOPLE, wp.int16, "cpu"), 1, left, top,
        array(out, wp.uint64, "cpu"),
    )  # fmt: skip
    wanted = np.full(out.shape, EMPTY, np.uint64)
    seen = np.where(
        keys == EMPTY, -1, PEOPLE[(keys & np.uint64(0xFFFFFFFF)).clip(0, 4).astype(int)]
    )
    wanted[: len(keys) - top, -left : -left + keys.shape[1]][seen[top:] == 1] = 0
    assert (wanted == 0).any()
    assert (out == wanted).all()
