"""`repogen assets` is killed at any moment: the old pack stands or the new one, nothing else."""

import os
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from faulty import contents, in_child, start_child

from repogen.assets import add, installed, remove, staging
from repogen.assets.panoramas import write_panorama

KILLS = int(os.environ.get("REPOGEN_KILLS", "50"))
"""Kills at random moments."""

_STEPS = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.scandir", "shutil.rmtree")
"""Audit events that a process may be killed at."""


@pytest.fixture
def packs(tmp_path, monkeypatch):
    """Two sources of a pack, and what each installs."""
    installed_files = []
    for number in (1, 2):
        source = tmp_path / str(number) / "mine"
        source.mkdir(parents=True)
        for k in range(3):
            pixels = np.full((8, 16, 3), number + k, np.float32)
            write_panorama(source / f"sky{k}.exr", pixels)
        skin = source / "skins" / f"skin{number}"
        skin.mkdir(parents=True)
        cv2.imwrite(str(skin / "skin.png"), np.full((8, 8, 3), 90 * number, np.uint8))
        (skin / f"skin{number}.mhmat").write_text("diffuseTexture skin.png\n")
        monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / f"undisturbed{number}"))
        add(source)
        installed_files.append(contents(tmp_path / f"undisturbed{number}", without=(".lock",)))
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    return (tmp_path / "1" / "mine", tmp_path / "2" / "mine"), installed_files


def kill_at(step: int) -> None:
    """From now on, this process kills itself at the step of this number."""
    left = [step]

    def hook(event, _):
        if event in _STEPS:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def steps_of(action, signals: Path) -> int:
    """The number of steps of an undisturbed action."""

    def counted():
        count = [0]
        sys.addaudithook(lambda event, _: count.__setitem__(0, count[0] + (event in _STEPS)))
        action()
        signals.write_text(str(count[0]))

    assert in_child(counted) == 0
    return int(signals.read_text())


def packs_now(assets):
    """The files of the packs, without leftovers."""
    return {k: v for k, v in contents(assets, (".lock",)).items() if not k.startswith(".repogen-")}


def leftovers(assets):
    return [path.name for path in assets.iterdir() if path.name not in ("mine", ".lock")]


def try_each(packs, assets, tmp_path, action, after, kills):
    """Kill `action`, which begins with the first pack, `kills` times; then the first pack stands
    or `after`, and installing works. Returns what stood."""
    (first, second), (before, other) = packs
    add(first)
    steps = steps_of(action, tmp_path / "steps")
    seen = []
    chosen = np.random.default_rng(0).permutation(steps)[:kills]
    for step in chosen.tolist():
        add(first)
        assert packs_now(assets) == before

        def dying(step=step):
            kill_at(step)
            action()

        assert in_child(dying) == -signal.SIGKILL
        now = packs_now(assets)
        assert now in (before, after), step
        seen.append(now)
        add(second)
        assert packs_now(assets) == other
        assert leftovers(assets) == []
    return seen


def test_a_killed_replacement_leaves_the_old_pack_or_the_new(packs, tmp_path):
    (_, second), (before, after) = packs
    seen = try_each(packs, tmp_path / "assets", tmp_path, lambda: add(second), after, 40)
    assert before in seen
    assert after in seen


def test_a_killed_removal_leaves_the_pack_or_nothing(packs, tmp_path):
    _, (before, _) = packs
    seen = try_each(packs, tmp_path / "assets", tmp_path, lambda: remove("mine"), {}, 40)
    assert before in seen
    assert {} in seen


def test_without_an_exchange_the_next_command_puts_the_old_pack_back(packs, tmp_path, monkeypatch):
    """On systems that cannot swap two folders, a pack may be away until the next command."""
    (first, second), (before, after) = packs
    assets = tmp_path / "assets"
    monkeypatch.setattr(staging, "_exchange", lambda *_: False)
    add(first)
    steps = steps_of(lambda: add(second), tmp_path / "steps")
    seen = []
    for step in range(steps - 30, steps):
        add(first)

        def dying(step=step):
            kill_at(step)
            add(second)

        assert in_child(dying) == -signal.SIGKILL
        seen.append(packs_now(assets))
        assert seen[-1] in (before, after, {})
        with staging._temporary_folder():
            pass
        assert packs_now(assets) in (before, after)
        assert leftovers(assets) == []
    assert {} in seen


@pytest.mark.slow
def test_kills_at_random_moments(packs, tmp_path):
    """By the clock, so that calls that Python does not report are hit, too."""
    (first, second), (before, after) = packs
    assets = tmp_path / "assets"
    add(first)
    seconds = []
    for _ in range(5):
        child = start_child(lambda: add(second))
        start = time.monotonic()
        child.join()
        assert child.exitcode == 0
        seconds.append(time.monotonic() - start)
    rng = np.random.default_rng(0)
    killed = tried = 0
    while killed < KILLS:
        tried += 1
        assert tried < 5 * KILLS, "most of them ended before they were killed"
        moment = rng.uniform(0, np.median(seconds))
        add(first)
        child = start_child(lambda: add(second))
        time.sleep(moment)
        child.kill()
        child.join()
        killed += child.exitcode == -signal.SIGKILL
        assert packs_now(assets) in (before, after)
        add(second)
        assert packs_now(assets) == after
        assert leftovers(assets) == []
        assert list(installed()) == ["core", "mine"]
