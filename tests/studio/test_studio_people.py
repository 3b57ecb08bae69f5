"""The body and the outfit of one person, set by hand."""

import pytest

pytest.importorskip("viser", reason="needs viser: pip install -e '.[dev]'")

from repogen import Scene
from repogen.assets.packs import CORE
from repogen.generation.config import GenerateConfig
from repogen.people.posing import pose_person
from repogen.studio.options import Likeness, options_like
from repogen.studio.outfits import USES, choices, chosen, colors, with_choice, with_color
from repogen.studio.person_controls import height_of
from repogen.studio.state import (
    State,
    another_person,
    as_drawn,
    draw,
    opened_scene,
    with_number,
    with_option,
    with_outfit,
    with_shape,
)

PACKS = (CORE,)


@pytest.fixture
def state():
    options = {"views": "front", "image_size": 96, "backgrounds": "plain", "seed": 5}
    return State(GenerateConfig(packs=PACKS, ground="floor", **options), index=2)


def with_age(state, person_index, age):
    return with_shape(state, person_index, {"age": age})


def outfit_of(state, body):
    return draw(state, body).scene.people[0].outfit


def test_a_body_is_set_by_hand_and_stands_on_the_floor(state, body):
    two = with_option(state, "people", "people", (2, 2))
    before, (first, second) = draw(two, body).people, draw(with_age(two, 1, 0.3), body).people
    assert first.person == before[0].person
    assert second.person.shape == before[1].person.shape | {"age": 0.3}
    assert second.person.outfit == before[1].person.outfit
    assert second.person.angles == before[1].person.angles
    assert height_of(second) < 0.85 * height_of(before[1])
    assert second.lowest == pytest.approx(first.floor, abs=1e-5)


def test_labels_that_were_not_set_are_drawn(state, body):
    changed = with_number(with_shape(state, 0, {"age": 0.3}), 5, 7)
    drawn = draw(with_number(state, 5, 7), body).scene.people[0]
    assert draw(changed, body).scene.people[0].shape == drawn.shape | {"age": 0.3}


def test_an_outfit_is_set_by_hand(state, body):
    wanted = with_choice(outfit_of(state, body), "suits", "male_casualsuit02", PACKS, body)
    changed = with_outfit(state, 0, wanted)
    assert outfit_of(changed, body) == wanted
    assert outfit_of(with_number(changed, 5, 3), body) == wanted
    assert changed.by_hand == "outfit"


def test_as_drawn_gives_body_and_outfit_back(state, body):
    other = another_person(state, 1, body)
    changed = with_outfit(with_shape(state, 0, other.shape), 0, other.outfit)
    assert draw(changed, body).scene.people[0].shape == other.shape
    assert changed.by_hand == "body, outfit"
    assert as_drawn(changed, 0) == state
    assert another_person(state, 2, body).shape != other.shape


@pytest.mark.parametrize(
    ("option", "value", "left"),
    [("ages", ("children",), "outfit"), ("styles", False, "body")],
)
def test_an_option_takes_back_what_it_draws(state, body, option, value, left):
    other = another_person(state, 1, body)
    changed = with_outfit(with_shape(state, 0, other.shape), 0, other.outfit)
    assert with_option(changed, "people", option, value).by_hand == left


@pytest.mark.parametrize("use", USES)
def test_every_choice_is_worn(state, body, use):
    outfit = outfit_of(state, body)
    for name in choices(use, PACKS, body):
        worn = with_choice(outfit, use, name, PACKS, body)
        assert chosen(worn, use, PACKS) == name
        kept = {other: chosen(outfit, other, PACKS) for other in USES if other != use}
        assert {other: chosen(worn, other, PACKS) for other in kept} == kept
        person = draw(state, body).people[0].person
        pose_person(body, type(person)(**vars(person) | {"outfit": worn}))


@pytest.mark.parametrize("suit", ["t-shirt, shorts", "male_casualsuit03"])
def test_every_colour_is_set(state, body, suit):
    outfit = with_choice(outfit_of(state, body), "suits", suit, PACKS, body)
    labels = colors(outfit, PACKS, body)
    assert {"Skin", "Hair colour", "Clothes 1"} <= set(labels)
    for label in labels:
        dyed = with_color(outfit, label, "#123456", PACKS)
        assert colors(dyed, PACKS, body) == labels | {label: "#123456"}


def test_another_body_in_an_opened_scene_stands_where_it_stood(state, body):
    opened = opened_scene(draw(state, body).scene, GenerateConfig())
    sampled = draw(with_shape(opened, 0, {"height": 0.0}), body)
    assert sampled.people[0].lowest == pytest.approx(draw(opened, body).people[0].lowest, abs=1e-5)
    assert height_of(sampled.people[0]) < height_of(draw(opened, body).people[0])


def test_an_option_keeps_the_people_of_an_opened_scene(state, body):
    scene = draw(state, body).scene
    opened = opened_scene(Scene.from_json(scene.to_json()), GenerateConfig())
    after = draw(with_option(opened, "environment", "backgrounds", "plain"), body).scene.people[0]
    assert (after.outfit, after.shape) == (scene.people[0].outfit, scene.people[0].shape)


def test_a_dataset_like_it_has_people_of_the_age_and_gender(state, body, tmp_path):
    changed = with_shape(state, 0, {"age": 0.4, "gender": 0.05})
    scene = draw(changed, body).scene
    config = options_like(changed, scene, Likeness(), tmp_path / "pose.json", 10)
    assert (config.people.ages, config.people.gender) == (("children",), ("male",))
    plain = options_like(state, scene, Likeness(), tmp_path / "pose.json", 10)
    assert plain.people == state.config.people
