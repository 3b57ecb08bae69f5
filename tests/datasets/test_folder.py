"""Files written whole, and pictures that other programs read back."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from repogen.datasets.encoding import encode_jpeg, encode_png
from repogen.datasets.folder import DatasetFolder, locked
from repogen.errors import UserError
from repogen.files import write_atomic


@pytest.mark.parametrize("shape", [(1, 1), (37, 53), (37, 53, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_is_read_back_exactly_by_opencv(shape, dtype):
    picture = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    data = np.frombuffer(encode_png(picture), np.uint8)
    back = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert back.dtype == dtype
    assert (back == picture).all()


def test_jpeg_is_close():
    gradient = np.tile(np.arange(0, 256, 2, dtype=np.uint8)[:, None, None], (1, 64, 3))
    back = cv2.imdecode(np.frombuffer(encode_jpeg(gradient), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(back.astype(int) - gradient).mean() < 2


def test_a_write_replaces_the_whole_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new" / "file.bin"
    write_atomic(path, b"a long first version")
    write_atomic(path, b"short")
    assert path.read_bytes() == b"short"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["s3://bucket/data", "memory://data"])
def test_urls_are_no_folders_to_write(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(UserError, match="are written to a folder"),
        locked(DatasetFolder(Path(name)), lambda: None),
    ):
        pass
    assert not list(tmp_path.iterdir())
