"""Judged candidates: what is refused, and what is recorded of the others."""

import numpy as np
import pytest

from repogen import MineConfig
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.cameras.camera import view_of
from repogen.mining import candidates
from repogen.mining.candidates import DrawTask, Task, draw_lines, judge_task
from repogen.mining.records import read_candidates
from repogen.scenes.sample.scene import sample_posed_scene
from repogen.scenes.scene import Scene

INDICES = (0, 1, 2, 3)


@pytest.fixture
def config(small):
    return MineConfig(**small)


@pytest.fixture
def judged(config):
    """Judges four candidates, with changed options of how."""

    def judge(**changes):
        changed = MineConfig(**{**OPEN, **changes, **_drawing(config)})
        return judge_task(Task(changed, changed.judging, ("lightning",), "", INDICES))

    return judge


OPEN = {"max_excess": 1000, "max_inside": 1, "least_visible": 1, "least_side": 1, "judge_size": 96}


def _drawing(config):
    names = ("camera", "pose", "people", "environment", "packs", "seed")
    return {name: getattr(config, name) for name in names}


def test_a_record_says_what_the_scene_shows(config, judged, body, tmp_path):
    found = judged()
    assert [one.index for one in found] == [*INDICES]
    for one in found:
        scene = sample_posed_scene(config, config.seed, one.index, body).scene
        (shown,) = scene.people
        person = one.person
        assert one.refused == ""
        view = view_of(scene.camera, shown.position, shown.yaw_deg)
        assert person.azimuth == pytest.approx(view.azimuth_deg, abs=1e-3)
        assert person.elevation == pytest.approx(view.elevation_deg, abs=1e-3)
        hip = BODY_JOINTS.index("left_hip")
        assert person.joint_angles[hip] == pytest.approx(shown.angles["left_hip"], abs=1e-3)
        assert person.explored
        direction = np.array(person.descriptor[36:39])
        assert np.linalg.norm(direction) == pytest.approx(1, abs=1e-3)
        assert all(0 <= part <= 1 for parts in person.difficulty for part in parts)
    path = tmp_path / "candidates.jsonl"
    path.write_text("".join(one.to_line() for one in found))
    assert [*read_candidates(path)] == found


def test_sizes_are_those_of_the_full_image_whatever_the_size_judged_by(judged):
    small, large = judged(judge_size=64), judged(judge_size=128)
    for one, other in zip(small, large, strict=True):
        assert one.person.side == pytest.approx(other.person.side, abs=5)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"max_excess": 0}, "motion"),
        ({"least_visible": 17}, "hidden"),
        ({"least_side": 8000}, "small"),
    ],
)
def test_who_is_not_plausible_or_seen_is_not_judged(judged, changes, refused):
    found = judged(**changes)
    assert refused in {one.refused for one in found}
    assert all((one.person is None) == bool(one.refused) for one in found)


def test_skin_inside_the_body_is_not_plausible(judged, config):
    inside = [one.person.inside for one in judged()]
    most = sorted(inside)[2]
    assert most > 0
    found = judged(max_inside=most)
    assert [one.refused for one in found] == ["inside" * (share > most) for share in inside]


def test_who_would_fall_over_is_not_plausible_on_a_floor(config):
    options = OPEN | {"ground": "floor", "image_size": 96, "views": "perimeter", "seed": 5,
                      "wardrobe": "painted", "backgrounds": "plain", "packs": ()}  # fmt: skip

    def refused(**changes):
        changed = MineConfig(**options | changes)
        found = judge_task(Task(changed, changed.judging, ("lightning",), "", INDICES))
        return [one.refused for one in found]

    assert "balance" in refused(max_overhang=0)
    assert "balance" not in refused(max_overhang=10)
    counts = [refused(max_overhang=0.03, balance=b).count("balance") for b in (False, True)]
    assert counts[1] < counts[0]


def test_with_a_teacher_only_the_joints_that_it_finds_count(config, judged, monkeypatch):
    everybody = judged()
    alike = judged(teacher="lightning")  # it judges itself: what it finds in the first look
    kept = [(one, by) for one, by in zip(everybody, alike, strict=True) if by.person]
    assert kept
    for one, by in kept:
        assert by.person.difficulty[0][0] <= one.person.difficulty[0][0]
    assert any(by.person.difficulty != one.person.difficulty for one, by in kept)
    monkeypatch.setattr(candidates, "finds", lambda *_: np.ones(17, bool))
    assert judged(teacher="lightning") == everybody
    monkeypatch.setattr(candidates, "finds", lambda *_: np.zeros(17, bool))
    assert {one.refused for one in judged(teacher="lightning")} == {"unknown"}


def test_two_estimators_are_asked_about_the_same_people(config):
    task = Task(config, config.judging, ("lightning", "rare-lightning"), "", INDICES)
    both = [one.person.difficulty for one in judge_task(task) if one.person]
    alone = [
        [one.person.difficulty[0] for one in judge_task(each) if one.person]
        for each in (
            Task(config, config.judging, (name,), "", INDICES)
            for name in ("lightning", "rare-lightning")
        )
    ]
    assert both
    assert [*map(list, zip(*both, strict=True))] == alone
    assert alone[0] != alone[1]


def test_the_drawn_scene_is_the_judged_one(config, body):
    (line,) = draw_lines(DrawTask(config, "", (3,), 7))
    scene, wanted = Scene.from_json(line), sample_posed_scene(config, config.seed, 3, body).scene
    assert (scene.index, scene.group) == (7, 7)
    assert scene.camera == wanted.camera
    assert scene.people == wanted.people
