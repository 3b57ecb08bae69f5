"""Random people stay within what anny was made for."""

import numpy as np
import pytest

from repogen.bodies.shapes import AGES, parse_ages
from repogen.errors import UserError


def shapes(body, ages, count=300):
    rng = np.random.default_rng(0)
    return [body.sample_shape(rng, ages) for _ in range(count)]


@pytest.mark.parametrize("group", AGES)
def test_an_age_group_keeps_its_range(body, group):
    ages = [shape["age"] for shape in shapes(body, (group,))]
    low, high = AGES[group]
    assert low <= min(ages) < low + 0.1 * (high - low)
    assert high - 0.1 * (high - low) < max(ages) <= high


def test_age_groups_are_drawn_evenly(body):
    drawn = shapes(body, ("children", "elders"), 400)
    assert np.mean([shape["age"] < 0.6 for shape in drawn]) == pytest.approx(0.5, abs=0.1)


def test_every_label_is_drawn_and_stays_in_range(body):
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


def test_men_women_and_between_are_two_two_one(body):
    gender = np.array([shape["gender"] for shape in shapes(body, ("adults",), 2000)])
    assert np.mean(gender < 0.2) == pytest.approx(0.4, abs=0.04)
    assert np.mean(gender > 0.8) == pytest.approx(0.4, abs=0.04)


def test_people_are_nearly_symmetric(body):
    for shape in shapes(body, ("adults",), 50):
        left = [label for label in shape if label.startswith("l-")]
        assert left
        for label in left:
            assert shape[label] == pytest.approx(shape["r-" + label[2:]], abs=0.17)


@pytest.mark.parametrize(("ages", "word"), [((), "no ages"), (("adults", "dogs"), "'dogs'")])
def test_unknown_ages_are_user_errors(ages, word):
    with pytest.raises(UserError, match=word):
        parse_ages(ages)
