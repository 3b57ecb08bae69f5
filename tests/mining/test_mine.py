"""Mining: the files of a search, the same bytes however it is run, and what is refused."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from judged import candidate
from tqdm import tqdm

from helpers import contents
from repogen import GenerateConfig, MineConfig, UserError, generate, mine, validate
from repogen.cli import main
from repogen.generation.run_info import run_info
from repogen.inference.estimate import JointEstimator
from repogen.mining import difficulty, judging, spread
from repogen.mining.choice import choose
from repogen.mining.config import JudgingConfig
from repogen.mining.records import read_candidates
from repogen.mining.spread import file_digest
from repogen.poses.sampler import read_sampler


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_dataset_is_an_ordinary_one(mined):
    assert validate(mined, "all") == []
    coco = json.loads((mined / "annotations" / "person_keypoints.json").read_text())
    assert len(coco["images"]) == 4
    assert coco["images"][0]["width"] == 128


def test_the_folder_mining_says_how_each_image_was_found(mined):
    rounds = [[*read_candidates(mined / "mining" / f"candidates-{k}.jsonl")] for k in (1, 2)]
    assert [[one.index for one in each] for each in rounds] == [[*range(17)], [*range(17, 34)]]
    judged = {one.index: one.person for each in rounds for one in each if one.person}
    records = lines(mined / "mining" / "mining.jsonl")
    assert [record["image_id"] for record in records] == [1, 2, 3, 4]
    assert [record["kind"] for record in records].count("ordinary") == 1
    for record in records:
        person = judged[record["candidate"]]
        assert record["round"] == 1 + record["candidate"] // 17
        assert record["difficulty"] == pytest.approx(person.hardness("all"), abs=1e-4)
        assert record["loss"] == person.difficulty[0][0]
    hard = [record["difficulty"] for record in records if record["kind"] == "hard"]
    assert min(hard) > sum(p.hardness("all") for p in judged.values()) / len(judged)


def test_later_rounds_draw_from_the_fitted_sampler(mined):
    sampler = read_sampler(mined / "mining" / "sampler-1.toml")
    assert sampler.explore == 0.3
    assert read_sampler(mined / "mining" / "sampler-2.toml") != sampler
    first, second = (
        [one.person.explored for one in read_candidates(mined / "mining" / f"candidates-{k}.jsonl")
         if one.person]
        for k in (1, 2)
    )  # fmt: skip
    assert all(first)
    assert not all(second)


def test_the_sampler_makes_any_number_of_such_people(mined, tmp_path):
    options = {"image_size": 64, "backgrounds": "plain", "wardrobe": "painted", "workers": 1}
    file = tmp_path / "sampler.toml"
    file.write_bytes((mined / "mining" / "sampler-2.toml").read_bytes())
    out = generate(tmp_path / "set", images=20, sampler=file, **options)
    assert validate(out, 0) == []
    names = {json.loads(line)["view_name"] for line in (out / "scenes.jsonl").open()}
    assert "learnt" in names
    assert len(names) > 1
    run = json.loads((out / "run.json").read_text())
    assert run["config"]["pose"]["sampler"] == str(file)
    assert run["files"]["sampler"]
    (out / "annotations" / "person_keypoints.json").unlink()
    file.write_text(file.read_text().replace("explore = 0.3", "explore = 0.5"))
    with pytest.raises(UserError, match="another content of --sampler"):
        generate(out, GenerateConfig(images=20, sampler=file, **options))


def test_several_processes_give_the_same_bytes(mined, small, tmp_path):
    again = mine(tmp_path / "set", "lightning", workers=4, **small)
    assert contents(again) == contents(mined)


@pytest.mark.slow
@pytest.mark.usefixtures("ray_settings")
def test_ray_gives_the_same_bytes(mined, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # nodes work in other folders
    assert contents(mine("set", "lightning", engine="ray", workers=2, **small)) == contents(mined)


def test_a_node_that_sees_other_files_is_named(tmp_path):
    weights = tmp_path / "pose.onnx"
    weights.write_bytes(b"one")
    config = GenerateConfig(images=1, packs=(), backgrounds="plain")
    info = json.dumps(run_info(config, config.backdrop[1]))
    inputs = spread._Inputs(Path("set"), config, (str(weights),), info, (file_digest(weights),))
    task = spread._NodeTask(len, inputs, "four")
    assert spread._on_node(task) == 4
    spread._check_same_inputs.cache_clear()
    weights.write_bytes(b"another")
    with pytest.raises(UserError, match=r"^on .+: set was started with another content of .+onnx"):
        spread._on_node(task)


def test_an_interrupted_search_resumes_exactly(mined, small, tmp_path, monkeypatch):
    out = tmp_path / "set"
    written = []

    def write(path, data, real=judging.write_atomic):
        real(path, data)
        written.append(path)
        if len(written) == 4:  # the options, then three of the four tasks of two rounds
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(judging, "write_atomic", write)
        with pytest.raises(KeyboardInterrupt):
            mine(out, "lightning", workers=1, **small)
    assert written[-1].parent.name == "candidates-2"
    written[-1].write_bytes(written[-1].read_bytes()[:-20])  # a damaged one is made again
    assert not (out / "run.json").exists()
    mine(out, "lightning", workers=1, **small)
    assert contents(out) == contents(mined)


def test_a_finished_dataset_is_left_as_it_is(mined, small, capsys):
    before = contents(mined)
    assert mine(mined, "lightning", workers=1, **small) == mined
    assert contents(mined) == before
    assert "already finished: 4 images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"seed": 4}, "was started with seed = 3, not 4"),
        ({"least_difficulty": 0.2}, "was started with least_difficulty = 0.1, not 0.2"),
        ({"rounds": 1}, "was started with rounds = 2, not 1"),
    ],
)
def test_other_options_do_not_resume(mined, small, changed, says):
    with pytest.raises(UserError, match=says):
        mine(mined, "lightning", workers=1, **small | changed)
    with pytest.raises(UserError, match="was started with weights"):
        mine(mined, "thunder", workers=1, **small)


def test_an_edited_sampler_is_not_taken_for_the_fitted_one(mined, small, tmp_path):
    out = tmp_path / "set"
    for name, data in contents(mined / "mining").items():
        (out / "mining").mkdir(parents=True, exist_ok=True)
        (out / "mining" / name).write_bytes(data)
    edited = out / "mining" / "sampler-1.toml"
    edited.write_text(edited.read_text().replace("explore = 0.3", "explore = 0.4"))
    with pytest.raises(UserError, match=r"sampler-1\.toml has changed"):
        mine(out, "lightning", workers=1, **small)


def test_a_perfect_model_has_nothing_hard(small, tmp_path, never_wrong):
    with pytest.raises(UserError, match=r"^nothing is hard for lightning: of \d+ people"):
        mine(tmp_path / "set", "lightning", workers=1, **small | {"candidates": 6, "rounds": 1})


def test_filters_that_nobody_passes_are_named(small, tmp_path):
    options = small | {"least_side": 1000, "candidates": 4, "rounds": 1}
    with pytest.raises(UserError, match=r"nobody among 4 candidates .*: 4 are too small"):
        mine(tmp_path / "set", "lightning", workers=1, **options | {"least_visible": 1})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"images": 20, "candidates": 19}, "--images 20 of --candidates 19"),
        ({"candidates": 100, "rounds": 101}, "--rounds 101 must lie between 1 and 100"),
        ({"images": 1, "candidates": 3, "rounds": 4}, "--rounds 4 needs as many --candidates"),
        ({"views_per_pose": 2}, "--views-per-pose is for repogen generate"),
        ({"ordinary": 1.5}, "--ordinary 1.5 must lie between 0 and 1"),
        ({"difficulty": "loss"}, "unknown difficulty 'loss'; choose from all, labels, agreement"),
        ({"sampler": "no.toml"}, "cannot read --sampler no.toml"),
    ],
)
def test_wrong_options_are_one_line(options, says):
    with pytest.raises(UserError) as caught:
        MineConfig(**options)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ("multipose", "give it as --detector"),
        ("no.onnx", "no ONNX file at no.onnx"),
        ("nowhere", "no weights at nowhere; give thunder, lightning, a run"),
        (".", "holds no weights"),
    ],
)
def test_weights_that_cannot_be_asked_are_one_line(weights, says, tmp_path, capsys):
    assert main(["mine", str(tmp_path / "set"), "--weights", weights]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "set").exists()


def test_a_teacher_that_cannot_be_asked_is_one_line(tmp_path, capsys):
    words = ["--weights", "lightning", "--teacher", "no.onnx"]
    assert main(["mine", str(tmp_path / "set"), *words]) == 2
    assert "error: no ONNX file at no.onnx" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("fault", ["fails", "nan"])
def test_an_estimator_that_fails_is_named_before_anything_is_written(
    fault, small, tmp_path, monkeypatch
):
    def find(crops, _flip):
        if fault == "fails":
            raise UserError("it fails")
        return np.full((len(crops), 17, 3), np.nan)

    monkeypatch.setattr(
        difficulty, "load_estimator", lambda *_, **__: JointEstimator((192, 192), 1.0, find)
    )
    says = {"fails": "it fails", "nan": "the estimator's answers are no numbers"}[fault]
    with pytest.raises(UserError, match=f"^--weights lightning cannot be asked: {says}"):
        mine(tmp_path / "set", "lightning", workers=1, **small)
    assert not (tmp_path / "set").exists()


def test_memory_does_not_grow_with_the_number_of_candidates(tmp_path, monkeypatch):
    monkeypatch.setattr(
        judging, "judge_task", lambda task: [candidate(i, i % 97 / 97) for i in task.indices]
    )

    def most(count):
        path = tmp_path / f"candidates-{count}.jsonl"
        config = GenerateConfig(workers=1)
        shared = judging.Judging(config, JudgingConfig(), ("lightning",), "")
        tracemalloc.start()
        judging.judge_all(shared, range(count), path, tqdm(disable=True))
        chosen = choose(read_candidates(path), 20, 0.2, 0.1, 1.0, "all")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(chosen) == 20
        return peak

    most(100)  # caches
    assert most(3000) < 3 * most(300)  # where all were kept, about 10 times as much


def test_a_folder_with_other_files_is_refused(tmp_path, small):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds other files \(notes\.txt\)"):
        mine(tmp_path, "lightning", workers=1, **small)
    made = generate(tmp_path / "set", images=1, image_size=32, backgrounds="plain", workers=1)
    with pytest.raises(UserError, match="holds other files"):
        mine(made, "lightning", workers=1, **small)
    assert not (made / "mining").exists()
