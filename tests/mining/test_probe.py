"""The map of what is hard: regions, intervals, comparison, and the page."""

import json
import re

import cv2
import numpy as np
import pytest
from judged import at, person

from helpers import contents
from repogen import ProbeConfig, UserError, probe
from repogen.cli import main
from repogen.mining.regions import divide
from repogen.mining.report import region_report

OPTIONS = {
    "images": 20, "image_size": 96, "judge_size": 96, "least_side": 8, "max_excess": 1000,
    "max_inside": 1, "least_visible": 1, "wardrobe": "painted", "backgrounds": "plain",
    "views": "sphere", "packs": (), "worst": 1, "seed": 5,
}  # fmt: skip


@pytest.fixture(scope="module")
def mapped(body, tmp_path_factory):
    out = tmp_path_factory.mktemp("probe") / "map"
    return probe(out, "lightning", "rare-lightning", workers=1, **OPTIONS)


@pytest.fixture
def regions(mapped):
    return json.loads((mapped.parent / "regions.json").read_text())


def test_every_way_to_divide_people_counts_everybody_once(regions):
    everybody = regions["total"]["people"]
    assert everybody > 12
    for title, parts in regions["regions"].items():
        assert sum(part["people"] for part in parts) == everybody, title


def test_the_mean_over_regions_is_that_of_everybody(regions):
    total = regions["total"]
    for model in ("lightning", "rare-lightning"):
        for parts in regions["regions"].values():
            values = [part["difficulty"][model][0] for part in parts]
            mean = np.average(values, weights=[part["people"] for part in parts])
            assert mean == pytest.approx(total["difficulty"][model][0], abs=1e-3)
    means = [total["difficulty"][model][0] for model in regions["models"]]
    assert total["difference"][0] == pytest.approx(means[1] - means[0], abs=1e-3)
    value, low, high = total["difference"]
    assert low < value < high


def test_joints_are_drawn_on_a_body_for_each_model_and_their_difference(mapped, regions):
    page = mapped.read_text()
    for name in ("lightning", "rare-lightning", "rare-lightning − lightning"):
        assert f'aria-label="{name}" font-size="12"' in page
    people = regions["total"]["people"]
    for joint, one in regions["joints"].items():
        assert 0 <= one["people"] <= people, joint
        for value in one["oks"].values():
            assert 0 <= value <= 1
    oks = regions["joints"]["left_wrist"]["oks"]
    change = oks["rare-lightning"] - oks["lightning"]
    assert f"left wrist {change:+.2f}" in page or f"left wrist {change - 1e-4:+.2f}" in page


def test_the_page_asks_no_other_host_and_shows_the_worst_people(mapped, regions):
    page = mapped.read_text()
    assert not re.search(r"(src|href)\s*=\s*(?![\"']?(data:|#))", page)
    assert not re.search(r"https?://|@import|url\(", page)
    shown = {int(n) for n in re.findall(r'title="scene (\d+)" src="data:image/jpeg', page)}
    reports = [regions["total"], *(one for each in regions["regions"].values() for one in each)]
    assert shown == {n for one in reports for n in one["worst_scenes"]}
    assert len(regions["total"]["worst_scenes"]) == min(24, regions["total"]["people"])
    picture = cv2.imread(str(mapped.parent / "worst.jpg"))
    assert picture.shape[1] == 6 * 168
    assert "<td>" in page
    assert "rare-lightning − lightning" in page


def test_the_same_call_gives_the_same_bytes(mapped):
    before = contents(mapped.parent)
    assert probe(mapped.parent, "lightning", "rare-lightning", workers=1, **OPTIONS) == mapped
    assert contents(mapped.parent) == before


@pytest.mark.slow
@pytest.mark.usefixtures("ray_settings")
def test_ray_maps_the_same(mapped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # nodes work in other folders
    again = probe("map", "lightning", "rare-lightning", engine="ray", workers=2, **OPTIONS)
    assert contents(again.parent) == contents(mapped.parent)


def test_other_options_are_refused_in_the_folder(mapped):
    with pytest.raises(UserError, match="was started with seed = 5, not 6"):
        probe(mapped.parent, "lightning", "rare-lightning", **OPTIONS | {"seed": 6})
    with pytest.raises(UserError, match="was started with weights"):
        probe(mapped.parent, "lightning", workers=1, **OPTIONS)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--weights", "multipose"], "give it as --detector"),
        (["--weights", "lightning", "--against", "lightning"], "is --weights, too"),
        (["--weights", "lightning", "--images", "19"], "--images 19 is too few"),
        ([], "error: missing: --weights; see repogen probe --help"),
    ],
)
def test_bad_input_is_one_line(words, says, tmp_path, capsys):
    assert main(["probe", str(tmp_path / "map"), *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_nobody_to_judge_is_one_line(tmp_path):
    options = OPTIONS | {"images": 20, "least_side": 5000}
    with pytest.raises(UserError, match="nobody among 20 people is plausible and can be seen"):
        probe(tmp_path / "map", "lightning", workers=1, **options)


def test_intervals_shrink_with_people_and_cover_the_mean():
    rng = np.random.default_rng(0)
    hard = rng.uniform(0, 1, (2, 900))
    few = region_report("few", ("a", "b"), hard[:, :30], ()).scores["a"]
    many = region_report("many", ("a", "b"), hard, ()).scores["a"]
    assert few.low < few.value < few.high
    assert many.high - many.low == pytest.approx(3.92 * 0.2887 / 30, rel=0.15)
    assert few.high - few.low > 3 * (many.high - many.low)
    alone = region_report("one", ("a",), hard[:1, :1], ())
    assert np.isnan(alone.scores["a"].low)
    assert alone.difference is None


def test_differences_are_paired():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.3, 1, 50)
    found = region_report("pair", ("a", "b"), np.stack([base, base - 0.1]), ())
    assert found.difference.value == pytest.approx(-0.1)
    assert found.difference.high - found.difference.low < 1e-9
    assert found.difference.significant


def names(people, title):
    (one,) = [each for each in divide(people) if each.title == title]
    return {part.name: part.rows.tolist() for part in one.regions}


def test_people_are_in_the_regions_that_describe_them():
    people = [
        person(elevation=-90.0, subject_elevation=80.0, orientation=(180.0, 0.0, 0.0)),
        person(elevation=-60.0, subject_azimuth=-170.0, subject_elevation=-30.0, side=64.0),
        person(elevation=90.0, subject_azimuth=40.0, clothes="suit", light=0.9, visible=9),
        person(subject_azimuth=90.0, descriptor=at(*[0.0] * 39, 0.0, -0.9)),
    ]
    assert names(people, "Elevation of the camera") == {
        "-90 to -60°": [0], "-60 to -30°": [1], "0 to 30°": [3], "60 to 90°": [2]
    }  # fmt: skip
    assert names(people, "Camera, by the person's own axes") == {
        "at the head": [0], "back, below": [1], "front": [2], "left": [3]
    }  # fmt: skip
    assert names(people, "Trunk, off upright in the world") == {
        "0 to 30°": [1, 2, 3], "150 to 180°": [0]
    }  # fmt: skip
    assert names(people, "Head, from the hips in the picture") == {
        "above": [3], "along the line of sight": [0, 1, 2]
    }  # fmt: skip
    assert names(people, "Longer side of the person's box") == {"64 to 128 px": [0, 1, 2, 3]}
    assert names(people, "Occluded keypoints") == {"2 to 3": [0, 1, 3], "8 to 17": [2]}
    assert names(people, "Clothes") == {"painted": [0, 1, 3], "suit": [2]}


def test_a_config_lists_its_options_to_help():
    assert "worst (int): Pictures shown of each region" in ProbeConfig.__doc__
