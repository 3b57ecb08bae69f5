"""Two runs into one folder: the second is refused."""

import pytest
from faulty import (
    FORMATS,
    OPTIONS,
    assert_resumes,
    config_of,
    contents,
    die_writing,
    in_child,
    start_child,
    wait_for,
    wait_writing,
)

from repogen import UserError, generate
from repogen.datasets import folder as folders
from repogen.datasets.convert import convert


@pytest.mark.parametrize(
    ("kind", "name"), [("coco", "00000018.jpg"), ("webdataset", "shard-000001.tar")]
)
def test_a_second_run_is_refused_and_the_first_finishes(datasets, expected, tmp_path, kind, name):
    out, config = tmp_path / "data", config_of(kind)

    def run():
        wait_writing(name, tmp_path)
        generate(out, config)

    first = start_child(run)
    wait_for((tmp_path / "waiting").exists)
    before = contents(out)
    with pytest.raises(UserError, match=r"another run is writing into .*wait for it or choose"):
        generate(out, config)
    with pytest.raises(UserError, match="seed = 7, not 8"):
        generate(out, config_of(kind, seed=8))
    with pytest.raises(UserError, match="another"):
        convert(str(datasets[FORMATS[1 - FORMATS.index(kind)]]), out, OPTIONS["shard_images"])
    assert contents(out) == before
    (tmp_path / "go").touch()
    first.join(300)
    assert first.exitcode == 0
    assert contents(out) == expected[kind]


@pytest.fixture
def before_the_lock(monkeypatch):
    """Runs an action between a run's first check of its folder and its lock on it."""
    exclusive = folders.exclusive

    def before_lock(action):
        def instead(*arguments):
            monkeypatch.setattr(folders, "exclusive", exclusive)
            action()
            return exclusive(*arguments)

        monkeypatch.setattr(folders, "exclusive", instead)

    return before_lock


@pytest.mark.parametrize("fate", ["finished", "killed"])
def test_a_run_is_refused_if_another_starts_before_its_lock(
    expected, tmp_path, before_the_lock, fate
):
    out, config = tmp_path / "data", config_of("coco")
    if fate == "finished":
        before_the_lock(lambda: generate(out, config))
    else:
        before_the_lock(
            lambda: in_child(lambda: (die_writing("00000018.jpg"), generate(out, config)))
        )
    with pytest.raises(UserError, match="finished dataset" if fate == "finished" else "seed = 7"):
        generate(out, config_of("coco", seed=8))
    assert fate == "killed" or contents(out) == expected["coco"], "the lock was not removed"
    assert_resumes(out, config, expected["coco"])


def test_a_conversion_is_refused_if_a_run_starts_before_its_lock(
    datasets, tmp_path, before_the_lock
):
    out = tmp_path / "data"
    before_the_lock(lambda: generate(out, config_of("coco", seed=8)))
    with pytest.raises(UserError, match="holds another dataset"):
        convert(str(datasets["webdataset"]), out)
    other = generate(tmp_path / "other", config_of("coco", seed=8))
    assert contents(out) == contents(other)
