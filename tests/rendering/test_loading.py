"""Kernels in few Warp modules, and caches of kernels that cannot be written."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from repogen.bodies import kernels as body_kernels
from repogen.package_data import REINSTALL, package_data_dir
from repogen.rendering.kernels import raster, room, shade
from repogen.rendering.kernels.modules import PICTURE, ZBUFFER
from repogen.rendering.loading import MODULES, load_kernels
from repogen.warp_setup import SHIPPED, wp

BUILD = Path(__file__).parents[2] / "tools" / "build_kernels.py"
DATA = package_data_dir("rendering")
OURS = DATA / (SHIPPED + wp.config.version)
needs_shipped_kernels = pytest.mark.skipif(
    not OURS.exists() or (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason=f"no kernels are shipped for this platform or for Warp {wp.config.version}",
)

INIT = "from repogen.warp_setup import wp; print(wp.config.kernel_cache_dir)"


def start(cache, tmp, data=DATA):
    """Warp's setup with a cache, a folder for temporary ones, and one of shipped kernels."""
    environment = os.environ | {"WARP_CACHE_PATH": str(cache), "TMPDIR": str(tmp)}
    program = (
        "import pathlib, repogen.package_data as p\n"
        f"p.package_data_dir = lambda _: pathlib.Path({str(data)!r})\n{INIT}"
    )
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )


def test_kernels_of_every_picture_are_in_two_modules_and_the_body_s():
    assert {shade.shade.module, room.draw_room.module} == {PICTURE}
    assert raster.rasterize.module is ZBUFFER
    assert body_kernels.skin_vertices.module is wp.get_module(body_kernels.__name__)


def test_edges_are_computed_without_fused_operations():
    assert ZBUFFER.options["fuse_fp"] is False


def test_loading_again_changes_nothing():
    load_kernels("cpu")
    before = dict(PICTURE.execs)
    load_kernels("cpu")
    assert PICTURE.execs == before


def test_kernels_that_cannot_be_kept_go_to_a_temporary_folder(tmp_path):
    (tmp_path / "file").touch()
    done = start(tmp_path / "file" / "cache", tmp_path, data=tmp_path / "none")
    assert done.returncode == 0
    assert done.stderr.startswith("repogen: warning: compiled kernels cannot be kept: ")
    assert done.stderr.endswith("; set WARP_CACHE_PATH to a writable folder\n")
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith(str(tmp_path / "repogen-kernels-"))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]  # removed at the end


@needs_shipped_kernels
def test_nothing_is_said_where_nothing_had_to_be_compiled(tmp_path):
    (tmp_path / "file").touch()
    done = start(tmp_path / "file" / "cache", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_cache_without_permission_is_not_used(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o555)
    assert start(cache, tmp_path).returncode == 0


@needs_shipped_kernels
def test_with_an_empty_cache_nothing_is_compiled(tmp_path):
    """A module that Warp compiles leaves its C++ source in the cache."""
    program = (
        "from repogen.rendering.loading import MODULES\n"
        "from repogen.warp_setup import load_modules\n"
        "load_modules('cpu', *MODULES)"
    )
    environment = os.environ | {"WARP_CACHE_PATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    suffixes = [path.suffix for path in tmp_path.glob("*/*/*")]
    expected = [".meta"] * len(MODULES) + [".o"] * len(MODULES)
    assert sorted(suffixes) == expected, "a kernel was changed: run python tools/build_kernels.py"


@needs_shipped_kernels
def test_a_damaged_shipped_kernel_is_named(tmp_path, monkeypatch):
    shutil.copytree(DATA, tmp_path / "data")
    damaged = next((tmp_path / "data").rglob("*.o"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    (tmp_path / "cache").mkdir()
    done = start(tmp_path / "cache", tmp_path, data=tmp_path / "data")
    assert f"UserError: {damaged} is damaged (its SHA-256 differs); {REINSTALL}" in done.stderr
    assert not list((tmp_path / "cache").rglob("*.o"))


@needs_shipped_kernels
def test_damaged_kernels_in_the_cache_are_made_again(tmp_path):
    start(tmp_path, tmp_path)
    objects = {path: path.read_bytes() for path in tmp_path.rglob("*.o")}
    for path, data in objects.items():
        path.write_bytes(data[: len(data) // 2])
    start(tmp_path, tmp_path)
    assert {path: path.read_bytes() for path in objects} == objects
    assert len(objects) == len(MODULES)


@pytest.mark.slow
@needs_shipped_kernels
def test_the_tool_makes_the_shipped_kernels_again(tmp_path):
    subprocess.run([sys.executable, BUILD, "--out", tmp_path], check=True)
    made, shipped = (
        {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (tmp_path, DATA)
    )
    assert made.keys() | {"NOTICE"} == shipped.keys()
    assert [name for name in made if made[name] != shipped[name]] == []
