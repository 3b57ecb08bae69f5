"""Two runs into one folder: one of them writes it, the other is refused."""

import pytest
from faulty import (
    FORMATS,
    OPTIONS,
    assert_nothing_lost,
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
def test_the_second_is_refused_and_the_first_unharmed(whole, undisturbed, tmp_path, kind, name):
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
        convert(str(whole[FORMATS[1 - FORMATS.index(kind)]]), out, OPTIONS["shard_images"])
    assert contents(out) == before
    (tmp_path / "go").touch()
    first.join(300)
    assert first.exitcode == 0
    assert contents(out) == undisturbed[kind]


@pytest.fixture
def first(monkeypatch):
    """Lets something happen between a run's first look at its folder and its lock on it."""
    exclusive = folders.exclusive

    def happens(action):
        def instead(*arguments):
            monkeypatch.setattr(folders, "exclusive", exclusive)
            action()
            return exclusive(*arguments)

        monkeypatch.setattr(folders, "exclusive", instead)

    return happens


@pytest.mark.parametrize("fate", ["finished", "killed"])
def test_who_looked_before_the_first_began_is_refused(undisturbed, tmp_path, first, fate):
    out, config = tmp_path / "data", config_of("coco")
    if fate == "finished":
        first(lambda: generate(out, config))
    else:
        first(lambda: in_child(lambda: (die_writing("00000018.jpg"), generate(out, config))))
    with pytest.raises(UserError, match="finished dataset" if fate == "finished" else "seed = 7"):
        generate(out, config_of("coco", seed=8))
    assert fate == "killed" or contents(out) == undisturbed["coco"], "the lock is left behind"
    assert_nothing_lost(out, config, undisturbed["coco"])


def test_a_conversion_that_looked_before_a_run_began_is_refused(whole, tmp_path, first):
    out = tmp_path / "data"
    first(lambda: generate(out, config_of("coco", seed=8)))
    with pytest.raises(UserError, match="holds another dataset"):
        convert(str(whole["webdataset"]), out)
    other = generate(tmp_path / "other", config_of("coco", seed=8))
    assert contents(out) == contents(other)
