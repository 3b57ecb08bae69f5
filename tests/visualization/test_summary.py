"""Summaries and figures hold the camera direction of each person, not of each image."""

import shutil
from collections import Counter

import numpy as np
import pytest

from repogen import GenerateConfig, UserError, generate, info
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import read_coco
from repogen.visualization.plots import views_figure
from repogen.visualization.summary import summarize


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, body):
    config = GenerateConfig(
        images=3, people=(3, 4), spread=1.5, image_size=96, workers=1, backgrounds="plain",
        views=("top", "front"), distance=(1.0, 1.5), seed=4, framing="paper", lens="equidistant",
        fov=(200, 200),
    )  # fmt: skip
    return generate(tmp_path_factory.mktemp("crowd") / "set", config)


def test_the_views_figure_has_a_dot_for_each_person(crowd):
    coco = read_coco(DatasetFolder(crowd))
    (axes,) = views_figure(summarize(DatasetFolder(crowd))).axes
    dots = np.concatenate([np.degrees(dots.get_offsets()) for dots in axes.collections])
    views = [a["view"] for a in coco["annotations"]]
    wanted = np.array([(view["azimuth_deg"], view["elevation_deg"]) for view in views])
    assert len(dots) == len(views) > 5
    assert np.abs(np.sort(dots, axis=0) - np.sort(wanted, axis=0)).max() < 1e-6


def test_info_counts_people_by_elevation(crowd):
    coco = read_coco(DatasetFolder(crowd))
    (line,) = [line for line in info(crowd).splitlines() if line.startswith("elevations")]
    elevations = np.array([a["view"]["elevation_deg"] for a in coco["annotations"]])
    first = [image["view"]["elevation_deg"] for image in coco["images"]]
    assert not set(elevations) <= set(first), "people of one picture differ"
    total = 0
    for part in line.removeprefix("elevations").split(", "):
        low, _, high, count = part.replace("°", "").split()
        inside = (elevations >= float(low)) & (elevations < float(high))
        assert inside.sum() == int(count)
        total += int(count)
    assert total == len(elevations)


def test_the_summary_holds_every_person(crowd):
    coco, summary = read_coco(DatasetFolder(crowd)), summarize(DatasetFolder(crowd))
    people, names = coco["annotations"], [image["view"]["name"] for image in coco["images"]]
    assert summary.views == Counter(names)
    assert [list(summary.views)[k] for k in summary.people["view"]] == [
        names[a["image_id"] - 1] for a in people
    ]
    assert np.allclose(summary.people["box"], [a["bbox"] for a in people])
    assert np.allclose(summary.people["area"], [a["area"] for a in people])
    assert (summary.people["flags"] == [a["keypoints"][2::3] for a in people]).all()
    assert (summary.people["side"] == 96).all()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"view":', '"sight":', "image 1 of its annotations: lacks 'view'"),
        ('"area":', '"area":"x","a":', "area: 'x' should be a number between 0 and"),
    ],
)
def test_annotations_of_another_format_are_one_line(crowd, tmp_path, old, new, says):
    broken = tmp_path / "set"
    shutil.copytree(crowd, broken)
    file = DatasetFolder(broken).annotations
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(UserError, match=says):
        info(broken)
