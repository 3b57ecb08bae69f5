"""Whose pixels and samples are."""

from repogen.rendering.kernels.codes import NO_PERSON
from repogen.rendering.kernels.modules import PICTURE
from repogen.rendering.kernels.raster import EMPTY, KEY_FACE_BITS, SAMPLES
from repogen.warp_setup import wp

_EMPTY = wp.constant(wp.uint64(EMPTY))
_FACE_MASK = wp.constant(wp.uint64(2**KEY_FACE_BITS - 1))
_SAMPLES = wp.constant(SAMPLES)
_PER_PIXEL = wp.constant(SAMPLES * SAMPLES)

_persons = wp.types.vector(length=SAMPLES * SAMPLES, dtype=wp.int32)

STRIP = 64
"""Pixels of a row that a thread takes."""
_STRIP = wp.constant(STRIP)


@wp.kernel(module=PICTURE)
def find_owners(
    depth_face_keys: wp.array2d(dtype=wp.uint64),
    counts: wp.array2d(dtype=wp.uint8),
    face_people: wp.array(dtype=wp.int16),
    owners: wp.array2d(dtype=wp.int16),
):
    """The person whom at least half of a pixel's samples see, else `NO_PERSON`; of two such people
    the nearer one.

    `counts` are how many samples see a face, `face_people` the owners of faces.
    """
    y, strip = wp.tid()
    for x in range(strip * _STRIP, wp.min((strip + 1) * _STRIP, counts.shape[1])):
        owner = int(NO_PERSON)
        if 2 * int(counts[y, x]) >= _PER_PIXEL:
            people = _persons()
            for i in range(_PER_PIXEL):
                key = depth_face_keys[y * _SAMPLES + i / _SAMPLES, x * _SAMPLES + i % _SAMPLES]
                people[i] = NO_PERSON
                if key != _EMPTY:
                    people[i] = int(face_people[int(key & _FACE_MASK)])
            nearest = _EMPTY
            for i in range(_PER_PIXEL):
                alike = int(0)
                for j in range(_PER_PIXEL):
                    if people[j] == people[i]:
                        alike += 1
                key = depth_face_keys[y * _SAMPLES + i / _SAMPLES, x * _SAMPLES + i % _SAMPLES]
                if people[i] != NO_PERSON and 2 * alike >= _PER_PIXEL and key < nearest:
                    nearest = key
                    owner = people[i]
        owners[y, x] = wp.int16(owner)


@wp.kernel(module=PICTURE)
def find_person(
    depth_face_keys: wp.array2d(dtype=wp.uint64),
    face_people: wp.array(dtype=wp.int16),
    person: int,
    left: int,
    top: int,
    out: wp.array2d(dtype=wp.uint64),
):
    """0 for samples that see the person, else `EMPTY`; the first sample of `out` is the one at
    (`left`, `top`) of `depth_face_keys`."""
    y, strip = wp.tid()
    row = y + top
    for x in range(strip * _STRIP, wp.min((strip + 1) * _STRIP, out.shape[1])):
        column = x + left
        found = _EMPTY
        if row >= 0 and row < depth_face_keys.shape[0]:
            if column >= 0 and column < depth_face_keys.shape[1]:
                key = depth_face_keys[row, column]
                if key != _EMPTY:
                    if int(face_people[int(key & _FACE_MASK)]) == person:
                        found = wp.uint64(0)
        out[y, x] = found
