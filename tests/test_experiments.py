"""The experiments: small ones run whole, and go on where they were stopped."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from repogen import PRESETS, generate

FOLDER = Path(__file__).parents[1] / "experiments"
TABLES = (
    "table2", "table3", "table4", "table5", "figure5", "held_out_views", "real_photographs",
    "clothes",
)  # fmt: skip


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def test_an_experiment_runs_and_is_not_repeated(script, tmp_path, body, capsys):
    engine = script("engine")
    small = generate(
        tmp_path / "ordinary", images=8, image_size=96, backgrounds="plain", views="front",
        workers=1,
    )  # fmt: skip
    experiment = engine.Experiment(
        out=tmp_path / "out", real=f"real={small}", test=(f"bottom={small}",),
        backgrounds="plain", seeds=2, share=0.25, epochs=1, base_epochs=1,
    )  # fmt: skip
    arms = (
        engine.Arm("real only", rotation=40, published={"bottom": 12.3}),
        engine.Arm("+ top", {"images": 4, "views": "top", "image-size": 96, "workers": 1}),
    )
    reports = engine.run(experiment, "small", arms, ("AP", "OKS"))
    assert len(reports) == 2
    said = capsys.readouterr().out
    verbs = [line.split()[2] for line in said.splitlines() if line.startswith("$")]
    assert verbs == ["generate"] * 2 + ["train"] * 6 + ["evaluate"] * 2
    text = (tmp_path / "out" / "small.md").read_text()
    assert "published AP 12.3" in text
    assert "| + top | " in text
    runs = tmp_path / "out" / "runs"
    weights = json.loads((runs / "top-seed1" / "run.json").read_text())["config"]["data"]["train"]
    assert weights[0] == f"real={small}:x1"
    assert float(weights[1].rpartition(":x")[2]) == pytest.approx(2 / 3)  # of 8, where 4 are made
    assert len({(runs / f"top-seed{s}" / "steps.jsonl").read_text() for s in (0, 1)}) == 2
    engine.run(experiment, "small", arms)
    assert not [line for line in capsys.readouterr().out.splitlines() if line.startswith("$")]


@pytest.mark.parametrize("name", TABLES)
def test_every_arm_names_what_there_is(script, name):
    module = script(name)
    arms = getattr(module, "ARMS", None) or module.TEST_ARMS + module.DEV_ARMS + module.CLOTHES_ARMS
    assert len(arms) >= 3
    for arm in arms:
        assert 0 <= arm.rotation <= 180
        options = arm.generate or {}
        assert options.get("preset") in {None, *PRESETS}
        assert options.get("images", 1) >= 1


def test_nobody_is_in_two_parts_of_the_photographs(script, tmp_path):
    module = script("real_photographs")
    people = [
        {"id": k, "image_id": k, "torso": ("up", "side", "inv", None)[k % 4]} for k in range(800)
    ]
    annotations = tmp_path / "all.json"
    images = [{"id": k} for k in range(800)]
    annotations.write_text(json.dumps({"images": images, "annotations": people}))
    module.split(annotations, tmp_path / "parts")
    parts = {
        path.stem: {a["id"] for a in json.loads(path.read_text())["annotations"]}
        for path in (tmp_path / "parts").iterdir()
    }
    assert set(parts) == {
        "up-train", "up-test", "up-dev", "side-test", "side-dev", "inv-test", "inv-dev",
    }  # fmt: skip
    assert sum(map(len, parts.values())) == 600 == len(set.union(*parts.values()))
    assert 80 < sum(len(ids) for name, ids in parts.items() if name.endswith("dev")) < 160


def test_full_size_needs_trained_weights(script, tmp_path):
    engine = script("engine")
    experiment = engine.Experiment(
        out=tmp_path, real="a=b", test=(), backgrounds="plain", budget="full"
    )
    with pytest.raises(SystemExit, match="needs --init"):
        engine.run(experiment, "x", ())


def teardown_module():
    for name in ("engine", *TABLES):
        sys.modules.pop(name, None)
