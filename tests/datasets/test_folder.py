"""Atomic writes, encoded pictures, and folders that cannot be written."""

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


def test_an_atomic_write_replaces_the_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "new" / "file.bin"
    write_atomic(path, b"a long first version")
    write_atomic(path, b"short")
    assert path.read_bytes() == b"short"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["s3://bucket/data", "memory://data"])
def test_a_dataset_cannot_be_written_to_a_url(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(UserError, match="is a URL; write the dataset to a local folder"),
        locked(DatasetFolder(Path(name)), lambda: None),
    ):
        pass
    assert not list(tmp_path.iterdir())
