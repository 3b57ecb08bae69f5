"""TOML files as editors on Windows write them."""

import pytest

from repogen.errors import UserError
from repogen.poses import load_bounds
from repogen.toml_files import read_config, read_toml

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_byte_order_mark_is_skipped(tmp_path, newline):
    path = tmp_path / "a.toml"
    path.write_bytes(MARK + b"images = 7" + newline + b'name = "\xc3\xa9"' + newline)
    assert read_toml(path, "the file") == {"images": 7, "name": "é"}
    path.write_bytes(MARK + b"images = 7" + newline)
    assert read_config(path, "--config") == read_config(path, "live:") == {"images": 7}


def test_bounds_with_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "bounds.toml"
    path.write_bytes(MARK + b"[left_knee]\nx = [0, 10]\n")
    assert load_bounds(path)["left_knee"][0].tolist() == [0, 10]


def test_a_file_of_another_encoding_is_a_user_error(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("images = 7", encoding="utf-16")
    with pytest.raises(UserError, match="is not a TOML file"):
        read_toml(path, "the file")
