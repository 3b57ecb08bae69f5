"""Figures of joint angles hold the sampled angles and the right density."""

import json

import numpy as np
import pytest

from repogen import SceneConfig, sample_scene
from repogen.generation.run_info import config_to_json
from repogen.visualization.plots import angles_figure, random_poses

BENT = {"left_elbow": [0, -100, 0], "left_shoulder": [0, 0, -40], "neck": [33, 0, 0]}


def figure_of(body, count=12, **options):
    config = SceneConfig(image_size=64, backgrounds="plain", wardrobe="painted", **options)
    scenes = (sample_scene(config, 3, index, body) for index in range(count))
    return angles_figure(scenes, random_poses(config_to_json(config), config.pose.bounds))


def panel(figure, title):
    (axes,) = [axes for axes in figure.axes if axes.get_title() == title]
    return axes


def mass(axes, low, high):
    """Share of the histogram between two angles."""
    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.patches]
    return sum(w * h for x, w, h in bars if x + w >= low and x <= high)


@pytest.fixture
def measured(tmp_path):
    path = tmp_path / "bent.json"
    path.write_text(json.dumps({"format": "repogen-poses", "poses": [{"angles": BENT}]}))
    return {"poses": path, "poses_mirror": False}


def test_the_histogram_holds_the_measured_angles(body, measured):
    figure = figure_of(body, **measured)
    bent = {f"{joint} {axis}": angle for joint, angles in BENT.items()
            for axis, angle in zip("xyz", angles, strict=True) if angle}  # fmt: skip
    assert bent
    for title, angle in bent.items():
        assert mass(panel(figure, title), angle - 1, angle + 1) == pytest.approx(1)
    assert mass(panel(figure, "left_knee x"), -1, 1) == pytest.approx(1), "a joint not in the file"
    assert not any(axes.lines for axes in figure.axes), "nothing was drawn from the bounds"


def test_the_density_integrates_to_the_share_of_random_poses(body, measured):
    figure = figure_of(body, 4, **(measured | {"poses_share": 0.75}))
    for title in ("neck x", "spine2 y", "left_shoulder y", "right_shoulder z"):
        (line,) = panel(figure, title).lines
        x, y = line.get_data()
        assert np.trapezoid(y, x) == pytest.approx(0.25, abs=0.02), "bounds lie at two sigma"


def test_the_density_of_a_random_variance_integrates_to_one(body):
    figure = figure_of(body, 4, pose_distribution="uniform", pose_variance="random")
    (line,) = panel(figure, "neck x").lines
    x, y = line.get_data()
    assert np.trapezoid(y, x) == pytest.approx(1, abs=0.02)
    assert y[np.abs(x) < 29].min() > y[np.abs(x) > 31].max(), "bounds from 2/3 to 1 of 45 degrees"


def test_the_histogram_of_random_poses_follows_the_density(body):
    figure = figure_of(body, 60, pose_distribution="uniform", pose_variance=0.5)
    for title in ("left_shoulder z", "right_shoulder z", "left_hip x", "left_elbow y"):
        axes = panel(figure, title)
        ((x, y),) = [line.get_data() for line in axes.lines]
        middle = np.trapezoid(x * y, x) / np.trapezoid(y, x)
        inside = x[y > 0]
        assert mass(axes, inside.min(), inside.max()) == pytest.approx(1)
        half = mass(axes, inside.min(), middle)
        assert 0.3 < half < 0.7, title


def test_there_is_no_density_without_the_file_of_bounds(body, tmp_path):
    path = tmp_path / "bounds.toml"
    path.write_text("[left_knee]\nx = [0, 10]\n")
    config = config_to_json(SceneConfig(bounds=path))
    known = random_poses(config, path)
    assert known is not None
    assert known.limits("left_knee", 0) == (0, 10)
    assert random_poses(config, None) is None
