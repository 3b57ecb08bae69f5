"""Random skin, hair and clothes."""

import colorsys
import dataclasses

import cv2
import numpy as np
import pytest

from repogen.colors import LUMINANCE, from_hex, to_linear
from repogen.people.outfit import PATTERNS, sample_fabric, sample_outfit, shoe_top
from repogen.people.skin import sample_skin

CHOICES = {
    "hair": {"bald", "shaved", "short", "long"},
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
def test_random_outfits_have_valid_colours_and_known_choices(feminine):
    for outfit in outfits(feminine):
        for part in (outfit, outfit.top_fabric, outfit.bottom_fabric):
            for name, value in dataclasses.asdict(part).items():
                if "color" in name or name in ("skin", "eyes", "accent"):
                    from_hex(value)
        assert all(getattr(outfit, name) in known for name, known in CHOICES.items())
        for cloth in (outfit.top_fabric, outfit.bottom_fabric):
            assert cloth.pattern in PATTERNS
            assert 0.02 <= cloth.scale <= 0.12


def test_every_choice_occurs():
    people = outfits(0.1, 2000)
    for name, known in CHOICES.items():
        assert {getattr(person, name) for person in people} == known
    assert {person.top_fabric.pattern for person in people} == set(PATTERNS)


def test_feminine_people_wear_skirts_and_long_hair_more_often():
    men, women = outfits(0.0), outfits(1.0)
    assert share(men, bottom="skirt") == 0 < share(women, bottom="skirt")
    assert share(women, hair="long") > share(men, hair="long") + 0.3
    assert share(women, hair="bald") == 0 < share(men, hair="bald")
    assert share(women, top="bare") == 0 < share(men, top="bare")
    assert share(outfits(0.3), top="bare") == 0, "the neutral gender begins at 0.3"


def test_sleeves_and_hems_fit_the_names_of_the_clothes():
    """Metres on the T-pose: elbow 0.46, wrist 0.73; knee -0.45, ankle -0.87."""
    people = outfits(0.5)
    sleeves = {top: [o.sleeve for o in people if o.top == top] for top in ("t-shirt", "shirt")}
    hems = {name: [o.hem for o in people if o.bottom == name] for name in ("shorts", "trousers")}
    assert 0.17 < min(sleeves["t-shirt"]) <= max(sleeves["t-shirt"]) <= 0.46
    assert 0.46 < min(sleeves["shirt"]) <= max(sleeves["shirt"]) <= 0.73
    assert -0.46 <= min(hems["shorts"]) <= max(hems["shorts"]) < -0.2
    assert -0.87 <= min(hems["trousers"]) <= max(hems["trousers"]) < -0.6
    assert all((shoe_top(outfit) < -1) == (outfit.shoes == "bare") for outfit in people)


def lightness(color):
    """CIE L* of an sRGB hex colour."""
    return 116 * (to_linear(from_hex(color)) @ LUMINANCE) ** (1 / 3) - 16


def test_skin_is_as_light_and_as_dark_as_people_are():
    tones = np.array([lightness(outfit.skin) for outfit in outfits(0.5)])
    assert 26 < tones.min() < 33
    assert 69 < tones.max() < 75
    reds = [from_hex(outfit.skin) for outfit in outfits(0.5)]
    assert all(red > blue for red, _, blue in reds)


def test_fair_hair_grows_on_fair_skin_only():
    people = outfits(0.5, 2000)
    colors = np.array([from_hex(p.hair_color) for p in people])
    fair = np.array([lightness(p.hair_color) > 40 for p in people]) & (np.ptp(colors, axis=1) > 0.2)
    skin = np.array([lightness(p.skin) for p in people])
    assert fair[skin > 52].mean() > 0.05
    assert not fair[skin < 48].any()


def test_bald_heads_are_seldom_and_most_hairless_ones_are_shaved():
    men = outfits(0.0, 4000)
    assert 0.01 < share(men, hair="bald") < 0.03
    assert 0.06 < share(men, hair="shaved") < 0.1


def test_loud_patterns_are_as_seldom_as_in_photographs():
    rng = np.random.default_rng(0)
    patterns = [sample_fabric(rng, True).pattern for _ in range(4000)]
    assert 0.7 < patterns.count("plain") / 4000 < 0.78
    for loud in ("dots", "noise"):
        assert 0 < patterns.count(loud) / 4000 < 0.012


def test_colours_of_clothes_are_mostly_neutral_and_seldom_green_or_violet():
    rng = np.random.default_rng(0)
    colors = np.array([from_hex(sample_fabric(rng, True).color) for _ in range(2000)])
    hue, saturation, _ = np.transpose([colorsys.rgb_to_hsv(*color) for color in colors])
    assert 0.55 < (saturation < 0.1).mean() < 0.65  # a few coloured ones are that pale
    vivid = 360 * hue[saturation > 0.3]
    assert ((vivid > 100) & (vivid < 195)).mean() < 0.12
    assert ((vivid > 250) & (vivid < 340)).mean() < 0.12
    assert ((vivid > 195) & (vivid < 250)).mean() > 0.2


def test_skin_is_as_colourful_as_measured_skin():
    """In CIE L*a*b*, by OpenCV: a* and b* of real skin are about 10 and 17."""
    rng = np.random.default_rng(3)
    colors = np.array([from_hex(sample_skin(rng)) for _ in range(600)], np.float32)
    light, a, b = cv2.cvtColor(colors[None], cv2.COLOR_RGB2LAB)[0].T
    assert light.min() > 27
    assert light.max() < 74
    assert 15 < np.hypot(a, b).mean() < 21
    assert np.hypot(a, b).max() < 28
    assert (b > 0).all()
