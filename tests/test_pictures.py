"""Encoded pictures are read back; files that are too large or not pictures give None."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from repogen.environment.backgrounds import load_photo
from repogen.environment.cutouts import find_cutouts
from repogen.errors import UserError
from repogen.limits import MAX_PIXELS
from repogen.people.wardrobe import find_textures
from repogen.pictures import (
    decode_picture,
    encode_jpeg,
    encode_png,
    has_picture_header,
    read_picture,
)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.fixture
def bomb(tmp_path):
    """A PNG with alpha whose header has more pixels than `MAX_PIXELS`."""
    head = struct.pack(">IIBBBBB", 2**14, MAX_PIXELS // 2**14 + 1, 8, 6, 0, 0, 0)
    rows = zlib.compress(bytes(10**6))
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    return path


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "whole.png"
    cv2.imwrite(str(path), np.full((6, 8, 4), 200, np.uint8))
    return path


def test_a_valid_picture_is_decoded(whole):
    assert has_picture_header(whole)
    assert read_picture(str(whole)).shape == (6, 8, 3)
    data = np.fromfile(whole, np.uint8)
    assert decode_picture(data, cv2.IMREAD_UNCHANGED).shape == (6, 8, 4)


def test_a_picture_with_too_many_pixels_is_not_decoded(bomb):
    assert not has_picture_header(bomb)
    assert read_picture(str(bomb)) is None
    assert decode_picture(np.fromfile(bomb, np.uint8)) is None
    with pytest.raises(UserError, match="cannot be read as an image"):
        load_photo(str(bomb))


def test_folders_of_only_oversized_pictures_are_refused(bomb, tmp_path):
    for find in (find_textures, find_cutouts):
        with pytest.raises(UserError, match="none of its 1"):
            find(tmp_path)


def test_oversized_pictures_in_a_folder_are_skipped(bomb, whole, tmp_path):
    for find in (find_textures, find_cutouts):
        assert find(tmp_path) == (whole.resolve(),)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_files_that_are_not_pictures_give_none(data, tmp_path):
    (tmp_path / "a.png").write_bytes(data)
    assert not has_picture_header(tmp_path / "a.png")
    assert read_picture(str(tmp_path / "a.png")) is None
    assert decode_picture(np.frombuffer(data, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (37, 53), (37, 53, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_opencv_reads_our_png_back_exactly(shape, dtype):
    picture = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    data = np.frombuffer(encode_png(picture), np.uint8)
    back = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert back.dtype == dtype
    assert (back == picture).all()


def test_jpeg_is_close_to_its_picture():
    gradient = np.tile(np.arange(0, 256, 2, dtype=np.uint8)[:, None, None], (1, 64, 3))
    back = cv2.imdecode(np.frombuffer(encode_jpeg(gradient), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(back.astype(int) - gradient).mean() < 2
