"""Truncated pictures are recognised by their content, and alpha is read from every kind."""

import cv2
import numpy as np
import pytest
from PIL import Image

from repogen.errors import UserError
from repogen.picture_checks import check_complete, check_picture, check_rgba, read_rgba


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


KINDS = {
    "baseline.jpg": {"quality": 90},
    "progressive.jpg": {"quality": 90, "progressive": True},
    "restarts.jpg": {"quality": 90, "restart_marker_rows": 1},
    "a.png": {},
    "lossless.webp": {"lossless": True},
    "a.bmp": {},
    "a.tif": {},
}


@pytest.mark.parametrize("name", KINDS)
def test_whole_pictures_pass(tmp_path, pixels, name):
    assert check_picture(save(tmp_path / name, pixels, **KINDS[name])) is None


@pytest.mark.parametrize("name", [name for name in KINDS if not name.endswith((".bmp", ".tif"))])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_truncated_pictures_are_user_errors_without_decoding(tmp_path, pixels, name, share):
    path = save(tmp_path / name, pixels, **KINDS[name])
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(UserError, match=rf"{name} is truncated or damaged"):
        check_complete(path)


def test_a_jpeg_with_a_thumbnail_is_truncated_if_the_picture_is(tmp_path, pixels):
    thumbnail = cv2.imencode(".jpg", pixels[:8, :8])[1].tobytes()
    path = save(tmp_path / "a.jpg", pixels, comment=thumbnail, quality=90)
    check_complete(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match="truncated"):
        check_complete(path)


def test_bytes_after_a_picture_and_other_suffixes_do_not_matter(tmp_path, pixels):
    jpeg = save(tmp_path / "a.jpg", pixels)
    jpeg.write_bytes(jpeg.read_bytes() + b"\0\0\0\x18ftypmp42" + bytes(500))  # a Motion Photo
    assert check_picture(jpeg) is None
    png = save(tmp_path / "b.png", pixels)
    assert check_picture(png.rename(tmp_path / "b.jpg")) is None


def test_a_damaged_png_chunk_is_found(tmp_path, pixels):
    path = save(tmp_path / "a.png", pixels)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        check_complete(path)


@pytest.mark.parametrize("data", [b"", b"hello", b"<html>404</html>", b"\xff\xd8\xff"])
def test_other_files_are_not_pictures(tmp_path, data):
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(UserError, match=r"a\.jpg is (not a picture|truncated)"):
        check_picture(tmp_path / "a.jpg")


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.png: No such file"):
        check_rgba(tmp_path / "gone.png")


def test_the_transparent_grey_of_a_png_is_alpha(tmp_path):
    grey = np.array([[7, 200, 7, 90]], np.uint8)
    path = save(tmp_path / "a.png", grey, transparency=7)
    assert read_rgba(path).tolist() == [
        [[7, 7, 7, 0], [200, 200, 200, 255], [7, 7, 7, 0], [90, 90, 90, 255]]
    ]


def test_the_transparent_grey_of_a_png_of_16_bits_is_alpha(tmp_path):
    grey = np.array([[300, 65535, 301]], np.uint16)
    path = save(tmp_path / "a.png", grey, transparency=300)
    assert read_rgba(path)[0, :, 3].tolist() == [0, 255, 255]
    assert read_rgba(path)[0, :, 0].tolist() == [1, 255, 1]


def test_the_transparent_colour_of_a_png_is_alpha(tmp_path):
    colors = np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8)
    path = save(tmp_path / "a.png", colors, transparency=(1, 2, 3))
    assert read_rgba(path)[0, :, 3].tolist() == [0, 255]


def test_pictures_of_16_bits_with_alpha_are_rounded_to_8(tmp_path):
    values = np.array([[[65535, 0, 257 * 128, 257 * 77], [1000, 2000, 3000, 0]]], np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values)
    assert read_rgba(tmp_path / "a.png").tolist() == [
        [[128, 0, 255, 77], [round(3000 / 257), round(2000 / 257), round(1000 / 257), 0]]
    ]
