"""Jackets that are open at the front."""

import numpy as np
import pytest

from repogen.assets.packs import CORE
from repogen.bodies.surface import layer_vertices
from repogen.labels.annotation import annotate
from repogen.people.outfit import Style, WornGarment
from repogen.people.tailoring import tailored_garment
from repogen.people.tops import find_pieces
from repogen.scenes import SceneConfig, sample_scene

NAMES = ("female_elegantsuit01", "male_casualsuit03", "male_casualsuit05", "male_elegantsuit01")
HALF = 0.08


def worn(body, name, **style):
    return tailored_garment(body, WornGarment(CORE, "clothes", name, (), Style(**style)))


def front(points):
    """Whether points are before breast and belly, near the middle."""
    x, y, z = points.T
    return (np.abs(x) < 0.3 * HALF) & (y < -0.04) & (z > 0.16) & (z < 0.45)


@pytest.mark.parametrize("name", NAMES)
def test_an_open_top_has_no_cloth_at_the_front_and_all_of_its_back(body, name):
    closed, opened = worn(body, name), worn(body, name, opening=HALF)
    before, after = (one.surface.canonical[one.surface.faces].mean(axis=1)
                     for one in (closed, opened))  # fmt: skip
    assert front(before).sum() > 5
    assert not front(after).any()
    assert (before[:, 1] > 0).sum() == (after[:, 1] > 0).sum()
    low = after[(after[:, 2] < 0.0) & (after[:, 1] < -0.04)]
    assert len(low) > 0.5 * ((before[:, 2] < 0.0) & (before[:, 1] < -0.04)).sum()


@pytest.mark.parametrize("name", NAMES)
def test_trousers_end_below_an_open_top(body, name):
    """Above, where the top covered them, their pictures are black."""
    closed, opened = worn(body, name), worn(body, name, opening=HALF)

    def highest(fitted):
        at = fitted.surface.canonical
        x, y, z = at[np.unique(fitted.surface.faces)].T
        return z[(np.abs(x) < 0.3 * HALF) & (y < -0.06) & (z < 0.16)].max()

    tops, _ = find_pieces(closed.surface.faces, closed.surface.canonical)
    x, y, z = closed.surface.canonical[tops].T
    hem = z[(np.abs(x) < 0.26) & (y < -0.03)].min()
    assert highest(closed) > hem + 0.03
    assert highest(opened) < hem


@pytest.mark.parametrize("name", NAMES)
def test_breast_and_belly_are_seen_in_the_opening(body, name):
    at = body.surface.canonical
    skin = layer_vertices(body.surface, "skin")
    middle = skin[front(at[skin])]
    closed, opened = worn(body, name), worn(body, name, opening=HALF)
    assert closed.hidden[middle].any()
    assert not opened.hidden[middle].any()
    assert not (opened.hidden & ~closed.hidden).any()
    assert opened.covered.sum() < closed.covered.sum()


def test_under_open_tops_people_wear_shirts(body, renderer):
    options = {"wardrobe": "packs", "packs": (CORE,), "backgrounds": "plain", "image_size": 128}
    config = SceneConfig(**options, gender=("male",))
    scenes = [sample_scene(config, 6, index, body) for index in range(40)]
    opened = [
        scene for scene in scenes if any(w.style.opening for w in scene.people[0].outfit.worn)
    ]
    assert 3 < len(opened) < 30
    for scene in opened:
        assert scene.people[0].outfit.top != "bare"
    (annotation,) = annotate(renderer.render(opened[0]))
    assert annotation["num_keypoints"] > 5
