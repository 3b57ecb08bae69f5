"""Metrics over joints, intervals, paired differences, and scores by camera direction."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pycocotools.cocoeval import COCOeval

from repogen.bodies import COCO_KEYPOINTS
from repogen.cameras.viewpoints import BANDS
from repogen.coco.annotations import PersonAnnotations, read_person_annotations
from repogen.coco.crops import FLIP
from repogen.evaluation.comparison import compare
from repogen.evaluation.joints import assigned_joints, person_oks
from repogen.evaluation.scores import (
    bootstrap_weights,
    compute_metrics,
    evaluate_estimates,
    match_estimates,
    to_scores,
)
from repogen.inference.estimate import Estimates

NAN = (np.nan, np.nan, np.nan)


def crowd_of(rng, count, views=None):
    """A set of one person per image, 200 pixels tall, with all joints labelled."""
    boxes = np.tile([100.0, 100.0, 150.0, 200.0], (count, 1))
    keypoints = np.full((count, 17, 3), 2.0)
    keypoints[:, :, :2] = rng.uniform([100, 100], [250, 300], (count, 17, 2))
    return PersonAnnotations(
        name="crowd", root=Path("."), files=tuple(f"{i}.jpg" for i in range(count)),
        sizes=np.tile([400, 400], (count, 1)), image_ids=np.arange(count) + 1,
        image=np.arange(count), ids=np.arange(count) + 1, boxes=boxes,
        areas=np.full(count, 15e3), keypoints=keypoints, crowd=np.zeros(count, dtype=bool),
        records=({"category_id": 1},) * count,
        views=np.array(views if views is not None else [NAN] * count, dtype=float),
        rendered=np.zeros(count, dtype=bool),
    )  # fmt: skip


def near(rng, people, noise):
    """Each person's pose with a random error; the smaller the error, the higher the score."""
    spread = noise * rng.exponential(1, len(people))
    found = people.keypoints.copy()
    found[:, :, :2] += rng.normal(0, 1, (len(people), 17, 2)) * spread[:, None, None]
    return Estimates(
        keypoints=found, scores=1 / (1 + spread), image=people.image,
        person=np.arange(len(people)), kept=np.ones(len(people), dtype=bool),
    )  # fmt: skip


def test_the_ground_truth_scores_one():
    people = crowd_of(np.random.default_rng(0), 5)
    scores = evaluate_estimates(
        people, near(np.random.default_rng(0), people, 0), bootstrap_samples=20
    )
    assert np.isnan(scores["APM"].value)  # all are large
    others = {name: score for name, score in scores.items() if name != "APM"}
    assert {"AP", "OKS", "swapped"} <= set(others)
    for name, score in others.items():
        wanted = float(name != "swapped")
        assert (score.value, score.low, score.high) == pytest.approx((wanted,) * 3), name


def test_exchanged_elbows_count_as_swapped():
    people = crowd_of(np.random.default_rng(0), 8)
    found = near(np.random.default_rng(0), people, 0)
    arms = [COCO_KEYPOINTS.index(f"{side}_elbow") for side in ("left", "right")]
    crossed = found.keypoints.copy()
    crossed[:, arms] = crossed[:, FLIP[arms]]
    truth = people.keypoints[:, :, :2]
    pairs = [(k, FLIP[k]) for k, name in enumerate(COCO_KEYPOINTS) if name.startswith("left_")]
    apart = sum((np.linalg.norm(truth[:, a] - truth[:, b], axis=1) > 20).sum() for a, b in pairs)
    elbows = (np.linalg.norm(truth[:, arms[0]] - truth[:, arms[1]], axis=1) > 20).sum()
    scores = evaluate_estimates(people, replace(found, keypoints=crossed), bootstrap_samples=0)
    assert scores["swapped"].value == pytest.approx(elbows / apart)
    assert scores["OKS left_elbow"].value < 0.5 < scores["OKS left_wrist"].value


def test_unlabelled_joints_do_not_count():
    """As in LSPet: no face joints, and here a wrong estimate of each."""
    rng = np.random.default_rng(0)
    people = crowd_of(rng, 6)
    faceless = people.keypoints.copy()
    faceless[:, :5] = 0
    people = replace(people, keypoints=faceless)
    found = near(rng, people, 0)
    found.keypoints[:, :5, :2] = 5000.0
    scores = evaluate_estimates(people, found, bootstrap_samples=0)
    assert scores["AP"].value == scores["OKS"].value == scores["PCK"].value == pytest.approx(1)
    assert np.isnan(scores["OKS nose"].value)
    assert scores["OKS left_knee"].value == 1


def test_poses_from_detected_boxes_are_assigned_to_the_most_similar_person():
    people = crowd_of(np.random.default_rng(0), 3)
    people = replace(people, image=np.array([0, 0, 2]))
    other = people.keypoints + np.array([0.5, 0, 0])
    found = Estimates(
        keypoints=np.stack([other[1], people.keypoints[0], people.keypoints[1]]),
        scores=np.ones(3), image=np.zeros(3, dtype=int), person=np.full(3, -1),
        kept=np.array([True, True, False]),
    )  # fmt: skip
    joints = assigned_joints(people, found)
    assert joints[0] == pytest.approx(people.keypoints[0, :, :2])
    assert joints[1] == pytest.approx(other[1, :, :2])  # the better one fell to OKS-NMS
    assert np.isnan(joints[2]).all()
    assert person_oks(people, found)[2] == 0


def test_the_interval_holds_the_true_value_in_about_95_percent():
    """Over many small sets from one distribution; the true value is that of a very large set."""
    rng = np.random.default_rng(0)
    big = crowd_of(rng, 6000)
    truth = evaluate_estimates(big, near(rng, big, 12), bootstrap_samples=0)
    covered = {"AP": 0, "OKS": 0, "PCK": 0}
    for _ in range(100):
        people = crowd_of(rng, 60)
        found = near(rng, people, 12)
        weights = bootstrap_weights(people, found, 100)
        scores = to_scores(compute_metrics(match_estimates(people, found), weights, ("all",)))
        for name in covered:
            covered[name] += scores[name].low <= truth[name].value <= scores[name].high
    assert all(86 <= count <= 99 for count in covered.values()), covered


def test_a_model_does_not_differ_from_itself():
    rng = np.random.default_rng(0)
    people = crowd_of(rng, 40)
    found = near(rng, people, 12)
    report = compare(people, {"a": found, "b": found}, bootstrap_samples=50)
    assert str(report.total.scores["a"]) == str(report.total.scores["b"])  # nan is nan
    differences = report.total.differences["b"]
    names = set(differences) - {"APM"}  # all are large
    assert {"AP", "OKS", "swapped"} <= names
    for name in names:
        score = differences[name]
        assert (score.value, score.low, score.high) == (0, 0, 0), name
        assert not score.significant


def test_a_small_paired_difference_is_significant():
    """A model slightly better on every image: significant, though the intervals overlap."""
    rng = np.random.default_rng(0)
    people = crowd_of(rng, 60)
    worse = near(rng, people, 14)
    closer = worse.keypoints * 0.9 + people.keypoints * 0.1
    report = compare(people, {"worse": worse, "better": replace(worse, keypoints=closer)}, 300)
    before, after = (report.total.scores[name]["OKS"] for name in ("worse", "better"))
    gain = report.total.differences["better"]["OKS"]
    assert list(report.total.differences) == ["better"]
    assert before.high > after.low
    assert gain.value == pytest.approx(after.value - before.value)
    assert gain.significant
    assert gain.high - gain.low < 0.5 * (after.high - after.low)


def test_an_elevation_band_scores_as_the_set_of_its_images():
    rng = np.random.default_rng(0)
    count = 300
    views = np.stack(
        [rng.uniform(-180, 180, count), rng.uniform(-90, 90, count), np.zeros(count)], axis=1
    )
    views[0, 1], views[1, 1], views[2] = 90, 60, NAN
    people = crowd_of(rng, count, views)
    found = near(rng, people, 12)
    report = compare(people, {"a": found}, bootstrap_samples=20)
    assert [(b.low, b.high) for b in report.bands] == list(pairwise(BANDS))
    assert sum(b.comparison.persons for b in report.bands) == count - 1
    for band in report.bands:
        inside = (views[:, 1] >= band.low) & (views[:, 1] < (91 if band.high == 90 else band.high))
        rows = np.flatnonzero(inside)
        alone = replace(
            found,
            **{k: getattr(found, k)[rows] for k in ("keypoints", "scores", "image", "kept")},
            person=np.arange(len(rows)),
        )
        wanted = evaluate_estimates(people.take(rows), alone, bootstrap_samples=0)
        scores = band.comparison.scores["a"]
        assert band.comparison.persons == len(rows)
        for name in ("AP", "AR", "OKS", "PCK", "OKS nose"):
            assert scores[name].value == pytest.approx(wanted[name].value), name
            assert scores[name].low <= scores[name].value <= scores[name].high


def test_people_in_one_image_count_in_their_own_elevation_bands():
    """Two people in an image, far apart and seen from different directions, score as in two."""
    rng = np.random.default_rng(1)
    count = 200
    elevation = rng.uniform(-90, 90, count)
    views = np.stack([rng.uniform(-180, 180, count), elevation, np.zeros(count)], axis=1)
    apart = crowd_of(rng, count, views)
    apart.keypoints[::2, :, 0] += 5000
    apart.boxes[::2, 0] += 5000
    apart = replace(apart, crowd=np.arange(count) % 17 == 0)
    found = near(rng, apart, 12)
    together = replace(apart, image=apart.image // 2)
    pictures = np.arange(count) // 2
    assert len(set(np.digitize(elevation, BANDS)[pictures == 0])) == 2, "worth testing"
    one, two = (
        compare(people, {"a": replace(found, image=people.image)}, bootstrap_samples=10)
        for people in (apart, together)
    )
    for alone, band in zip(one.bands, two.bands, strict=True):
        inside = (elevation >= band.low) & (elevation < band.high) & ~apart.crowd
        assert band.comparison.persons == alone.comparison.persons == inside.sum()
        assert band.comparison.images == len(np.unique(pictures[inside]))
        for name in ("AP", "AR", "OKS", "PCK", "OKS nose"):
            value = alone.comparison.scores["a"][name].value
            assert band.comparison.scores["a"][name].value == pytest.approx(value), name
    assert (one.sphere.persons == two.sphere.persons).all()
    np.testing.assert_allclose(one.sphere.oks["a"], two.sphere.oks["a"])


def test_a_false_positive_counts_in_the_bands_of_the_persons_in_its_image():
    views = [(0, -75, 0), (0, 10, 0), (0, 15, 0)]
    people = crowd_of(np.random.default_rng(0), 3, views)
    people = replace(people, image=np.array([0, 0, 2]))
    true = replace(near(np.random.default_rng(0), people, 0), person=np.full(3, -1))
    nobody = {
        "keypoints": people.keypoints[:1] + np.array([5000.0, 0, 0]), "scores": [2.0],
        "image": [2], "person": [-1], "kept": [True],
    }  # fmt: skip
    found = replace(
        true, **{k: np.concatenate([getattr(true, k), extra]) for k, extra in nobody.items()}
    )
    low, level = (band.comparison.scores["a"] for band in compare(people, {"a": found}, 0).bands)
    assert low["AP"].value == pytest.approx(1)
    assert level["AP"].value == pytest.approx(2 / 3), "two true positives after a false one"


def test_one_image_has_no_interval():
    rng = np.random.default_rng(0)
    views = [(0, -75, 0), (0, 10, 0), (0, 15, 0)]
    people = crowd_of(rng, 3, views)
    found = {name: near(rng, people, 12) for name in "ab"}
    alone, two = (band.comparison for band in compare(people, found, bootstrap_samples=20).bands)
    assert (alone.persons, two.persons) == (1, 2)
    assert alone.scores["b"]["OKS"].value > 0
    assert np.isnan(alone.scores["b"]["OKS"].low)
    assert not alone.differences["b"]["OKS"].significant
    assert two.scores["b"]["OKS"].low < two.scores["b"]["OKS"].high


def test_a_set_without_views_has_no_bands():
    rng = np.random.default_rng(0)
    people = crowd_of(rng, 4)
    report = compare(people, {"a": near(rng, people, 3)}, bootstrap_samples=2)
    assert report.bands == ()
    assert report.sphere is None


def test_the_sphere_map_has_cells_of_equal_area_and_the_mean_oks_of_their_persons():
    rng = np.random.default_rng(0)
    count = 4000
    elevation = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    azimuth = rng.uniform(-180, 180, count)
    views = np.stack([azimuth, elevation, np.zeros(count)], axis=1)
    people = crowd_of(rng, count, views)
    sphere = compare(people, {"a": near(rng, people, 12)}, bootstrap_samples=0).sphere
    rings, sectors = sphere.persons.shape
    mean = count / rings / sectors
    assert sphere.persons.sum() == count
    assert ((sphere.persons - mean) ** 2 / mean).mean() == pytest.approx(1, abs=0.3)  # chi-square

    # From below and in front badly, from everywhere else perfectly.
    people = people.take(np.flatnonzero(elevation < 60))
    below = (people.views[:, 1] < -80) & (np.abs(people.views[:, 0]) < 90)
    found = near(rng, people, 0)
    found.keypoints[below, :, :2] += 500
    sphere = compare(people, {"a": found}, bootstrap_samples=0).sphere
    oks = sphere.oks["a"]
    assert np.isnan(oks[sphere.persons == 0]).all()
    assert (sphere.persons[-1] == 0).all() or np.nanmin(oks[-1]) == 1
    worst = np.unravel_index(np.nanargmin(oks), oks.shape)
    assert worst[0] == 0
    assert sphere.persons.shape[1] // 4 <= worst[1] < 3 * sphere.persons.shape[1] // 4


def test_crowds_and_unlabelled_people_are_not_scored(tmp_path, made_up):
    people = read_person_annotations(
        "made up", made_up(np.random.default_rng(2), tmp_path), tmp_path
    )
    persons = people.labelled()
    assert 0 < len(persons) < len(people)
    assert not people.crowd[persons].any()
    assert (people.keypoints[persons, :, 2].max(axis=1) > 0).all()


def test_the_oks_of_a_person_equals_pycocotools():
    rng = np.random.default_rng(5)
    people = crowd_of(rng, 30)
    people.keypoints[rng.random((30, 17)) < 0.3, 2] = 0
    off = people.keypoints[:, :, :2] + rng.normal(0, 8, (30, 17, 2))
    poses = Estimates(
        keypoints=np.concatenate([off, np.ones((30, 17, 1))], axis=2),
        scores=np.ones(30), image=people.image, person=np.arange(30), kept=np.ones(30, dtype=bool),
    )  # fmt: skip
    coco = COCOeval(iouType="keypoints")
    coco.params.imgIds, coco.params.catIds = [1], [1]
    for k in range(30):
        truth = {"keypoints": people.keypoints[k].ravel(), "bbox": people.boxes[k],
                 "area": people.areas[k], "num_keypoints": 17}  # fmt: skip
        found = {"keypoints": poses.keypoints[k].ravel(), "score": 1.0}
        coco._gts[1, 1], coco._dts[1, 1] = [truth], [found]
        wanted = coco.computeOks(1, 1)[0, 0]
        assert person_oks(people, poses)[k] == pytest.approx(wanted, abs=1e-9)
