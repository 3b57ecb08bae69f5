"""The experiments: small ones run whole, and go on where they were stopped."""

import json
import re
import runpy
import sys
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np
import pytest

from repogen import GenerateConfig, UserError, generate, recipe
from repogen.assets.packs import CORE
from repogen.coco.names import CATEGORY
from repogen.datasets.sets import SetSpec
from repogen.inference.estimate import Estimates
from repogen.scenes import SceneConfig

FOLDER = Path(__file__).parents[1] / "experiments"
PAPER = "--real coco=a.json:photographs --test bottom=set top=set --backgrounds plain"
MADE_HERE = "--backgrounds photographs"
PHOTOGRAPHS = "--real lspet=a.json:photographs --backgrounds photographs"
SCRIPTS = [
    *((name, PAPER.split()) for name in ("table2", "table3", "table4", "table5", "figure5")),
    *((name, [*PAPER.split(), "--amass", "amass", "--init", "s.pth", "--budget", budget, *huge])
      for name, huge in
      (("table2", ["--init-h", "h.pth"]), ("table4", []), ("figure5", []))
      for budget in ("full", "paper")),
    *((name, MADE_HERE.split()) for name in ("held_out_views", "clothes")),
    *(("real_photographs", [*PHOTOGRAPHS.split(), "--split", s])
      for s in ("dev", "test", "clothes", "long")),
]  # fmt: skip
"""Each script with its options, for files of the fixture `data`."""

ENDS = ("low", "value", "high")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module


@pytest.mark.slow
def test_an_experiment_runs_and_is_not_repeated(script, tmp_path, body, capsys):
    engine = script("engine")
    small = generate(
        tmp_path / "ordinary",
        GenerateConfig(images=8, image_size=96, backgrounds="plain", views=("front",), workers=1),
    )
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


def names_after(flag, words):
    """NAME of each NAME=VALUE that follows a flag."""
    texts = [str(word) for word in words[words.index(flag) + 1 :]]
    return [text.partition("=")[0] for text in takewhile(lambda text: text[:2] != "--", texts)]


@pytest.fixture
def without_running(script, options_of, monkeypatch):
    """Makes the experiments parse the commands that they would run; returns the verb and the
    config of each. Evaluations write a report of made-up scores."""
    commands = []

    def command(verb, *words, threads=0):
        commands.append((verb, options_of(verb, *words)))
        if verb == "evaluate":
            scores = dict.fromkeys(("AP", "OKS", "PCK", "swapped"), dict.fromkeys(ENDS, 0.5))
            runs, tests = names_after("--weights", words), names_after("--data", words)
            total = {key: dict.fromkeys(runs, scores) for key in ("scores", "differences")}
            out = words[words.index("--out") + 1]
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps({"sets": {test: {"total": total} for test in tests}}))

    engine = script("engine")
    monkeypatch.setattr(engine, "run_command", command)
    monkeypatch.setattr(engine, "read_data_mix", lambda specs: range(100))
    monkeypatch.setattr(engine, "parse_set", lambda spec: SetSpec(spec.partition("=")[0]))
    return commands


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of two photographs, a file of motion, and an annotation file."""
    monkeypatch.setattr(SceneConfig.__dataclass_fields__["packs"], "default", (CORE,))
    (tmp_path / "photographs").mkdir()
    for name in "ab":
        cv2.imwrite(str(tmp_path / f"photographs/{name}.jpg"), np.ones((64, 128, 3), np.uint8))
    (tmp_path / "amass").mkdir()
    frames = np.random.default_rng(0).normal(0, 0.1, (60, 156))
    np.savez(tmp_path / "amass" / "walk.npz", poses=frames, trans=np.zeros((60, 3)),
             mocap_framerate=30.0, gender="neutral", betas=np.zeros(16))  # fmt: skip
    person = {"id": 1, "image_id": 1, "torso": "up"}
    (tmp_path / "a.json").write_text(json.dumps({"images": [{"id": 1}], "annotations": [person]}))
    return tmp_path


@pytest.mark.parametrize(("name", "words"), SCRIPTS)
def test_every_command_of_an_experiment_has_options_that_exist(
    without_running, data, monkeypatch, name, words
):
    """The whole script runs but for its commands, which are parsed by the command line's parser."""
    monkeypatch.chdir(data)
    path = FOLDER / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(path), *words, "--out", "out", "--seeds", "1"])
    runpy.run_path(str(path), run_name="__main__")
    verbs = [verb for verb, _ in without_running]
    assert verbs.count("train") >= 3
    assert verbs.count("generate") >= 1
    assert verbs.count("evaluate") == 1 + ("--init-h" in words)
    assert len(list((data / "out").glob("*.md"))) == 1 + (name == "table2")


@pytest.fixture
def run_script(without_running, data, monkeypatch):
    """Runs a script of the paper's as the test above does; returns the configs that it would train
    with, by arm, the configs that it would generate with, and its tables."""

    def run(name, *words):
        without_running.clear()
        monkeypatch.chdir(data)
        argv = [f"{name}.py", *PAPER.split(), "--out", "out", "--seeds", "1", *words]
        monkeypatch.setattr(sys, "argv", argv)
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        trained = [config for verb, config in without_running if verb == "train"]
        made = [config for verb, config in without_running if verb == "generate"]
        return trained, made, "\n".join(p.read_text() for p in sorted((data / "out").glob("*.md")))

    return run


FULL = ("--init", "s.pth", "--budget", "paper")


def test_table_2_trains_both_models_as_the_authors_did(run_script):
    trained, made, text = run_script("table2", *FULL, "--init-h", "h.pth", "--amass", "amass")
    small = [c for c in trained if c.network.model == "vitpose-s"]
    huge = [c for c in trained if c.network.model == "vitpose-h"]
    assert [c.optimizer.epochs for c in small] == [1000] * 6 + [500, 1000]
    assert [c.augmentation.rotation for c in small] == [40] + [120] * 7
    wanted = recipe("repogen", "vitpose-h")["optimizer"]
    assert [vars(c.optimizer) == wanted for c in huge] == [True] * 5
    assert {str(c.network.init) for c in huge} == {"h.pth"}
    assert [c.network.drop_path for c in huge] == [0.55] * 5
    measured = [c for c in made if c.pose.poses is not None]
    assert [c.camera.views for c in measured] == [("top",), ("bottom",)] * 2
    assert all(c.images == 3000 for c in made)
    assert "Not run: HRNet: COCO, HRNet: THEODORE+" in text
    assert "AMASS top, AMASS" not in text


def test_arms_that_lack_something_stand_in_the_table_with_what_the_paper_measured(run_script):
    trained, made, text = run_script("table2", *FULL)
    assert len(trained) == 6
    assert not [c for c in made if c.pose.poses is not None]
    assert "Not run: AMASS top, AMASS bottom (give --amass FOLDER)." in text
    assert "| AMASS top | published AP 49.0 | published AP 50.6 |" in text
    assert "### table2-vitpose-h: not run" in text
    assert "| ViTPose-H: RePoGen bottom | published AP 81.1 | published AP 63.0 |" in text
    _, _, text = run_script("table4", *FULL)
    assert "Not run: AMASS (give --amass FOLDER)." in text


@pytest.mark.parametrize("name", ["table4", "figure5"])
def test_measured_poses_are_seen_from_below_as_the_random_ones(run_script, name):
    trained, made, text = run_script(name, *FULL, "--amass", "amass")
    assert [c.optimizer.epochs for c in trained] == [500] * len(made)
    assert [str(c.pose.poses) for c in made if c.pose.poses] == ["amass"]
    assert {c.camera.views for c in made} == {("bottom",)}
    assert {c.images for c in made} == {1000}
    assert re.search(r"\| AMASS \| 50\.0 .* published AP 54\.4", text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pose-varience": 0.5}, "--pose-varience"),
        ({"preset": "paper-tob"}, "preset"),
        ({"views": "abov"}, "abov"),
        ({"images": 0}, "--images 0"),
        ({"roll": 10}, "--roll"),
    ],
)
def test_an_arm_with_a_wrong_option_is_refused(script, without_running, tmp_path, options, message):
    engine = script("engine")
    experiment = engine.Experiment(
        out=tmp_path, real="real=set", test=("a=b",), backgrounds="plain", seeds=1
    )
    with pytest.raises(UserError, match=re.escape(message)):
        engine.run(experiment, "x", (engine.Arm("wrong", {"images": 10} | options),))


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
        engine.run(experiment, "x", (engine.Arm("real only"),))


@pytest.fixture
def photographs(tmp_path):
    """Photographs of all parts of Leeds Sports Pose Extended, a person each, and a list of steep
    ones."""
    people = []
    (tmp_path / "images").mkdir()
    for k in [*range(1, 41), *range(4001, 4010), *range(5001, 5010)]:
        torso = ("up", "side", "inv")[k % 3]
        joints = np.column_stack([np.arange(17) * 2.0 + 3, np.arange(17) * 3.0 + 3, [2] * 17])
        joints[:5] = 0
        people.append({"id": k, "image_id": k, "torso": torso, "bbox": [3, 3, 40, 60], "area": 900,
                       "category_id": 1, "num_keypoints": 12,
                       "keypoints": joints.ravel().tolist()})  # fmt: skip
        cv2.imwrite(str(tmp_path / "images" / f"{k}.jpg"), np.zeros((70, 50, 3), np.uint8))
    images = [{"id": p["id"], "file_name": f"{p['id']}.jpg", "width": 50, "height": 70}
              for p in people]  # fmt: skip
    content = {"images": images, "annotations": people, "categories": [CATEGORY]}
    (tmp_path / "people.json").write_text(json.dumps(content))
    (tmp_path / "steep.json").write_text(json.dumps({"note": "", "top": [2, 3, 5001]}))
    return tmp_path


@pytest.fixture
def pretrained(script, data, photographs, without_running, monkeypatch):
    """Runs the script without training: estimates of tuned weights are right, the others 100 px
    off. Returns its tables and the commands that it called."""
    module, parse = script("pretrained"), script("engine").run_command

    def command(verb, *words, threads=0):
        parse(verb, *words)
        run = photographs / "made"
        if verb in ("train", "predict"):
            run = Path(words[words.index("--out") + 1])
        run.mkdir(parents=True, exist_ok=True)
        for name in ("blend.safetensors", "last.safetensors", "last.pt"):
            (run / name).write_text("")
        (run / "log.jsonl").write_text('{"seconds": 18}\n' * module.EPOCHS)

    def estimate(weights, people, flip):
        keypoints = people.keypoints + (0.0 if "runs" in str(weights) else 100.0)
        n = len(people)
        return Estimates(keypoints, np.ones(n), people.image, np.arange(n), np.ones(n, bool))

    monkeypatch.setattr(module.engine, "run_command", command)
    monkeypatch.setattr(module, "read_data_mix", lambda specs: range(100))
    monkeypatch.setattr(module, "load_estimator", lambda weights: weights)
    monkeypatch.setattr(module, "estimate_people", estimate)

    def run(**options):
        without_running.clear()
        settings = module.Options(
            out=photographs / "out", real=f"{photographs / 'people.json'}:{photographs / 'images'}",
            steep=photographs / "steep.json", **options,
        )  # fmt: skip
        module.main(settings)
        return (photographs / "out" / f"movenet-lightning-{settings.split}.md").read_text(), [
            *without_running
        ]

    return run


def test_a_pretrained_network_is_compared_on_people_who_are_not_trained_on(pretrained, photographs):
    arms = ("real upright, twice the steps", "real upright + synthetic", "synthetic, exact")
    text, commands = pretrained(arms=arms, seeds=2)
    assert [verb for verb, _ in commands] == ["train"] * 2 + ["generate", "train"] * 2 + [
        "generate", "train"] * 2  # fmt: skip
    sets = [config.data.train for verb, config in commands if verb == "train"]
    crops = [5 * float(spec.rpartition(":x")[2]) * 100 for spec in sets[2]]
    assert crops == pytest.approx([4800, 4800])  # twice the steps
    more = "real upright, twice the steps, blended"
    assert f"| {more} | +100.0 (+100.0 to +100.0) | " in text
    assert f"| real upright + synthetic, blended, against {more} | +0.0 (+0.0 to +0.0) | " in text
    assert text.count(", against ") == 4  # blended and not, PCK and OKS
    assert (photographs / "out" / "movenet-lightning-choose.png").stat().st_size > 10_000
    assert "| pretrained | 0.0 (0.0 to 0.0) |" in text
    assert " 1.5 |" in text  # minutes
    trained_on = json.loads((photographs / "out" / "data" / "up.json").read_text())
    assert [p["id"] for p in trained_on["annotations"]] == [*range(6, 41, 3)]  # 3 is steep
    scored = json.loads(next((photographs / "out" / "scores").rglob("pretrained-*")).read_text())
    assert [len(scored[g]["OKS"]) for g in ("upright", "sideways", "upside down")] == [3, 3, 3]
    assert len(scored["steep"]["OKS"]) == 2
    assert pretrained(arms=arms, seeds=2) == (text, [])  # nothing is repeated
    labelled = ("unlabelled", "rare-lightning, then unlabelled by rare-thunder")
    _, commands = pretrained(arms=labelled, seeds=1)
    assert [verb for verb, _ in commands] == ["predict", "train"] * 2
    made = photographs / "out" / "data"
    for teacher, (_, config) in zip(("thunder", "rare-thunder"), commands[1::2], strict=True):
        (spec,) = config.data.train
        folder = made / f"sure-{teacher}"
        assert spec.startswith(f"sure={folder / 'people.json'}:{folder / 'images'}:x")
    assert [config.network.init for _, config in commands[1::2]] == [None, Path("rare-lightning")]
    ids = {int(path.stem) for path in (made / "photos").iterdir()}
    assert ids
    assert max(ids) <= 4000
    assert not ids & {2, 3, 5001}  # steep
    text, commands = pretrained(arms=arms[:1], seeds=2, split="report")
    assert commands == []
    assert re.search(r"\| pretrained \|.*\| 0\.0 \| \|", text)  # one steep person


def test_a_linear_probe_finds_what_features_tell_and_guesses_where_they_do_not(script):
    module = script("domain_gap")
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2 == 0
    files = [f"{k // 4}.jpg" for k in range(200)]
    features = rng.normal(size=(200, 30))
    assert module.accuracy(features, labels, files) == pytest.approx(0.5, abs=0.12)
    features[:, 3] += 4 * labels
    assert module.accuracy(features, labels, files) > 0.9
    # What tells images apart does not help: no image is both fitted and tested.
    image = rng.normal(size=(50, 200)).repeat(4, axis=0)
    of_image = np.repeat(rng.random(50) < 0.5, 4)
    assert module.accuracy(image, of_image, files) == pytest.approx(0.5, abs=0.2)


def test_features_of_every_stage_are_probed(script, tmp_path, capsys):
    module = script("domain_gap")
    key = []
    for k in range(24):
        kind = ("photographs", "ours")[k % 2]
        noise = np.random.default_rng(k).integers(0, 256, (120, 140, 3), np.uint8)
        picture = cv2.GaussianBlur(noise, (0, 0), 3) if kind == "ours" else noise
        cv2.imwrite(str(tmp_path / f"{k}.png"), picture)
        key.append({"kind": kind, "file": str(tmp_path / f"{k}.png"), "window": [70, 60, 100]})
    (tmp_path / "key.json").write_text(json.dumps(key))
    module.main(module.Options((tmp_path / "key.json",)))
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0].strip("| ") for row in rows] == [
        "pixels", "stem", *(f"block {i}" for i in (1, 3, 6, 10, 13, 16, 17)), "last",
        "pyramid 1/16", "pyramid 1/8", "pyramid 1/4",
    ]  # fmt: skip
    assert {row[1] for row in rows} == {"100 %"}


def teardown_module():
    for path in FOLDER.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_mined_people_are_compared_with_random_ones(
    pretrained, script, photographs, without_running, monkeypatch
):
    module = script("mining")
    monkeypatch.setattr(module, "held_out", lambda options: {})
    module.main(
        module.Compare(
            out=photographs / "out", real=f"{photographs / 'people.json'}:{photographs / 'images'}",
            steep=photographs / "steep.json", arms=("3,000 random", "1,000 mined"), seeds=1,
        )
    )  # fmt: skip
    assert [verb for verb, _ in without_running] == ["generate", "train", "mine", "train"]
    random, mined = (config for verb, config in without_running if verb != "train")
    assert (random.images, mined.images, mined.count) == (3000, 1000, 5_000)
    assert (random.camera, random.pose) == (mined.camera, mined.pose)
    text = (photographs / "out" / "movenet-lightning-choose.md").read_text()
    assert "| 1,000 mined, blended, against 3,000 random, blended |" in text


def test_rounds_of_mining_and_their_hardest_people_are_counted(script, tmp_path, monkeypatch):
    module = script("mining")
    monkeypatch.syspath_prepend(str(FOLDER.parent / "tests" / "mining"))
    judged = script("judged")
    (tmp_path / "mining").mkdir()
    for number in (1, 2):
        lines = [
            judged.candidate(k, k / 10, explored=k % number == 0, descriptor=judged.at(*[0.0] * 40))
            for k in range(10)
        ]
        path = tmp_path / "mining" / f"candidates-{number}.jsonl"
        path.write_text("".join(one.to_line() for one in lines))
    text = module.found_in_rounds(module.Rounds(mined=tmp_path, hardest=4))
    assert "| 1 | as the options say | 10 | 0.450 ± 0.091 | 40% |" in text
    assert "| 2 | by the sampler | 5 | 0.500 ± 0.126 | 40% |" in text
    assert "| along the line of sight | 4 | 20 |" in text
    assert (
        "Difficulty of the hardest: 0.80 to 0.90. Most left-right pairs are exchanged of 4." in text
    )


def test_the_stages_of_mining_are_timed_and_held_out_people_are_grouped(
    script, monkeypatch, tmp_path, body
):
    module = script("mining")
    small = {"images": 12, "image-size": 160, "views": "sphere", "wardrobe": "painted",
             "backgrounds": "plain"}  # fmt: skip
    monkeypatch.setattr(module, "RARE", small)
    monkeypatch.setattr(module, "_HELD_OUT", 12)
    text = module.stages(module.Time(candidates=6))
    stages = ("drawing", "plausibility", "rendering", "inference", "labels and records",
              "choice and fit")  # fmt: skip
    shares = [int(re.search(rf"\| {stage} .* (\d+)% \|", text)[1]) for stage in stages]
    assert sum(shares) == pytest.approx(100, abs=3)
    monkeypatch.setattr(
        module.engine, "run_command",
        lambda _verb, folder, *_: generate(
            folder, **{k.replace("-", "_"): v for k, v in small.items()}, workers=1
        ),
    )  # fmt: skip
    groups = module.held_out(module.Compare(out=tmp_path, real="", steep=tmp_path))
    assert [*groups] == ["generated, above", "generated, level", "generated, below"]
    assert sum(len(people) for people in groups.values()) == 12
