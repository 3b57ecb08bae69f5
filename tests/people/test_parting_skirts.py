"""Who spreads or folds the legs far wears no skirt."""

import numpy as np
import pytest

from repogen import sample_scene
from repogen.people.covering import wears_skirt
from repogen.people.hanging import parts_skirts


@pytest.mark.parametrize(
    ("angles", "parts"),
    [
        ({}, False),
        ({"left_hip": (0, 0, 35), "right_hip": (0, 0, -35)}, False),
        ({"left_hip": (0, 0, 45), "right_hip": (0, 0, -45)}, True),
        ({"left_hip": (-60, 0, 0), "right_hip": (30, 0, 0)}, True),
        ({"left_hip": (-90, 0, 0), "right_hip": (-90, 0, 0)}, False),
        ({"right_knee": (100, 0, 0)}, False),
        ({"right_knee": (120, 0, 0)}, True),
    ],
)
def test_legs_part_skirts_where_they_are_spread_or_folded(angles, parts):
    assert parts_skirts(angles) == parts


@pytest.mark.parametrize("wardrobe", ["painted", "packs"])
def test_nobody_in_a_split_wears_a_skirt(body, wardrobe):
    seen = {True: [], False: []}
    for index in range(80):
        person = sample_scene(
            body=body, index=index, gender="female", wardrobe=wardrobe, packs="core"
        ).people[0]
        skirt = person.outfit.bottom == "skirt" or wears_skirt(body, person.outfit)
        seen[parts_skirts(person.angles)].append(skirt)
    assert len(seen[True]) > 10
    assert not np.any(seen[True])
    assert np.mean(seen[False]) > 0.05
