"""tools/turing_sheet.py: crops, statistics, distances and pages."""

import json
import sys
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest

from repogen import generate
from repogen.coco.names import CATEGORY

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    return import_module("turing_sheet")


def person(low, high, labelled=17):
    """Keypoints on the diagonal between two points, the last ones without a label."""
    at = np.linspace(low, high, 17)
    return np.column_stack([at, [2] * labelled + [0] * (17 - labelled)])


def test_a_square_lies_inside_the_image_around_the_joints_below_the_neck(tool):
    keypoints = person((0, 0), (100, 200))
    low, high = keypoints[5, :2], keypoints[-1, :2]
    side = 1.3 * (high[1] - low[1])
    window = tool.square(keypoints, np.array([500, 400]))
    assert window.size == pytest.approx((side, side))
    assert window.center == pytest.approx(
        (max((low[0] + high[0]) / 2, side / 2), (low + high)[1] / 2)
    )
    wide = tool.square(keypoints, np.array([180, 400]))
    assert wide.center[0] == pytest.approx(side / 2)  # moved inside


@pytest.mark.parametrize(
    ("keypoints", "size"),
    [
        (person((0, 0), (100, 200)), (170, 400)),  # wider than the image
        (person((0, 0), (50, 100)), (500, 400)),  # smaller than a crop
        (person((0, 0), (100, 200), labelled=14), (500, 400)),
    ],
)
def test_people_who_cannot_be_compared_are_left_out(tool, keypoints, size):
    assert tool.square(keypoints, np.array(size)) is None


@pytest.mark.parametrize("exponent", [-3.0, -2.0, -1.0])
def test_the_slope_of_a_made_spectrum_is_found(tool, exponent):
    side = tool.SIDE
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side, 1 / side)] * 2))
    frequency[0, 0] = 1
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(side, side)))
    picture = np.fft.ifft2(noise * frequency ** (exponent / 2)).real
    assert tool.spectrum_slope(picture) == pytest.approx(exponent, abs=0.25)


def test_blur_lowers_sharpness_and_gradients_and_keeps_colour(tool):
    picture = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    parts = {"torso": np.zeros((96, 96), bool), "edge": np.ones((96, 96), bool)}
    sharp = tool.statistics(picture, parts)
    soft = tool.statistics(cv2.GaussianBlur(picture, (0, 0), 2), parts)
    for name in (
        "log sharpness, 1/1",
        "gradient, 50 %",
        "edge, log sharpness",
        "edge, spread of L*",
    ):
        assert soft[name] < sharp[name], name
    assert soft["slope of the spectrum"] < sharp["slope of the spectrum"]
    assert soft["L*"] == pytest.approx(sharp["L*"], abs=5)
    assert np.isnan(sharp["torso, L*"])


def test_known_colours_have_their_lightness_and_chroma(tool):
    white = tool.statistics(np.full((96, 96, 3), 255, np.uint8), {})
    red = tool.statistics(np.full((96, 96, 3), (0, 0, 255), np.uint8), {})
    assert (white["L*"], white["white, %"]) == pytest.approx((100, 100), abs=0.1)
    assert (red["L*"], red["a*"], red["chroma"]) == pytest.approx((53.2, 80.1, 104.6), abs=0.3)


def test_the_distance_of_equal_distributions_is_the_floor(tool):
    rng = np.random.default_rng(0)
    a, same, moved = rng.normal(5, 2, 400), rng.normal(5, 2, 400), rng.normal(7, 2, 300)
    far, floor = tool.distances(a, same, rng)
    assert far == pytest.approx(floor, abs=0.05)
    moved[:10] = np.nan
    assert tool.distances(a, moved, rng)[0] == pytest.approx(1, abs=0.2)  # in standard deviations


def test_pages_show_each_crop_once_and_the_key_tells_which(tool, tmp_path, monkeypatch, capsys):
    ours = generate(
        tmp_path / "ours", images=12, image_size=192, workers=1, views="front", wardrobe="painted",
        backgrounds="builtin",
    )  # fmt: skip
    images = tmp_path / "photographs"
    images.mkdir()
    people = []
    for k in range(1, 9):
        cv2.imwrite(str(images / f"{k}.jpg"), np.full((200, 200, 3), 25 * k, np.uint8))
        keypoints = person((20, 20), (120, 150)).ravel().tolist()
        people.append({"id": k, "image_id": k, "category_id": 1, "bbox": [20, 20, 100, 130],
                       "area": 9000, "num_keypoints": 17, "keypoints": keypoints})  # fmt: skip
    shots = [{"id": k, "file_name": f"{k}.jpg", "width": 200, "height": 200} for k in range(1, 9)]
    content = {"images": shots, "annotations": people, "categories": [CATEGORY]}
    (tmp_path / "people.json").write_text(json.dumps(content))
    monkeypatch.setattr(tool, "ROWS", 2)
    monkeypatch.setattr(tool, "COLUMNS", 3)
    words = ["--photographs", f"{tmp_path / 'people.json'}:{images}", "--ours", str(ours)]
    words += ["--out", str(tmp_path / "out"), "--people", "5"]
    monkeypatch.setattr(sys, "argv", ["turing_sheet.py", *words])
    tool.main()
    key = json.loads((tmp_path / "out" / "key.json").read_text())
    assert [p["kind"] for p in key].count("photographs") == 5  # of 8
    shown = {tuple(p["page"]): p for p in key if "page" in p}
    assert sorted(shown) == [(1, row, column) for row in (1, 2) for column in (1, 2, 3)]
    page = cv2.imread(str(tmp_path / "out" / "page-1.png"))
    assert page.shape == (2 * 98, 3 * 98, 3)
    photographs = {at: p for at, p in shown.items() if p["kind"] == "photographs"}
    assert 0 < len(photographs) < 6
    middles = [page[98 * row - 49, 98 * column - 49] for _, row, column in photographs]
    greys = [[25 * int(Path(p["file"]).stem)] * 3 for p in photographs.values()]
    np.testing.assert_allclose(middles, greys, atol=2)
    assert (tmp_path / "out" / "distances.md").read_text() in capsys.readouterr().out
