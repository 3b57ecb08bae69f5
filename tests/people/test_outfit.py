"""Random skin, hair and clothes."""

import dataclasses

import numpy as np
import pytest

from repogen.colors import from_hex
from repogen.people.outfit import PATTERNS, sample_outfit, shoe_top

CHOICES = {
    "hair": {"bald", "short", "long"},
    "top": {"t-shirt", "shirt", "tank", "bare"},
    "bottom": {"trousers", "shorts", "skirt"},
    "shoes": {"shoes", "boots", "bare"},
}


def outfits(feminine, count=400):
    rng = np.random.default_rng(0)
    return [sample_outfit(rng, feminine) for _ in range(count)]


def share(people, **wanted):
    return np.mean([all(getattr(p, k) == v for k, v in wanted.items()) for p in people])


@pytest.mark.parametrize("feminine", [0.0, 0.5, 1.0])
def test_every_colour_is_one_and_every_choice_known(feminine):
    for outfit in outfits(feminine):
        for part in (outfit, outfit.top_fabric, outfit.bottom_fabric):
            for name, value in dataclasses.asdict(part).items():
                if "color" in name or name in ("skin", "eyes", "accent"):
                    from_hex(value)
        assert all(getattr(outfit, name) in known for name, known in CHOICES.items())
        for cloth in (outfit.top_fabric, outfit.bottom_fabric):
            assert cloth.pattern in PATTERNS
            assert 0.02 <= cloth.scale <= 0.12


def test_every_choice_is_made():
    people = outfits(0.3)
    for name, known in CHOICES.items():
        assert {getattr(person, name) for person in people} == known
    assert {person.top_fabric.pattern for person in people} == set(PATTERNS)


def test_feminine_people_wear_skirts_and_long_hair_more_often():
    men, women = outfits(0.0), outfits(1.0)
    assert share(men, bottom="skirt") == 0 < share(women, bottom="skirt")
    assert share(women, hair="long") > share(men, hair="long") + 0.3
    assert share(women, hair="bald") == 0 < share(men, hair="bald")
    assert share(women, top="bare") == 0 < share(men, top="bare")


def test_garments_end_where_their_names_say():
    """Metres on the T-pose: elbow 0.46, wrist 0.73; knee -0.45, ankle -0.87."""
    people = outfits(0.5)
    ends = {
        name: [o.sleeve for o in people if o.top == name]
        + [o.hem for o in people if o.bottom == name]
        for name in ("t-shirt", "shirt", "shorts", "trousers")
    }
    assert 0.17 < min(ends["t-shirt"]) <= max(ends["t-shirt"]) <= 0.46
    assert 0.46 < min(ends["shirt"]) <= max(ends["shirt"]) <= 0.73
    assert -0.46 <= min(ends["shorts"]) <= max(ends["shorts"]) < -0.2
    assert -0.87 <= min(ends["trousers"]) <= max(ends["trousers"]) < -0.6
    for outfit in people:
        assert (shoe_top(outfit) < -1) == (outfit.shoes == "bare")


def test_skin_tones_run_from_light_to_dark():
    tones = np.array([from_hex(outfit.skin).mean() for outfit in outfits(0.5)])
    assert tones.min() < 0.25
    assert tones.max() > 0.75
