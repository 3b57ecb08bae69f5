"""Atomic writes, and folders that cannot be written."""

from pathlib import Path

import pytest

from repogen.datasets.folder import DatasetFolder, locked
from repogen.errors import UserError
from repogen.files import write_atomic


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
