"""`repogen evaluate`: from weights to the files it writes, and its errors for bad input."""

import json
import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from repogen import GenerateConfig, UserError, generate
from repogen.cli import main
from repogen.coco.annotations import read_person_annotations
from repogen.datasets.sets import read_set
from repogen.evaluation.comparison import compare
from repogen.evaluation.config import EvaluateConfig
from repogen.evaluation.report import evaluate, write_report
from repogen.evaluation.results import Report
from repogen.models import build_model
from repogen.models.weights import save_weights
from repogen.viewpoint_estimation import trained
from repogen.viewpoint_estimation.regressor import ViewRegressor


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with the runs a and b, random weights of `tiny`."""
    folder = tmp_path_factory.mktemp("runs")
    for seed, name in enumerate(("a", "b")):
        torch.manual_seed(seed)
        save_weights(folder / name / "best.safetensors", build_model("tiny").state_dict(), "tiny")
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory, body):
    return generate(
        tmp_path_factory.mktemp("evaluate") / "set",
        GenerateConfig(images=8, image_size=128, backgrounds="plain", seed=5, workers=1),
    )


@pytest.fixture
def report(tmp_path, made_up, guesses):
    """A report of two models on a crowd, with awkward names, written to report.json."""
    rng = np.random.default_rng(1)
    people = read_person_annotations("<script>|$x$", made_up(rng, tmp_path), tmp_path)
    views = np.stack([np.full(12, 30.0), np.linspace(-80, 80, 12), np.zeros(12)], axis=1)
    first = guesses(rng, people)
    points = first.keypoints + rng.normal(0, 3, first.keypoints.shape)
    found = {"_one": first, "<b>two</b> & $three": replace(first, keypoints=points)}
    one = compare(replace(people, views=views[people.image]), found, bootstrap_samples=30)
    out = Report({name: f"/runs/{name}" for name in found}, {}, True, 30, {one.name: one})
    write_report(tmp_path / "report.json", out)
    return out


def all_scores(total):
    """Every score of every model, and every difference."""
    return [
        s for part in ("scores", "differences") for t in total[part].values() for s in t.values()
    ]


def test_json_holds_the_report(tmp_path, report):
    data = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    (name, one), *_ = data["sets"].items()
    assert name == "<script>|$x$"
    for model, scores in report.sets[name].total.scores.items():
        for metric, score in scores.items():
            written = one["total"]["scores"][model][metric]
            value = math.nan if written["value"] is None else written["value"]
            assert value == pytest.approx(score.value, nan_ok=True)
    assert sum(b["comparison"]["persons"] for b in one["bands"]) == one["total"]["persons"]
    assert np.sum(one["sphere"]["persons"]) == one["total"]["persons"]


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_page_and_markdown_hold_every_score_of_the_json(tmp_path, report, suffix):
    one = json.loads((tmp_path / "report.json").read_text())["sets"]["<script>|$x$"]
    page = (tmp_path / "report.json").with_suffix(suffix).read_text()
    cells = re.findall(
        r"<td[^>]*>(.*?)</td>" if suffix == ".html" else r"(?<=\| )(.*?)(?= \|)", page
    )
    said = {re.sub(r"<.*?>|\\?\*", " ", cell).strip() for cell in cells}
    wanted = all_scores(one["total"]) + [
        s for b in one["bands"] for part in ("scores", "differences")
        for t in b["comparison"][part].values() for k, s in t.items() if k in ("AP", "OKS")
    ]  # fmt: skip
    wanted = [s for s in wanted if s["value"] is not None]
    assert sum(s["low"] is not None for s in wanted) > 60
    for score in wanted:
        plain, signed = f"{score['value']:z.3f}", f"{score['value']:+z.3f}"
        if score["low"] is not None:  # of more than one image
            plain += f" {score['low']:z.3f}–{score['high']:z.3f}"
            signed += f" {score['low']:+z.3f}…{score['high']:+z.3f}"
        assert {re.sub(r"\s+", " ", text) for text in said} & {plain, signed}
    assert f"{one['total']['persons']} persons in {one['total']['images']} images" in page


def test_names_are_escaped(tmp_path, report):
    page = (tmp_path / "report.html").read_text()
    assert "<script>|" not in page
    assert "<b>two" not in page
    assert "&lt;script&gt;|$x$" in page
    text = (tmp_path / "report.md").read_text()
    assert "<script" not in text
    assert r"&lt;script&gt;\|\$x\$" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in tables}
    assert columns == {
        11,
        6,
        5,
    }  # nine metrics; persons, two models, a difference; without persons


def test_the_page_needs_no_other_file(tmp_path, report):
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 3 + 2  # bodies of two models and their difference, two maps
    assert len(re.findall(r'(?:src|href)="(?!data:|#)', page)) == 0


def test_two_models_on_two_sets(tmp_path, runs, ours, capsys):
    out = tmp_path / "new folder/report.json"
    words = ["evaluate", "--weights", f"{runs}/a", f"second={runs}/b/best.safetensors"]
    words += [
        "--data",
        f"ours={ours}",
        f"few={ours}:3",
        "--bootstrap-samples",
        "20",
        "--out",
        str(out),
    ]
    assert main(words) == 0
    said = capsys.readouterr().out
    for name in ("ours: 8 persons", "few: 3 persons", "second − a", "AP50", "swapped", "elevation"):
        assert name in said
    data = json.loads(out.read_text())
    assert data["models"] == {"a": f"{runs}/a", "second": f"{runs}/b/best.safetensors"}
    scores = data["sets"]["ours"]["total"]["scores"]
    assert set(scores) == {"a", "second"}
    assert scores["a"]["OKS"]["value"] != scores["second"]["OKS"]["value"]
    assert f"{scores['second']['OKS']['value']:.3f}" in said
    for model in ("a", "second"):
        poses = json.loads((out.parent / f"report_poses/{model}@ours.json").read_text())
        assert len(poses) == 8


def test_the_written_poses_score_the_same_with_pycocotools(tmp_path, runs, ours, pycocotools):
    """The ground-truth boxes as detections; pycocotools reads the file of poses."""
    people = read_set(f"ours={ours}")
    boxes = [
        {"image_id": int(people.image_ids[i]), "category_id": 1, "bbox": b.tolist(), "score": 1.0}
        for i, b in zip(people.image, people.boxes, strict=True)
    ]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    config = EvaluateConfig(
        weights=f"{runs}/a", data=f"ours={ours}", out=tmp_path / "true.json", bootstrap_samples=0
    )
    found = evaluate(
        replace(config, out=tmp_path / "r.json", detections=(f"{tmp_path}/boxes.json",))
    )
    true = evaluate(config)
    assert found.sets["ours"].boxes == f"{tmp_path}/boxes.json"
    names = (tmp_path / f"{stem}_poses/a@ours.json" for stem in ("r", "true"))
    first, second = (json.loads(path.read_text()) for path in names)
    assert first == second
    for measure, score in true.sets["ours"].total.scores["a"].items():
        again = found.sets["ours"].total.scores["a"][measure]
        assert again.value == pytest.approx(score.value, nan_ok=True), measure
    points = np.array([row["keypoints"] for row in first]).reshape(-1, 17, 3)
    assert (points == points.round(3)).all()  # what was scored is what is written


def test_a_blend_scores_as_the_models_at_its_ends(tmp_path, runs, ours):
    data, out = (f"ours={ours}",), tmp_path / "curve.json"
    curve = evaluate(
        weights=f"{runs}/b",
        data=data,
        out=out,
        blend=(0, 0.5, 1),
        init=runs / "a",
        bootstrap_samples=5,
    )
    ends = evaluate(weights=(f"{runs}/a", f"{runs}/b"), data=data, bootstrap_samples=5)
    scores, wanted = (report.sets["ours"].total.scores for report in (curve, ends))
    assert list(scores) == ["b-0", "b-0.5", "b-1"]
    assert curve.alphas == {"b-0": 0, "b-0.5": 0.5, "b-1": 1}
    assert str(scores["b-0"]) == str(wanted["a"])
    assert str(scores["b-1"]) == str(wanted["b"])
    assert str(scores["b-0.5"]) not in (str(wanted["a"]), str(wanted["b"]))
    assert json.loads(out.read_text())["alphas"]["b-0.5"] == 0.5
    assert "Score against alpha" in out.with_suffix(".html").read_text()


def test_lspet_people_without_face_joints_are_scored(runs, shared_data):
    lspet = shared_data("data/lspet")
    spec = f"lspet={lspet}/annotations.json:{lspet}/images:6"
    scores = evaluate(weights=runs / "a", data=spec, bootstrap_samples=20).sets["lspet"]
    total = scores.total.scores["a"]
    assert scores.total.persons == 6
    assert scores.bands == ()
    assert np.isnan(total["OKS nose"].value)
    assert 0 < total["OKS"].low <= total["OKS"].value <= total["OKS"].high < 1


def test_a_set_without_views_is_grouped_by_estimated_views(tmp_path, runs, ours, monkeypatch):
    network = ViewRegressor(np.random.default_rng(0)).eval()
    monkeypatch.setattr(trained, "load_regressor", lambda: SimpleNamespace(network=network))
    data = json.loads((ours / "annotations/person_keypoints.json").read_text())
    for record in data["images"] + data["annotations"]:
        record.pop("view", None)
        record.pop("subject_view", None)
    (tmp_path / "plain.json").write_text(json.dumps(data))
    spec, out = f"s={tmp_path}/plain.json:{ours}/images", tmp_path / "report.json"
    options = {"bootstrap_samples": 5, "estimate_views": True, "pictures": 1, "out": out}
    one = evaluate(weights=runs / "a", data=spec, **options).sets["s"]
    assert (one.bands, one.sphere) == ((), None)
    assert [grouping.title for grouping in one.groupings] == [
        "orientation of the trunk in the image", "estimated elevation of the camera",
        "estimated side of the person",
    ]  # fmt: skip
    for grouping in one.groupings[1:]:
        assert sum(group.comparison.persons for group in grouping.groups) == 8
    assert one.estimated_sphere.persons.sum() == 8
    page = out.with_suffix(".html").read_text()
    assert "Mean OKS by estimated direction of the camera" in page
    assert page.count('src="data:image/jpeg') % 2 == 0
    assert "worst for a" in page
    written = json.loads(out.read_text())["sets"]["s"]["groupings"]
    assert [grouping["title"] for grouping in written] == [g.title for g in one.groupings]
    without = evaluate(weights=runs / "a", data=spec, bootstrap_samples=5).sets["s"]
    assert len(without.groupings) == 1


def faceless(folder, ours):
    """The set `ours` with all labels removed."""
    path = ours / "annotations/person_keypoints.json"
    data = json.loads(path.read_text())
    for annotation in data["annotations"]:
        annotation |= {"keypoints": [0] * 51, "num_keypoints": 0}
    (folder / "faceless.json").write_text(json.dumps(data))
    return f"none={folder}/faceless.json:{ours}/images"


def test_bad_input_is_one_line(tmp_path, runs, ours, capsys):
    good = f"--weights {runs}/a --data ours={ours} --bootstrap-samples 0"
    (tmp_path / "found.json").write_text('{"images": []}')
    (tmp_path / "stranger.json").write_text('[{"image_id": 99, "bbox": [1, 1, 9, 9], "score": 1}]')
    (tmp_path / "vit.safetensors").write_text("nothing of the kind")
    other = tmp_path / "other.safetensors"
    save_weights(other, {"head.conv.weight": torch.zeros(3)}, "tiny")
    for words, said in {
        f"--weights {tmp_path} --data ours={ours}": "holds no weights",
        f"--weights {tmp_path}/vit.safetensors --data ours={ours}": "not a safetensors file",
        f"--weights {tmp_path}/no.onnx --data ours={ours}": "no.onnx",
        f"--weights {runs}/a x={runs}/no --data ours={ours}": "no weights at",
        f"--weights {other} --data ours={ours}": "is not tiny",
        f"--weights {runs}/a {runs}/a --data ours={ours}": "two models are named 'a'",
        f"--weights {runs}/a --data s={ours} s={ours}": "two sets are called 's'",
        f"--weights {runs}/a --data {faceless(tmp_path, ours)}": "none with a labelled joint",
        f"--weights {runs}/a --data ours=/nowhere": "/nowhere",
        f"{good} --detections {tmp_path}/found.json": "not a list of detections",
        f"{good} --detections {tmp_path}/stranger.json": "image_id 99",
        f"{good} --detections {tmp_path}/none.json": "cannot read",
        f"--weights {runs}/a --data s={ours} t={ours} --detections x.json": "must read SET=FILE",
        f"--weights {runs}/a --data s={ours}:3 --detections x.json": "remove :CAP",
        f"{good} --blend 0 1": "go together",
        f"{good} --init {runs}/b": "go together",
        f"{good} --blend 2 --init {runs}/b": "--blend 2 must",
        f"{good} --blend 1 1 --init {runs}/b": "twice",
        f"--weights {runs}/a {runs}/b --data s={ours} --blend 1 --init {runs}/b": "of one model",
        f"--weights {runs}/a --data s={ours} --bootstrap-samples -1": "--bootstrap-samples -1",
        f"{good} --out {tmp_path}/report.html": "must end in .json",
    }.items():
        assert main(["evaluate", *words.split()]) == 2, words
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith("repogen: error: "), words
        assert said in error, (words, error)


def test_an_evaluation_needs_weights_and_data():
    with pytest.raises(UserError, match="nothing to evaluate"):
        EvaluateConfig(weights=(), data=("a=b",))
    with pytest.raises(UserError, match="nothing to evaluate"):
        EvaluateConfig(weights=("a",), data=())
