"""Textures: mipmaps, sampling and transparency."""

import weakref

import cv2
import numpy as np
import pytest
from PIL import Image

from repogen.errors import UserError
from repogen.people.outfit import REGIONS, WornGarment
from repogen.rendering import textures as textures_module
from repogen.rendering.kernels.texture import Texels, TexturedMaterial, sample_texture
from repogen.rendering.pieces import garment_materials
from repogen.rendering.textures import Textures
from repogen.warp_setup import wp


@wp.kernel
def looked_up(
    t: Texels,
    m: TexturedMaterial,
    uvs: wp.array(dtype=wp.vec2),
    width: float,
    out: wp.array(dtype=wp.vec4),
):
    i = wp.tid()
    out[i] = sample_texture(t, m, uvs[i], width)


def values_at(textures, texture, uvs, width=0.0, density=1.0):
    texels, material = Texels(), TexturedMaterial()
    texels.pixels = textures.pixels
    texels.to_linear = wp.array(np.arange(256) / 255, dtype=wp.float32, device="cpu")
    material.offset, material.levels = texture.offset, texture.levels
    material.width, material.height = texture.width, texture.height
    material.density = density
    out = wp.zeros(len(uvs), dtype=wp.vec4, device="cpu")
    points = wp.array(np.array(uvs), dtype=wp.vec2, device="cpu")
    wp.launch(looked_up, dim=len(uvs), inputs=[texels, material, points, width, out], device="cpu")
    return out.numpy()


def written(path, pixels):
    cv2.imwrite(str(path), pixels)
    return path


def test_a_texels_centre_has_the_texels_colour(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (16, 32, 4), dtype=np.uint8)
    textures = Textures("cpu")
    textures.load(written(tmp_path / "other.png", pixels[::-1]))
    texture = textures.load(written(tmp_path / "a.png", pixels))
    rows, columns = np.mgrid[:16, :32]
    uvs = np.stack([(columns.ravel() + 0.5) / 32, (rows.ravel() + 0.5) / 16], axis=1)
    found = values_at(textures, texture, uvs).reshape(16, 32, 4) * 255
    assert np.abs(found - pixels[..., [2, 1, 0, 3]]).max() < 0.01


def test_textures_repeat(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    textures = Textures("cpu")
    texture = textures.load(written(tmp_path / "a.png", pixels))
    uvs = np.random.default_rng(2).uniform(0, 1, (50, 2))
    once, later = (values_at(textures, texture, uvs + shift) for shift in (0, [3, -2]))
    assert np.abs(once - later).max() < 1e-3


def test_wide_pixels_see_the_mean_in_linear_light(tmp_path):
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    pixels = np.dstack([board, board, board, np.full_like(board, 255)]).astype(np.uint8)
    textures = Textures("cpu")
    texture = textures.load(written(tmp_path / "a.png", pixels))
    (value,) = values_at(textures, texture, [(0.3, 0.6)], width=1.0, density=64.0)
    # Half white, half black: sRGB 188 (the table here leaves bytes as they are).
    assert value[:3] == pytest.approx([188 / 255] * 3, abs=0.01)


def test_transparent_texels_do_not_bleed_into_opaque_ones(tmp_path):
    pixels = np.zeros((32, 32, 4), dtype=np.uint8)
    pixels[..., 1] = 255  # invisible green
    pixels[::2, :, :] = (0, 0, 255, 255)  # visible red
    textures = Textures("cpu")
    texture = textures.load(written(tmp_path / "a.png", pixels))
    (value,) = values_at(textures, texture, [(0.5, 0.5)], width=1.0, density=32.0)
    assert value[0] > 0.95
    assert value[1] < 0.05
    assert value[3] == pytest.approx(0.5, abs=0.02)


def test_texture_sides_become_powers_of_two(tmp_path):
    texture = Textures("cpu").load(written(tmp_path / "a.png", np.zeros((100, 30, 3), np.uint8)))
    assert (texture.width, texture.height, texture.levels) == (32, 128, 8)


def test_a_file_that_is_not_a_picture_is_a_user_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"a\.png is not a picture of 8 or 16 bits"):
        Textures("cpu").load(tmp_path / "a.png")


def test_cut_outs_of_any_kind_keep_their_alpha(tmp_path):
    grey = np.full((16, 16), 90, np.uint8)
    grey[:, :8] = 7
    Image.fromarray(grey).save(tmp_path / "grey.png", transparency=7)
    wide = np.full((16, 16, 4), 257 * 90, np.uint16)
    wide[..., 3] = 65535
    wide[:, :8, 3] = 0
    cv2.imwrite(str(tmp_path / "wide.png"), wide)
    for name in ("grey", "wide"):
        pixels = Textures("cpu").load(tmp_path / f"{name}.png").pixels
        assert (pixels[:, :8, 3] == 0).all()
        assert (pixels[:, 8:] == [90, 90, 90, 255]).all()


class _Garment:
    texel_density = 1.0
    alteration = None
    regions = np.arange(REGIONS + 1)
    garment = type("", (), {"face_uv": np.full((REGIONS + 1, 3, 2), 0.03), "tags": ()})


def test_too_many_textures_are_all_dropped_and_loaded_again(tmp_path, monkeypatch):
    monkeypatch.setattr(textures_module, "_MOST_TEXELS", 100)
    pixels = np.random.default_rng(3).integers(0, 256, (16, 16, 4), dtype=np.uint8)
    path, textures = written(tmp_path / "a.png", pixels), Textures("cpu")
    worn, garment = WornGarment("mine", "clothes", "a", ()), _Garment()
    texture = textures.load(path)
    gone = weakref.ref(texture)
    before = garment_materials(garment, worn, texture)
    assert textures.load(path) is texture
    del texture
    textures.clear_if_full()
    assert gone() is None
    texture = textures.load(path)
    assert (garment_materials(garment, worn, texture) == before).all()
    (found,) = values_at(textures, texture, [(0.5 / 16, 0.5 / 16)]) * 255
    assert found == pytest.approx(pixels[0, 0, [2, 1, 0, 3]], abs=0.01)
