"""Random body shapes stay within anny's range."""

import numpy as np
import pytest

from repogen.bodies.shapes import AGES, GENDERS, parse_ages, parse_genders
from repogen.bodies.surface import layer_vertices
from repogen.errors import UserError


def shapes(body, ages, count=300):
    rng = np.random.default_rng(0)
    return [body.sample_shape(rng, ages) for _ in range(count)]


@pytest.mark.parametrize("group", AGES)
def test_ages_fill_the_range_of_their_group(body, group):
    ages = [shape["age"] for shape in shapes(body, (group,))]
    low, high = AGES[group]
    assert low <= min(ages) < low + 0.1 * (high - low)
    assert high - 0.1 * (high - low) < max(ages) <= high


def test_age_groups_are_equally_likely(body):
    drawn = shapes(body, ("children", "elders"), 400)
    assert np.mean([shape["age"] < 0.6 for shape in drawn]) == pytest.approx(0.5, abs=0.1)


def test_every_shape_label_varies_within_its_range(body):
    drawn = shapes(body, tuple(AGES))
    assert all(set(shape) == set(body.shape_labels) for shape in drawn)
    table = np.array([[shape[label] for label in body.shape_labels] for shape in drawn])
    phenotypes = len(body.shape_labels) - sum(
        label.endswith("-incr") for label in body.shape_labels
    )
    assert (table[:, :phenotypes] >= 0).all()
    assert (table[:, :phenotypes] <= 1).all()
    assert (np.abs(table[:, phenotypes:]) <= 1).all()
    assert (table.std(axis=0) > 0.05).all()


@pytest.mark.parametrize("names", [("male", "female", "neutral"), ("female", "male"), ("neutral",)])
def test_each_gender_is_equally_likely(body, names):
    rng = np.random.default_rng(0)
    drawn = np.array([body.sample_shape(rng, ("adults",), names)["gender"] for _ in range(1500)])
    for name, (low, high) in GENDERS.items():
        share = np.mean((low <= drawn) & (drawn <= high))
        assert share == pytest.approx((name in names) / len(names), abs=0.04)


@pytest.mark.parametrize(("gender", "mean"), [("male", 1.74), ("female", 1.60)])
def test_adults_are_as_tall_as_real_ones(body, gender, mean):
    rng, skin = np.random.default_rng(1), layer_vertices(body.surface, "skin")
    heights = []
    for _ in range(60):
        shape = body.sample_shape(rng, ("adults",), (gender,))
        heights.append(np.ptp(body.pose(shape, {}, {}).vertices[skin, 2]))
    assert np.mean(heights) == pytest.approx(mean, abs=0.04)
    assert 0.06 < np.std(heights) < 0.11


def test_without_a_choice_all_genders_are_drawn(body):
    gender = np.array([shape["gender"] for shape in shapes(body, ("adults",), 1500)])
    assert np.mean(gender < 0.2) == pytest.approx(1 / 3, abs=0.04)
    assert np.mean(gender > 0.8) == pytest.approx(1 / 3, abs=0.04)


def test_left_and_right_local_changes_are_nearly_equal(body):
    for shape in shapes(body, ("adults",), 50):
        left = [label for label in shape if label.startswith("l-")]
        assert len(left) > 2
        for label in left:
            assert shape[label] == pytest.approx(shape["r-" + label[2:]], abs=0.17)


@pytest.mark.parametrize(("ages", "word"), [((), "no ages"), (("adults", "dogs"), "'dogs'")])
def test_unknown_and_missing_age_groups_are_user_errors(ages, word):
    with pytest.raises(UserError, match=word):
        parse_ages(ages)


@pytest.mark.parametrize(("names", "word"), [((), "no gender given"), (("man",), "'man'")])
def test_unknown_and_missing_genders_are_user_errors(names, word):
    with pytest.raises(UserError, match=word):
        parse_genders(names)


def test_facial_expressions_are_weak_and_sparse(body):
    rng = np.random.default_rng(0)
    faces = [body.sample_face(rng) for _ in range(200)]
    assert all(set(face) <= set(body.face_labels) - {"tongueOut"} for face in faces)
    values = np.array([value for face in faces for value in face.values()])
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.mean() < 0.35
    assert len(values) / len(faces) / len(body.face_labels) == pytest.approx(1 / 3, abs=0.03)
