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


SCENES = "scenes.jsonl of a dataset"
COUNTS = {
    "run.json of a dataset": (40, 300, 2_000),
    "shards.json of a dataset": (20, 150, 2_000),
    "pack.json of a pack": (100, 2_000, 20_000),
    SCENES: (300, 3_000, 76_000),
}
"""Changes to try by default, in the slow tests, and with `--hypothesis-profile=long`."""

SPEED = [0, pytest.param(1, marks=pytest.mark.slow)]


def changes(tree, name, speed):
    """Lists of changes: each a single one, and in the long run one to three."""
    if speed and settings.default.max_examples >= 3_000:
        rng = random.Random()
        return (some_edits(tree, rng) for _ in range(COUNTS[name][2]))
    every = edits(tree)
    count = min(COUNTS[name][speed], len(every))
    return ([edit] for edit in random.Random(0).sample(every, count))


@pytest.mark.parametrize("speed", SPEED)
@pytest.mark.parametrize("name", [name for name in COUNTS if name != SCENES])
def test_changed_records_are_read_or_refused(sandbox, tried, made, name, speed):
    valid = seed_of(made, name).read_bytes()
    assert sandbox.read(name, valid) == Outcome("read", "")
    tree, counts = json.loads(valid), tried.setdefault(name, Counter())
    for chosen in changes(tree, name, speed):
        outcome = sandbox.read(name, edited(tree, chosen))
        counts[outcome.kind] += 1
        assert outcome.good, f"{chosen}: {outcome}"
    assert counts["refused"] > counts["read"] > 0


@pytest.mark.parametrize("speed", SPEED)
def test_changed_scenes_are_rendered_or_refused(sandbox, tried, made, speed):
    """Scenes that are refused are only read; of 50 changes about one is rendered."""
    name = SCENES
    valid = seed_of(made, name).read_bytes()
    assert sandbox.read(name, valid) == Outcome("read", "")
    first, second = valid.splitlines(keepends=True)
    tree, counts = json.loads(first), tried.setdefault(name, Counter())
    for chosen in changes(tree, name, speed):
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
