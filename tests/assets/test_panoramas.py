"""Panoramas are read as linear light; invalid files are user errors."""

import cv2
import numpy as np
import OpenEXR
import pytest

from repogen.assets import add, items, read_panorama
from repogen.errors import UserError


@pytest.fixture
def light():
    rng = np.random.default_rng(0)
    return rng.uniform(0.1, 3, (32, 64, 3)).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_exr_files_are_read_exactly(tmp_path, light, dtype, write_exr):
    out = read_panorama(write_exr(tmp_path / "a.exr", light.astype(dtype)))
    assert out.dtype == np.float32
    assert (out == light.astype(dtype)).all()


def test_exr_files_with_dwab_compression_are_read(tmp_path, light, write_exr):
    smooth = cv2.GaussianBlur(light, (0, 0), 3)
    path = write_exr(tmp_path / "a.exr", smooth, OpenEXR.DWAB_COMPRESSION)
    assert read_panorama(path) == pytest.approx(smooth, rel=0.1)


def test_alpha_channels_are_ignored(tmp_path, light, write_exr):
    alpha = np.ones((32, 64), np.float32)
    planes = {name: np.ascontiguousarray(light[..., c]) for c, name in enumerate("RGB")}
    assert (read_panorama(write_exr(tmp_path / "a.exr", planes | {"A": alpha})) == light).all()


def test_hdr_files_are_read_as_rgb(tmp_path, light):
    cv2.imwrite(str(tmp_path / "a.hdr"), light[..., ::-1])
    assert read_panorama(tmp_path / "a.hdr") == pytest.approx(light, abs=3 / 128)


def test_damaged_pixels_beside_a_strong_light_are_repaired(tmp_path, write_exr):
    light = np.full((64, 128, 3), (0.9, 1.0, 1.2), np.float32)
    light[30:36, 60:66] = (0, 0, -5)
    light[32:34, 62:64] = (0, 0, 3000)
    out = read_panorama(write_exr(tmp_path / "a.exr", light))
    ring = out[31, 61]
    assert ring == pytest.approx([0.9, 1.0, 1.2], rel=0.02)
    assert out[32, 62] == pytest.approx([3000 * 0.75, 3000 / 1.2, 3000], rel=0.02)
    assert (out[:10] == light[:10]).all()


def test_coloured_pixels_far_from_lights_are_unchanged(tmp_path, write_exr):
    light = np.full((64, 128, 3), 1.0, np.float32)
    light[5:9, 5:9] = (0, 0, 2)
    light[50, 100] = 500
    assert (read_panorama(write_exr(tmp_path / "a.exr", light)) == light).all()


def bad(write_exr, tmp_path, light, what):
    path = tmp_path / f"{what}.exr"
    if what == "square":
        return write_exr(path, light[:, :32])
    if what == "depth":
        return write_exr(path, {"Z": np.ascontiguousarray(light[..., 0])})
    if what == "whole":
        return write_exr(path, light.astype(np.uint32))
    if what == "black":
        return write_exr(path, 0 * light)
    if what in ("cut", "head"):
        data = write_exr(path, light).read_bytes()
        path.write_bytes(data[: len(data) // 2 if what == "cut" else 200])
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "radiance":
        path = tmp_path / "radiance.hdr"
        cv2.imwrite(str(path), light)
        path.write_bytes(path.read_bytes()[:-300])
    elif what == "claims":
        path = tmp_path / "claims.hdr"
        path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 100000 +X 200000\n")
    elif what == "sizeless":
        path = tmp_path / "sizeless.hdr"
        path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 16 +")
    elif what == "photo":
        path = tmp_path / "photo.hdr"
        path.write_bytes(cv2.imencode(".png", (light * 50).astype(np.uint8))[1].tobytes())
    return path


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("square", "is 32 x 32 px; a panorama must be twice"),
        ("depth", "has channels Z; R, G and B, or Y"),
        ("whole", "has channels B, G, R; R, G and B, or Y, of half or float"),
        ("black", "holds no light: no pixel is above 0"),
        ("cut", "truncated"),
        ("head", "truncated"),
        ("empty", "is empty"),
        ("gone", "it is missing"),
        ("radiance", "is truncated or damaged: pixels are missing"),
        ("sizeless", "is truncated or damaged: it has no line with its size"),
        ("photo", "is not a Radiance file: it does not begin with #\\?"),
        ("claims", "the limit is"),
    ],
)
def test_invalid_panoramas_are_user_errors_that_name_the_file(
    tmp_path, light, what, says, capfd, write_exr
):
    path = bad(write_exr, tmp_path, light, what)
    with pytest.raises(UserError, match=says) as caught:
        read_panorama(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_large_panoramas_are_downscaled_with_the_same_light(tmp_path, assets, monkeypatch):
    monkeypatch.setattr(items, "_MAX_PANORAMA_WIDTH", 64)
    pixels = np.full((80, 160, 3), 0.5, np.float32)
    pixels[20:30, 60:80] = 50
    (tmp_path / "sky").mkdir()
    cv2.imwrite(str(tmp_path / "sky" / "noon.hdr"), pixels)
    assert list(add(tmp_path / "sky").pack.items[0].files) == ["noon.exr"]
    small = read_panorama(assets / "sky" / "noon.exr")
    assert small.shape == (32, 64, 3)
    assert small.mean() == pytest.approx(pixels.mean(), rel=0.01)
    assert small.max() > 49
