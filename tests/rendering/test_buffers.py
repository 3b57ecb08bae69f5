"""Arrays on the device, and structured arrays joined."""

import numpy as np

from repogen.rendering.buffers import array, struct_array
from repogen.rendering.kernels.geometry import DirectionalLight
from repogen.rendering.mesh import concatenate_structs
from repogen.warp_setup import struct_dtype, wp


def lights(count, seed):
    out = np.zeros(count, struct_dtype(DirectionalLight))
    rng = np.random.default_rng(seed)
    for name in ("direction", "color", "matrix", "offset"):
        out[name] = rng.normal(size=out[name].shape)
    return out


def test_an_array_of_the_right_type_is_shared_and_another_is_converted():
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    shared = array(values, wp.vec3, "cpu")
    assert np.shares_memory(shared.numpy(), values)
    converted = array(values.astype(np.float64), wp.vec3, "cpu")
    assert (converted.numpy() == values).all()


def test_a_shared_array_lives_as_long_as_the_devices():
    expected = lights(1000, 1)
    on_device = struct_array(expected.copy(), DirectionalLight, "cpu")
    others = [lights(1000, seed) for seed in range(2, 40)]  # would take memory that is free
    assert len(others) == 38
    assert on_device.numpy().tobytes() == expected.tobytes()


def test_structs_are_joined_in_their_order():
    parts = [lights(3, 1), lights(0, 2), lights(4, 3)]
    joined = concatenate_structs(parts)
    assert joined.dtype == parts[0].dtype
    assert joined.tobytes() == b"".join(part.tobytes() for part in parts)
