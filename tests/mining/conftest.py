"""A small mined dataset, and an estimator that is always right."""

import pytest

from repogen import mine
from repogen.mining import candidates
from repogen.mining.difficulty import Difficulty

SMALL = {
    "images": 4, "candidates": 34, "rounds": 2, "image_size": 128, "judge_size": 96, "seed": 3,
    "least_side": 24, "max_excess": 200, "max_inside": 0.1, "least_visible": 5,
    "wardrobe": "painted", "backgrounds": "plain", "views": "sphere", "packs": (),
    "orientation": ("upright=0.5", "any=0.5"),
}  # fmt: skip
"""Options of a search that takes seconds."""


@pytest.fixture(scope="session")
def small():
    return SMALL


@pytest.fixture(scope="session")
def mined(body, tmp_path_factory):
    """A dataset mined with one process."""
    return mine(tmp_path_factory.mktemp("mined") / "set", "lightning", workers=1, **SMALL)


@pytest.fixture
def never_wrong(monkeypatch):
    """Nobody is hard, in this process."""
    monkeypatch.setattr(candidates, "judge", lambda *_: Difficulty(0.0, 0.0, 0.0))


@pytest.fixture
def ray_settings(monkeypatch):
    """Ray that may be started here; it reads these when it is imported."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a token of these tests")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    pytest.importorskip("ray")
