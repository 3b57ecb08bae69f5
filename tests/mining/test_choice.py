"""The choice: hard people, unlike each other, with a share of ordinary ones."""

import numpy as np
import pytest
from judged import at, candidate

from repogen.mining.choice import Hardest, choose, k_centres
from repogen.mining.records import Candidate

OPTIONS = {"ordinary": 0.0, "least_difficulty": 0.1, "diversity": 1.0, "by": "all"}


def indices(chosen):
    return [one.candidate.index for one in chosen]


def test_the_centres_cover_groups_that_the_hardest_alone_would_not():
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(8, 5)) * 10
    table = np.concatenate([middle + rng.normal(size=(50, 5)) for middle in middles])
    weights = np.repeat(np.linspace(1.0, 0.5, 8), 50)
    rows = k_centres(table, weights, 8, 1.0)
    assert {*(rows // 50).tolist()} == {*range(8)}
    assert {*(k_centres(table, weights, 8, 0.0) // 50).tolist()} == {0}


def test_no_row_is_chosen_twice_even_where_people_are_the_same():
    rows = k_centres(np.zeros((6, 3)), np.ones(6), 6, 1.0)
    assert sorted(rows.tolist()) == [0, 1, 2, 3, 4, 5]


def test_the_hardest_are_kept_in_memory_that_does_not_grow():
    kept = Hardest(3, "all")
    order = np.random.default_rng(1).permutation(100)
    for index in order:
        kept.add(candidate(int(index), index / 100))
        assert len(kept._heap) <= 3
    kept.add(Candidate(100, "hidden", None))
    assert [one.index for _, one in kept.found()] == [99, 98, 97]


def test_of_equally_hard_ones_those_of_lower_index_are_kept():
    kept = Hardest(2, "all")
    for index in (3, 1, 2):
        kept.add(candidate(index))
    assert [one.index for _, one in kept.found()] == [1, 2]


def test_a_share_is_ordinary_people_however_easy():
    easy = [candidate(k, 0.0, explored=True, descriptor=at(k)) for k in range(10)]
    hard = [candidate(k, 0.9, descriptor=at(k)) for k in range(10, 20)]
    chosen = choose([*easy, *hard], 10, **OPTIONS | {"ordinary": 0.3})
    assert [one.kind for one in chosen] == ["ordinary"] * 3 + ["hard"] * 7
    assert indices(chosen)[:3] == [0, 1, 2]
    assert min(indices(chosen)[3:]) >= 10


def test_easy_people_do_not_fill_up_what_hard_ones_leave():
    people = [candidate(k, 0.05) for k in range(10)] + [candidate(k, 0.5) for k in range(10, 13)]
    assert indices(choose(people, 10, **OPTIONS)) == [10, 11, 12]


def test_the_order_of_equal_input_is_the_order_of_the_result():
    rng = np.random.default_rng(2)
    people = [
        candidate(k, float(d), descriptor=at(*rng.normal(size=3)))
        for k, d in enumerate(rng.uniform(0.2, 1, 200))
    ]
    chosen = choose(people, 20, **OPTIONS)
    assert len({*indices(chosen)}) == 20
    assert indices(chosen) == sorted(indices(chosen)) == indices(choose(people, 20, **OPTIONS))
    hardest = choose(people, 20, **OPTIONS | {"diversity": 0.0})
    means = [np.mean([one.hardness for one in each]) for each in (chosen, hardest)]
    assert means[0] < means[1]


@pytest.mark.parametrize("ordinary", [0.0, 1.0])
def test_nobody_to_choose_from_is_an_empty_choice(ordinary):
    nobody = [Candidate(0, "small", None)]
    assert choose(nobody, 5, **OPTIONS | {"ordinary": ordinary}) == []
