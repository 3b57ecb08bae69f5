"""Our average precision against that of pycocotools, to the last digits."""

from dataclasses import replace

import numpy as np
import pytest

from repogen import GenerateConfig, generate
from repogen.coco.annotations import read_person_annotations
from repogen.coco.oks import SIGMAS, oks_nms
from repogen.datasets.sets import read_set
from repogen.evaluation.scores import (
    bootstrap_weights,
    compute_metrics,
    evaluate_estimates,
    match_estimates,
)


def same(ours, reference):
    assert reference["AR"] > 0.05
    for name, value in reference.items():
        wanted = np.nan if value == -1 else value  # -1: nobody is of this size
        assert ours[name].value == pytest.approx(wanted, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("seed", range(8))
def test_ap_of_synthetic_crowds_equals_pycocotools(tmp_path, seed, made_up, guesses, pycocotools):
    rng = np.random.default_rng(seed)
    path = made_up(rng, tmp_path)
    people = read_person_annotations("made up", path, tmp_path)
    estimates = guesses(rng, people)
    same(
        evaluate_estimates(people, estimates, bootstrap_samples=0),
        pycocotools(path, people, estimates),
    )


@pytest.mark.parametrize("seed", range(4))
def test_ap_on_coco_photographs_equals_pycocotools(seed, shared_data, guesses, pycocotools):
    sample = shared_data("data/coco_sample")
    path = sample / "annotations.json"
    people = read_person_annotations("coco", path, sample / "images")
    estimates = guesses(np.random.default_rng(seed), people)
    same(
        evaluate_estimates(people, estimates, bootstrap_samples=0),
        pycocotools(path, people, estimates),
    )


def test_ap_on_a_generated_dataset_equals_pycocotools(tmp_path, body, guesses, pycocotools):
    config = GenerateConfig(images=12, image_size=160, backgrounds="plain", seed=3, workers=1)
    people = read_set(f"ours={generate(tmp_path / 'ours', config)}")
    estimates = guesses(np.random.default_rng(0), people)
    reference = pycocotools(tmp_path / "ours/annotations/person_keypoints.json", people, estimates)
    same(evaluate_estimates(people, estimates, bootstrap_samples=0), reference)


@pytest.mark.parametrize("seed", range(3))
def test_a_bootstrap_sample_scores_as_the_set_with_its_images_repeated(
    tmp_path, seed, made_up, guesses
):
    """The fast weighted sums against a set that is written out image by image."""
    rng = np.random.default_rng(seed)
    people = read_person_annotations("made up", made_up(rng, tmp_path), tmp_path)
    estimates = guesses(rng, people)
    weights = bootstrap_weights(people, estimates, 3, seed)
    metrics = compute_metrics(match_estimates(people, estimates), weights)
    for sample in (1, 2, 3):
        again = np.repeat(np.arange(len(people.files)), weights[sample])
        again = again[np.argsort(people.image_ids[again], kind="stable")]
        persons = [np.flatnonzero(people.image == image) for image in again]
        rows = [np.flatnonzero(estimates.image == image) for image in again]
        at, here = np.concatenate(persons), np.concatenate(rows)
        longer = replace(
            people.take(at),
            files=tuple(people.files[image] for image in again),
            image_ids=np.arange(len(again)),
            image=np.repeat(np.arange(len(again)), [len(p) for p in persons]),
        )
        repeated = replace(
            estimates,
            image=np.repeat(np.arange(len(again)), [len(r) for r in rows]),
            **{k: getattr(estimates, k)[here] for k in ("keypoints", "scores", "person", "kept")},
        )
        for name, score in evaluate_estimates(longer, repeated, bootstrap_samples=0).items():
            assert metrics[name][sample] == pytest.approx(score.value, abs=1e-12, nan_ok=True), name


def test_bootstrap_samples_draw_all_images_equally_often(tmp_path, made_up, guesses):
    rng = np.random.default_rng(0)
    people = read_person_annotations("made up", made_up(rng, tmp_path), tmp_path)
    estimates = guesses(rng, people)
    weights = bootstrap_weights(people, estimates, 4000)
    held = np.union1d(people.image, estimates.image)
    assert (weights[1:].sum(axis=1) == len(held)).all()
    assert weights[1:, held].mean(axis=0) == pytest.approx(1.0, abs=0.08)


def test_oks_nms_keeps_the_best_of_similar_poses():
    rng = np.random.default_rng(1)
    for _ in range(50):
        base = rng.uniform(0, 200, (3, 17, 2))
        poses = base[rng.integers(0, 3, 9)] + rng.normal(0, rng.choice([1, 6, 30]), (9, 17, 2))
        scores, areas = rng.permutation(9) / 9, rng.uniform(5e3, 3e4, 9)
        kept = []
        for pose in np.argsort(-scores):
            alike = [
                np.exp(
                    -((poses[pose] - poses[k]) ** 2).sum(axis=1)
                    / (2 * SIGMAS) ** 2 / (areas[pose] + areas[k])
                ).mean()
                for k in kept
            ]  # fmt: skip
            if not any(oks > 0.9 for oks in alike):
                kept.append(pose)
        assert np.flatnonzero(oks_nms(poses, scores, areas)).tolist() == sorted(kept)
