"""Records of datasets and packs with one change at any depth, through every command that reads
them: a result or a one-line error, in bounded memory; no file outside of the dataset is opened."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from consumers import CONSUMERS, make_dataset, make_pack
from hypothesis import settings
from mutations import edited, edits, some_edits
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


def changes(tree, count):
    """`count` of all single changes; with `--hypothesis-profile=long` one to three changes each."""
    if settings.default.max_examples >= 3000:
        rng = random.Random()
        return (some_edits(tree, rng) for _ in range(count * 20))
    every = edits(tree)
    return ([edit] for edit in random.Random(0).sample(every, min(count, len(every))))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("run.json of a dataset", 40),
        ("shards.json of a dataset", 30),
        ("pack.json of a pack", 100),
        pytest.param("run.json of a dataset", 300, marks=pytest.mark.slow),
        pytest.param("shards.json of a dataset", 150, marks=pytest.mark.slow),
        pytest.param("pack.json of a pack", 2000, marks=pytest.mark.slow),
    ],
)
def test_changed_records_are_read_or_refused(sandbox, tried, made, name, count):
    valid = seed_of(made, name).read_bytes()
    assert sandbox.read(name, valid) == Outcome("read", "")
    tree, counts = json.loads(valid), tried.setdefault(name, Counter())
    for chosen in changes(tree, count):
        outcome = sandbox.read(name, edited(tree, chosen))
        counts[outcome.kind] += 1
        assert outcome.good, f"{chosen}: {outcome}"
    assert counts["refused"] > counts["read"] > 0


@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_changed_scenes_are_rendered_or_refused(sandbox, tried, made, count):
    """Scenes that are refused are only read; of 30 changes about one is rendered."""
    name = "scenes.jsonl of a dataset"
    valid = seed_of(made, name).read_bytes()
    assert sandbox.read(name, valid) == Outcome("read", "")
    first, second = valid.splitlines(keepends=True)
    tree, counts = json.loads(first), tried.setdefault(name, Counter())
    for chosen in changes(tree, count):
        changed = edited(tree, chosen)
        try:
            Scene.from_json(changed.decode())
        except UserError:
            counts["refused"] += 1
            continue
        outcome = sandbox.read(name, changed + b"\n" + second)
        counts[outcome.kind] += 1
        assert outcome.good, f"{chosen}: {outcome}"
    assert counts["refused"] > counts["read"] > 0
