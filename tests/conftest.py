"""What many tests share: building a body takes half a second, so it is built once."""

import json
import os
import re
import tempfile
from dataclasses import is_dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import tyro

from repogen.cli import _run as run_words
from repogen.evaluation.config import EvaluateConfig
from repogen.extras import EXTRAS
from repogen.scenes import SceneConfig

# What the machine's user has installed must not change what tests see.
os.environ["REPOGEN_ASSETS"] = tempfile.mkdtemp(prefix="repogen-no-assets-")

# Painted people in built-in places are drawn more quickly: tests of clothes and panoramas
# name their packs.
SceneConfig.__dataclass_fields__["packs"].default = ()

# The regressor of views takes minutes to train: tests of estimated views ask for them.
EvaluateConfig.__dataclass_fields__["estimate_views"].default = False


def pytest_configure(config):
    """Each test process has one core: with more threads than cores, they wait for one another."""
    if config.getoption("numprocesses", None):
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


SHARED = Path(__file__).parents[2] / "shared"

OPTIONAL = {*EXTRAS, "anny", "roma", "scipy"}
"""Libraries without which the tests that import them are skipped."""

MISSING = re.compile(
    r"^E +(?:ModuleNotFoundError: No module named '|.*repogen: error: \w+ needs )(\w+)",
    re.MULTILINE,
)


def skip_without_library(report):
    """Make a failed report a skipped one where an optional library is not installed."""
    found = MISSING.search(str(report.longrepr)) if report.failed else None
    if found and found[1] in OPTIONAL:
        report.outcome = "skipped"
        why = f"Skipped: needs {found[1]}: pip install -e '.[dev]'"
        report.longrepr = (report.nodeid, 0, why)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return skip_without_library((yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return skip_without_library((yield))


@pytest.fixture(scope="session")
def shared_data():
    """Paths of real data, which is no part of the repository: `shared_data("data/lspet")` is found
    in the folder `shared` beside the checkout. A test whose data is missing is skipped."""

    def find(name):
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"needs shared/{name} beside the checkout: {path} does not exist")
        return path

    return find


@pytest.fixture(scope="session")
def body():
    from repogen.bodies.anny import AnnyBody

    return AnnyBody()


@pytest.fixture(scope="session")
def renderer(body):
    from repogen.rendering.renderer import Renderer

    return Renderer(body)


@pytest.fixture(scope="session")
def write_turned():
    """Writes a JPEG whose EXIF (orientation 6) asks for a quarter turn clockwise."""

    def write(path, picture):
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
        head = b"\xff\xd8\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
        path.write_bytes(head + data.tobytes()[2:])

    return write


@pytest.fixture
def coco(tmp_path):
    """A COCO file of ten people, one an image in the folder 2017, of whom every other is
    labelled."""
    from repogen.coco.names import CATEGORY

    images = [{"id": k, "file_name": f"{k}.jpg", "width": 50, "height": 50} for k in range(10)]
    annotations = [
        {"id": k, "image_id": k, "category_id": 1, "bbox": [0, 0, 40, 40],
         "keypoints": [10.0, 10.0, 2] * 17 if k % 2 else [0] * 51}
        for k in range(10)
    ]  # fmt: skip
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [CATEGORY]})
    )
    (tmp_path / "2017").mkdir()
    for image in images:
        cv2.imwrite(str(tmp_path / "2017" / image["file_name"]), np.zeros((50, 50, 3), np.uint8))
    return path


@pytest.fixture
def options_of():
    """Parses the words of a command as the command line does, without running it; returns the
    config that they build."""
    parse = tyro.cli

    def options(verb, *words):
        calls = []

        def parse_only(*args, **kwargs):
            calls.append(parse(*args, **kwargs))
            return lambda: 0

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tyro, "cli", parse_only)
            assert run_words([verb, *map(str, words)]) == 0
        (call,) = calls
        (config,) = (v for v in (*call.args, *call.keywords.values()) if is_dataclass(v))
        return config

    return options
