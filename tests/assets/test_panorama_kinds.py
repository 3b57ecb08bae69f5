"""Panoramas as strangers bring them: values that are not finite, layers, luminance and chroma,
XYZE, turned and old Radiance files. Every kind is read with the light it holds."""

import struct

import cv2
import numpy as np
import pytest

from repogen.assets import check_panorama, read_panorama
from repogen.environment.panoramas import panorama_to_light

HEIGHT, WIDTH = 16, 32


@pytest.fixture
def light():
    """Smooth light: up, right and a constant."""
    row, column = np.mgrid[:HEIGHT, :WIDTH] / WIDTH
    return np.stack([0.5 + row, 0.2 + column, 0 * row + 0.4], axis=2).astype(np.float32)


def planes(light, prefix=""):
    return {f"{prefix}{c}": np.ascontiguousarray(light[..., i]) for i, c in enumerate("RGB")}


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_an_infinite_sun_becomes_the_largest_half_and_lights_the_scene(
    tmp_path, light, dtype, write_exr
):
    pixels = light.astype(dtype)
    pixels[4, 20] = np.inf
    path = write_exr(tmp_path / "a.exr", pixels)
    out = read_panorama(path)
    assert out[4, 20].tolist() == [65504] * 3
    far = np.abs(np.mgrid[:HEIGHT, :WIDTH][1] - 20) > 9
    assert (out[far] == pixels[far]).all()
    assert check_panorama(path).endswith("a.exr: 1 infinite pixels are clamped")
    sun = panorama_to_light(out.astype(float)).lights[0]
    elevation = np.degrees(np.arcsin(sun.direction[2]))
    assert elevation == pytest.approx(90 - 180 * 4.5 / HEIGHT, abs=1)


def test_an_infinite_pixel_is_never_darker_than_the_largest_finite_one(tmp_path, light, write_exr):
    light[4, 20], light[4, 21], light[5, 5] = np.inf, 200_000, -np.inf
    out = read_panorama(write_exr(tmp_path / "a.exr", light))
    assert out[4, 20].tolist() == [200_000] * 3
    assert out.min() >= 0


def test_pixels_that_are_not_numbers_get_the_colour_around_them(tmp_path, light, write_exr):
    flat = np.full_like(light, (0.3, 0.6, 0.9))
    flat[8, 8:11] = np.nan
    path = write_exr(tmp_path / "a.exr", flat)
    assert read_panorama(path)[8, 9] == pytest.approx([0.3, 0.6, 0.9], rel=1e-5)
    assert check_panorama(path).endswith(
        "a.exr: 3 pixels that are not numbers get the colour around them"
    )


def test_numbers_whose_sum_would_overflow_count_as_infinite(tmp_path, light, write_exr):
    light[4, 20] = 3e38
    assert read_panorama(write_exr(tmp_path / "a.exr", light))[4, 20].tolist() == [65504] * 3


def test_a_clean_panorama_has_nothing_to_say(tmp_path, light, write_exr):
    assert check_panorama(write_exr(tmp_path / "a.exr", light)) is None


@pytest.mark.parametrize("prefix", ["ViewLayer.Combined.", "BG.Combined.", ".", "rgba."])
def test_the_layer_with_the_whole_picture_is_read(tmp_path, light, write_exr, prefix):
    channels = planes(light, prefix) | planes(light * 0 + 9, "View.DiffDir.")
    channels["ViewLayer.Depth.Z"] = np.ascontiguousarray(light[..., 0])
    assert (read_panorama(write_exr(tmp_path / "a.exr", channels)) == light).all()


def test_channels_of_different_precision_are_read(tmp_path, light, write_exr):
    channels = planes(light)
    half = light[..., 1].astype(np.float16)
    channels["G"] = half.copy()
    out = read_panorama(write_exr(tmp_path / "a.exr", channels))
    assert (out[..., 0] == light[..., 0]).all()
    assert (out[..., 1] == half).all()


@pytest.mark.parametrize("name", ["Y", "BW.Y"])
def test_grey_panoramas_are_read(tmp_path, light, write_exr, name):
    grey = np.ascontiguousarray(light[..., 1])
    out = read_panorama(write_exr(tmp_path / "a.exr", {name: grey}))
    assert (out == grey[..., None]).all()


def write_chroma_exr(path, light, weights, chromaticities=None):
    """An uncompressed OpenEXR of luminance, and chroma of every other pixel in both directions."""
    y = light @ np.array(weights)
    channels = {
        "BY": ((light[..., 2] - y) / y)[::2, ::2],
        "RY": ((light[..., 0] - y) / y)[::2, ::2],
        "Y": y,
    }

    def attribute(name, kind, data):
        return name + b"\0" + kind + b"\0" + struct.pack("<i", len(data)) + data

    steps = {"BY": 2, "RY": 2, "Y": 1}
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", 2, 0, step, step)
        for name, step in steps.items()
    )
    window = struct.pack("<4i", 0, 0, WIDTH - 1, HEIGHT - 1)
    head = struct.pack("<ii", 20000630, 2) + b"".join(
        [
            attribute(b"channels", b"chlist", listed + b"\0"),
            attribute(b"compression", b"compression", b"\0"),
            attribute(b"dataWindow", b"box2i", window),
            attribute(b"displayWindow", b"box2i", window),
            attribute(b"lineOrder", b"lineOrder", b"\0"),
            attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
            attribute(b"screenWindowCenter", b"v2f", struct.pack("<2f", 0, 0)),
            attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1)),
        ]
    )
    if chromaticities:
        head += attribute(b"chromaticities", b"chromaticities", struct.pack("<8f", *chromaticities))
    head += b"\0"
    chunks, offsets, at = [], [], len(head) + 8 * HEIGHT
    for row in range(HEIGHT):
        data = b"".join(
            values[row // steps[name]].astype("<f4").tobytes()
            for name, values in channels.items()
            if row % steps[name] == 0
        )
        chunks.append(struct.pack("<ii", row, len(data)) + data)
        offsets.append(at)
        at += len(chunks[-1])
    path.write_bytes(head + struct.pack(f"<{HEIGHT}Q", *offsets) + b"".join(chunks))
    return path


@pytest.mark.parametrize(
    ("weights", "chromaticities"),
    [
        ((0.2126, 0.7152, 0.0722), None),
        ((0.2627, 0.6780, 0.0593), (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)),
    ],
)
def test_luminance_and_chroma_are_read_as_colour(tmp_path, light, weights, chromaticities):
    out = read_panorama(write_chroma_exr(tmp_path / "a.exr", light, weights, chromaticities))
    assert out[::2, ::2] == pytest.approx(light[::2, ::2], abs=2e-3)
    assert out == pytest.approx(light, abs=0.03)


def rgbe(light):
    """Pixels of RGBE, 8 bits each."""
    exponent = np.ceil(np.log2(light.max(axis=2) * 256 / 255))
    mantissa = light * 256 / 2 ** exponent[..., None]
    return np.concatenate([mantissa, exponent[..., None] + 128], 2).round().astype(np.uint8)


def old_runs(pixels):
    """Radiance's first compression: one pixel, then (1, 1, 1, n) for n more like it."""
    out, flat, at = [], pixels.reshape(-1, 4), 0
    while at < len(flat):
        same = 1
        while at + same < len(flat) and (flat[at + same] == flat[at]).all():
            same += 1
        out.append(flat[at])
        left, at = same - 1, at + same
        while left:
            out.append(np.array([1, 1, 1, left % 256], np.uint8))
            left //= 256
    return np.array(out, np.uint8)


def write_hdr(path, body, size=f"-Y {HEIGHT} +X {WIDTH}", kind="rgbe", newline="\n"):
    lines = ["#?RADIANCE", "# made by hand", f"FORMAT=32-bit_rle_{kind}", "EXPOSURE=1.0", "", size]
    path.write_bytes((newline.join(lines) + newline).encode() + body.tobytes())
    return path


@pytest.mark.parametrize(
    ("size", "turn"),
    [
        (f"-Y {HEIGHT} +X {WIDTH}", lambda p: p),
        (f"+Y {HEIGHT} +X {WIDTH}", lambda p: p[::-1]),
        (f"-Y {HEIGHT} -X {WIDTH}", lambda p: p[:, ::-1]),
        (f"+Y {HEIGHT} -X {WIDTH}", lambda p: p[::-1, ::-1]),
        (f"+X {WIDTH} -Y {HEIGHT}", lambda p: p.transpose(1, 0, 2)),
        (f"+X {WIDTH} +Y {HEIGHT}", lambda p: p[::-1].transpose(1, 0, 2)),
        (f"-X {WIDTH} -Y {HEIGHT}", lambda p: p[:, ::-1].transpose(1, 0, 2)),
    ],
)
def test_radiance_files_of_any_orientation_are_upright(tmp_path, light, size, turn):
    out = read_panorama(write_hdr(tmp_path / "a.hdr", turn(rgbe(light)).copy(), size))
    assert out == pytest.approx(light, abs=1 / 128)


def test_compressed_lines_from_bottom_to_top_are_upright(tmp_path, light):
    plain = tmp_path / "plain.hdr"
    cv2.imwrite(str(plain), light[..., ::-1])
    data = plain.read_bytes()
    assert b"-Y 16" in data
    (tmp_path / "a.hdr").write_bytes(data.replace(b"-Y 16", b"+Y 16"))
    out, upright = read_panorama(tmp_path / "a.hdr"), read_panorama(plain)
    assert (out == upright[::-1]).all()
    assert upright == pytest.approx(light, abs=1 / 64)


def test_windows_line_ends_in_a_radiance_header_are_read(tmp_path, light):
    path = write_hdr(tmp_path / "a.hdr", rgbe(light), newline="\r\n")
    assert read_panorama(path) == pytest.approx(light, abs=1 / 128)


def test_old_run_lengths_are_read(tmp_path):
    flat = np.full((HEIGHT, WIDTH, 3), (0.25, 0.5, 0.75), np.float32)
    flat[3, 5] = (0.5, 0.25, 0.125)
    body = old_runs(rgbe(flat))
    assert 4 * len(body) < 200  # 512 pixels, with a run of more than 255
    assert read_panorama(write_hdr(tmp_path / "a.hdr", body)) == pytest.approx(flat, abs=1 / 256)


def test_xyze_files_are_read_as_rgb(tmp_path, light):
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    path = write_hdr(tmp_path / "a.hdr", rgbe(light @ to_xyz.T), kind="xyze")
    assert read_panorama(path) == pytest.approx(light, abs=0.03)


@pytest.mark.parametrize("name", ["plain", "sun_inf"])
def test_strangers_panoramas_are_used(shared_data, name):
    path = shared_data(f"strangers/panoramas/{name}.exr")
    out = read_panorama(path)
    assert np.isfinite(out).all()
    assert (out[10, 30] == 65504).all() == (name == "sun_inf")
