"""Kernels in few Warp modules, and caches of kernels that cannot be written."""

import os
import subprocess
import sys

import pytest

from repogen.bodies import kernels as body_kernels
from repogen.rendering.kernels import raster, room, shade
from repogen.rendering.kernels.modules import PICTURE, ZBUFFER
from repogen.rendering.loading import load_kernels
from repogen.warp_setup import wp

INIT = "from repogen.warp_setup import wp; print(wp.config.kernel_cache_dir)"


def start(cache, tmp):
    environment = os.environ | {"WARP_CACHE_PATH": str(cache), "TMPDIR": str(tmp)}
    return subprocess.run(
        [sys.executable, "-c", INIT], env=environment, capture_output=True, text=True
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
    done = start(tmp_path / "file" / "cache", tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith("repogen: warning: compiled kernels cannot be kept: ")
    assert done.stderr.endswith("; set WARP_CACHE_PATH to a writable folder\n")
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith(str(tmp_path / "repogen-kernels-"))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]  # removed at the end


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_cache_without_permission_is_not_used(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o555)
    assert start(cache, tmp_path).returncode == 0
