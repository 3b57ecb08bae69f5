"""Records of datasets and packs with one change at any depth, through every command that reads
them: a result or a one-line error, in bounded memory; no file outside of the dataset is opened."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from consumers import CONSUMERS, make_dataset, make_pack
from mutations import edited, edits
from sandbox import Outcome

from repogen.errors import UserError
from repogen.scenes.scene import Scene


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files that the sandbox makes, too: the same bytes."""
    folder = tmp_path_factory.mktemp("made")
    return {"sets": make_dataset(folder / "sets"), "packs": make_pack(folder / "packs")}


def seed_of(made, name):
    file = Path(CONSUMERS[name].file).name
    if file == "pack.json":
        return made["packs"] / "mine" / file
    return made["sets"] / ("shards" if file == "shards.json" else "set") / file


def tried_on(sandbox, tried, name, before, trees, count):
    """Try `count` of all changes of the trees; `before` stands before each as it is."""
    counts = tried.setdefault(name, Counter())
    every = [(tree, edit) for tree in trees for edit in edits(tree)]
    for tree, edit in random.Random(0).sample(every, min(count, len(every))):
        outcome = sandbox.read(name, before + edited(tree, edit))
        counts[outcome.kind] += 1
        assert outcome.good, f"{edit}: {outcome}"
    assert counts["refused"] > counts["read"] > 0


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("run.json of a dataset", 40),
        ("shards.json of a dataset", 30),
        ("pack.json of a pack", 100),
        pytest.param("shards.json of a dataset", 150, marks=pytest.mark.slow),
        pytest.param("pack.json of a pack", 2000, marks=pytest.mark.slow),
        pytest.param("run.json of a dataset", 300, marks=pytest.mark.slow),
    ],
)
def test_changed_records_are_read_or_refused(sandbox, tried, made, name, count):
    valid = seed_of(made, name).read_bytes()
    assert sandbox.read(name, valid) == Outcome("read", "")
    tried_on(sandbox, tried, name, b"", [json.loads(valid)], count)


@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_changed_scenes_are_rendered_or_refused(sandbox, tried, made, count):
    """Scenes that are refused are only read; of 30 changes about one is rendered."""
    name = "scenes.jsonl of a dataset"
    valid = seed_of(made, name).read_bytes()
    assert sandbox.read(name, valid) == Outcome("read", "")
    first, second = valid.splitlines(keepends=True)
    tree, counts = json.loads(first), tried.setdefault(name, Counter())
    for edit in random.Random(1).sample([*edits(tree)], count):
        changed = edited(tree, edit)
        try:
            Scene.from_json(changed.decode())
        except UserError:
            counts["refused"] += 1
            continue
        outcome = sandbox.read(name, changed + b"\n" + second)
        counts[outcome.kind] += 1
        assert outcome.good, f"{edit}: {outcome}"
    assert counts["refused"] > counts["read"] > 0
