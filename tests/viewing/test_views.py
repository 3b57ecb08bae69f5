"""Where the camera stands is told of each person, not of each picture."""

import numpy as np
import pytest

from repogen import GenerateConfig, generate, info
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import read_coco
from repogen.viewing.plots import views_figure


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, body):
    config = GenerateConfig(
        images=3, people=(3, 4), spread=1.5, image_size=96, workers=1, backgrounds="plain",
        views=("top", "front"), distance=(1.0, 1.5), seed=4, framing="paper", lens="equidistant",
        fov=(200, 200),
    )  # fmt: skip
    return generate(tmp_path_factory.mktemp("crowd") / "set", config)


def test_the_figure_has_a_dot_for_each_person(crowd):
    coco = read_coco(DatasetFolder(crowd))
    (axes,) = views_figure(coco).axes
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
