"""`chart_views`: from a COCO-keypoints file to charts, the cached regressor, bad input."""

import json

import cv2
import numpy as np
import pytest
from scipy.stats import spearmanr

from repogen import GenerateConfig, UserError, generate
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cache import cache_dir
from repogen.cli import main
from repogen.viewpoint_estimation import trained as kept
from repogen.viewpoint_estimation.charting import chart_views, views_text


@pytest.fixture(scope="module")
def people(tmp_path_factory, body):
    return generate(
        tmp_path_factory.mktemp("views") / "set",
        GenerateConfig(
            images=24, image_size=96, backgrounds="plain", seed=5, workers=1, views=("top",)
        ),
    )


def coco(*persons, views=None):
    """A COCO file of one image with these persons."""
    image = {"id": 7, "file_name": "a.jpg", "width": 400, "height": 400}
    return {
        "images": [image | ({"view": views} if views else {})],
        "annotations": [
            {"id": 10 + i, "image_id": 7, "category_id": 1, "bbox": [0, 0, 400, 400], **person}
            for i, person in enumerate(persons)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}],
    }


def person(strangers, joints=17, **more):
    """A person seen at eye level from the front."""
    flat = np.stack([200 + 100 * strangers[0, :, 0], 200 - 100 * strangers[0, :, 2]], axis=1)
    keypoints = np.concatenate([flat, np.full((17, 1), 2.0)], axis=1)
    keypoints[: 17 - joints] = 0
    return {"keypoints": keypoints.ravel().tolist()} | more


def written(path, data):
    path.write_text(json.dumps(data))
    return path


def test_one_of_our_datasets_is_charted_with_the_views_in_the_file(tmp_path, people, trained):
    out = tmp_path / "out"
    report = chart_views(people, out, regressor=trained)
    assert report == json.loads((out / "views.json").read_text())
    assert (report["persons"], report["left_out"]) == (24, 0)
    assert report["error_deg"]["persons"] == 24
    assert report["error_deg"]["median"] < 35
    for shares in (report["shares"], report["shares_in_file"]):
        assert sum(row["all"] for row in shares) == pytest.approx(1, abs=1e-3)
        assert all(
            sum(row[side] for side in ("front", "left", "back", "right"))
            == pytest.approx(row["all"], abs=1e-4)
            for row in shares
        )
        # From above, most of them: `top` has three of four cameras over the horizon.
        assert sum(row["all"] for row in shares if row["elevation_deg"][0] >= 0) > 0.6
    same = chart_views(people / "annotations/person_keypoints.json", out, regressor=trained)
    assert same["people"] == report["people"]
    for name in ("sphere.png", "bands.png"):
        assert cv2.imread(str(out / name)).std() > 20


def test_crowds_and_persons_with_few_joints_are_left_out(tmp_path, strangers, trained):
    persons = [
        person(strangers), person(strangers, 8), person(strangers, 5),
        person(strangers, iscrowd=1), {"keypoints": [0] * 51}, {},
    ]  # fmt: skip
    path = written(tmp_path / "a.json", coco(*persons))
    report = chart_views(path, tmp_path / "out", regressor=trained)
    assert [one["annotation_id"] for one in report["people"]] == [10, 11]
    assert {one["image_id"] for one in report["people"]} == {7}
    assert report["left_out"] == 4
    assert "error_deg" not in report
    assert "2 persons, 4 left out" in views_text(report)
    fewer = chart_views(path, tmp_path / "out", min_joints=5, regressor=trained)
    assert [one["annotation_id"] for one in fewer["people"]] == [10, 11, 12]


def test_a_person_seen_from_the_front_has_azimuth_zero(tmp_path, body, trained):
    standing = body.pose({"age": 2 / 3}, {}, {"left_shoulder": (0, 0, -70)}).keypoints[None]
    level = person(standing)
    back = np.array(level["keypoints"]).reshape(17, 3)
    back[:, 0] = 400 - back[:, 0]
    views = {"azimuth_deg": 0.0, "elevation_deg": 0.0}
    path = written(
        tmp_path / "a.json", coco(level, {"keypoints": back.ravel().tolist()}, views=views)
    )
    report = chart_views(path, tmp_path / "out", regressor=trained)
    front, behind = (one["azimuth_deg"] for one in report["people"])
    assert abs(front) < 35
    assert abs(behind) > 145
    assert report["error_deg"]["persons"] == 2


def test_the_shares_in_the_table_add_up(people, tmp_path, trained):
    report = chart_views(people, tmp_path, regressor=trained)
    lines = views_text(report).splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("elevation"))
    bands = [line.split()[3:] for line in lines[head + 1 : head + 7]]
    values = np.array([[float(cell.rstrip("%")) for cell in row] for row in bands])
    assert values[:, 4:7].sum(axis=0) == pytest.approx([100, 100, 100], abs=0.4)
    assert values[:, :4].sum(axis=1) == pytest.approx(values[:, 4], abs=0.3)
    assert sum("held-out generated people" in line for line in lines) == 3


def test_the_regressor_is_trained_once_and_cached(tmp_path, monkeypatch, people, trained):
    (tmp_path / "bodies").symlink_to(cache_dir() / "bodies")
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path))
    calls = []
    monkeypatch.setattr(kept, "train_and_evaluate", lambda: calls.append(1) or trained)
    first, again = kept.load_regressor(), kept.load_regressor()
    assert len(calls) == 1
    assert again.held_out == first.held_out == trained.held_out
    plain, read = (
        chart_views(people, tmp_path / "out", regressor=one)["people"] for one in (trained, again)
    )
    assert plain == read
    assert [p.name for p in (tmp_path / "viewpoints").glob("*partial*")] == []
    path = kept.cached_regressor()
    path.write_bytes(path.read_bytes()[:1000])
    assert kept.load_regressor().held_out == trained.held_out
    assert len(calls) == 2


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="cannot write"):
        kept.load_regressor()


def test_the_command_prints_the_table(tmp_path, people, trained, monkeypatch, capsys):
    monkeypatch.setattr("repogen.viewpoint_estimation.charting.load_regressor", lambda: trained)
    assert main(["views", str(people), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "24 persons, 0 left out" in said
    assert "error against the views in the file" in said
    assert (tmp_path / "out/views.json").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no json", "is not a JSON file"),
        ("[]", "is not a COCO file"),
        (json.dumps(coco()), "none of 0 persons has 6 labelled joints"),
        (json.dumps(coco({"keypoints": [1, 2, 2] * 3 + [0] * 42})), "the most is 3"),
        (json.dumps(coco({"keypoints": [1, 2, 2]})), "annotations[0]"),
    ],
)
def test_bad_files_are_one_line(tmp_path, capsys, text, says):
    path = tmp_path / "a.json"
    path.write_text(text)
    assert main(["views", str(path), "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.splitlines()[-1].startswith("repogen: error: ")
    assert err.count("error: ") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["/no/such.json"], "cannot read /no/such.json"),
        (["."], "is not a repogen dataset"),
        (["a.json", "--min-joints", "2"], "--min-joints 2 must lie between 5 and 17"),
        ([], "missing: annotations"),
    ],
)
def test_bad_options_are_one_line(tmp_path, capsys, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    assert main(["views", *words]) == 2
    err = capsys.readouterr().err
    assert says.lower() in err.lower()
    assert err.count("\n") == 1


def test_posefes_people_are_seen_from_above(tmp_path, shared_data, trained):
    """A fisheye camera on the ceiling: the elevation falls from the image centre outwards."""
    path = shared_data("data/posefes/person_keypoints_scenario2.json")
    report = chart_views(path, tmp_path, regressor=trained)
    assert sum(row["all"] for row in report["shares"] if row["elevation_deg"][0] >= 0) > 0.8
    boxes = {a["id"]: a["bbox"] for a in json.loads(path.read_text())["annotations"]}
    x, y, w, h = np.array([boxes[one["annotation_id"]] for one in report["people"]]).T
    radius = np.hypot(x + w / 2 - 840, y + h / 2 - 840)
    elevation = [one["elevation_deg"] for one in report["people"]]
    assert spearmanr(radius, elevation)[0] < -0.3


def test_people_in_snapshots_are_seen_at_eye_level(tmp_path, shared_data, trained):
    path = shared_data("data/coco_sample/annotations.json")
    report = chart_views(path, tmp_path, regressor=trained)
    level = [row["all"] for row in report["shares"] if row["elevation_deg"] in ([-30, 0], [0, 30])]
    assert sum(level) > 0.55
