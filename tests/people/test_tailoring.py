"""Sleeves and trouser legs of the packs' garments, shortened and rolled up."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.assets.packs import CORE
from repogen.people.garments import fitted_garment, pose_garments
from repogen.people.outfit import Style, WornGarment
from repogen.people.posing import pose_person
from repogen.people.styles import sample_style
from repogen.people.tailoring import tailored_garment
from repogen.people.tucking import bind
from repogen.scenes import SceneConfig, sample_scene

LONG = ("male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit05",
        "male_elegantsuit01")  # fmt: skip
ROLLED = Style(sleeve=0.42, sleeve_cuff=0.04, leg=-0.6, leg_cuff=0.05)


def suit(body, name, style):
    return tailored_garment(body, WornGarment(CORE, "clothes", name, (), style))


def unrolled(fitted):
    """Vertices on the T-pose without the rolled hems' thickness, metres."""
    return fitted.alteration.mix(fitted.alteration.original.surface.canonical)


def stretches(rest, posed, faces):
    """How much longer a pose makes each edge above 5 mm, as a factor."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    before, after = (
        np.linalg.norm(at[edges[:, 0]] - at[edges[:, 1]], axis=1) for at in (rest, posed)
    )
    return (after / before)[before > 0.005]


@pytest.mark.parametrize("name", LONG)
def test_sleeves_and_legs_end_where_the_style_says(body, name):
    for style in (ROLLED, replace(ROLLED, sleeve_cuff=0.0, leg_cuff=0.0)):
        at = unrolled(suit(body, name, style))
        for side in (-1, 1):
            assert (side * at[:, 0]).max() == pytest.approx(style.sleeve, abs=1e-4)
            leg = at[side * at[:, 0] > 0.05]
            assert leg[:, 2].min() == pytest.approx(style.leg, abs=1e-4)


def test_garments_whose_sleeves_and_legs_are_shorter_stay_as_they_are(body):
    style = Style(sleeve=0.6, sleeve_cuff=0.04)
    short = suit(body, "male_casualsuit04", style)
    assert short is fitted_garment(body, CORE, "clothes", "male_casualsuit04")
    assert suit(body, "male_casualsuit02", Style()).alteration is None


@pytest.mark.parametrize("name", LONG)
def test_poses_tear_rolled_up_suits_no_more_than_whole_ones(body, name):
    options = SceneConfig(wardrobe="painted", backgrounds="plain", pose_distribution="acrobatic")
    for index in range(3):
        (person,) = sample_scene(options, 0, index, body).people
        posed = body.pose(person.shape, {}, person.angles)
        most = []
        for style in (Style(), ROLLED):
            fitted = suit(body, name, style)
            ((rest, after),) = pose_garments(body, [fitted], posed)
            assert len(rest) == len(after) == len(fitted.surface.canonical)
            assert fitted.weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
            most.append(stretches(rest, after, fitted.surface.faces).max())
        assert most[1] < 1.3 * most[0]


def test_skin_past_the_hem_is_bare(body):
    rolled, whole = (
        suit(body, "male_casualsuit02", ROLLED),
        suit(body, "male_casualsuit02", Style()),
    )
    at = body.surface.canonical
    bare = (np.abs(at[:, 0]) > 0.42) | (at[:, 2] < -0.6)
    assert whole.covered[bare].any()
    assert not rolled.covered[bare].any()
    inside = (np.abs(at[:, 0]) < 0.34) & (at[:, 2] > -0.52)
    assert (rolled.hidden[inside] == whole.hidden[inside]).all()


def test_labels_of_a_rolled_hem_are_those_of_where_it_is(body):
    """A sleeve that ends above the elbow shows no wrist."""
    whole, rolled = (
        suit(body, "male_casualsuit02", style).surface
        for style in (Style(), Style(sleeve=0.34, sleeve_cuff=0.04))
    )
    for wrist in (9, 10):
        assert (whole.face_keypoints >> wrist & 1).any()
        assert not (rolled.face_keypoints >> wrist & 1).any()


def test_socks_are_bound_to_what_is_left_of_trousers(body):
    socks = fitted_garment(body, CORE, "clothes", "shoes01")
    long, short = (suit(body, "male_casualsuit02", style) for style in (Style(), ROLLED))
    ankle = suit(body, "male_casualsuit02", Style(leg=-0.8))
    assert not len(bind(socks, short).vertices)
    whole, left = bind(socks, long), bind(socks, ankle)
    assert 0 < len(left.vertices) < len(whole.vertices)
    own = socks.surface.canonical[left.vertices]
    on = np.einsum("nk,nki->ni", left.weights, ankle.surface.canonical[left.faces])
    assert np.linalg.norm(on - own, axis=1).max() < 0.061


def test_rolled_up_legs_do_not_hold_a_person_above_the_floor(body):
    scene = sample_scene(
        SceneConfig(wardrobe="painted", backgrounds="plain", pose="stand"), 0, 0, body
    )
    worn = WornGarment(CORE, "clothes", "male_casualsuit02", (), ROLLED)
    person = replace(scene.people[0], outfit=replace(scene.people[0].outfit, worn=(worn,)))
    (trousers,) = pose_person(body, person).garments
    ankles = pose_person(body, person).body.keypoints[15:17, 2]
    assert trousers.vertices[:, 2].min() > ankles.max() + 0.15


def test_styles_are_long_short_and_rolled_up():
    rng = np.random.default_rng(0)
    styles = [sample_style(rng, False, True) for _ in range(500)]
    assert 0.3 < np.mean([style.sleeve < 1 for style in styles]) < 0.5
    legs = np.array([style.leg for style in styles])
    assert 0.1 < ((legs > -0.5) & (legs < -0.25)).mean() < 0.25
    assert 0.1 < ((legs > -0.81) & (legs < -0.5)).mean() < 0.25
    assert any(style.leg_cuff for style in styles)
    assert all(style.leg < -1 for style in (sample_style(rng, True, False) for _ in range(100)))


def test_without_styles_everything_else_is_the_same(body):
    changed = 0
    options = {"wardrobe": "packs", "packs": (CORE,), "backgrounds": "plain"}
    for index in range(8):
        styled, plain = (
            sample_scene(SceneConfig(**options, styles=styles), 3, index, body)
            for styles in (True, False)
        )
        outfit, as_made = (scene.people[0].outfit for scene in (styled, plain))
        assert all(item.style == Style() for item in as_made.worn)
        bare = tuple(replace(item, style=Style()) for item in outfit.worn)
        if any(item.style.opening for item in outfit.worn):  # over a shirt
            outfit = replace(outfit, top="bare", sleeve=as_made.sleeve, waist=as_made.waist)
        assert replace(outfit, worn=bare) == as_made
        changed += outfit != as_made
    assert changed > 2


@pytest.mark.parametrize(
    ("kind", "name"),
    [("clothes", "male_casualsuit05"), ("clothes", "female_casualsuit02"), ("clothes", "shoes03"),
     ("clothes", "fedora"), ("hair", "long01")],
)  # fmt: skip
def test_no_style_makes_a_garment_that_cannot_be_posed(body, kind, name):
    rng = np.random.default_rng(0)
    for index in range(4):
        waist = (float(rng.uniform(-0.1, 0.2)), float(rng.uniform(-0.1, 0.2)))
        style = Style(
            sleeve=float(rng.uniform(0.2, 0.8)), sleeve_cuff=float(rng.choice([0.0, 0.03, 0.2])),
            leg=float(rng.uniform(-1.0, -0.1)), leg_cuff=float(rng.choice([0.0, 0.05, 0.2])),
            waist=waist if index % 2 else None, loose=0.05 * (index % 3), drop=0.2 * (index > 1),
        )  # fmt: skip
        fitted = tailored_garment(body, WornGarment(CORE, kind, name, (), style))
        ((rest, posed),) = pose_garments(body, [fitted], body.average)
        assert np.isfinite(rest).all()
        assert np.isfinite(posed).all()
        assert fitted.surface.faces.max() < len(posed) == len(fitted.bones)
        assert len(fitted.regions) == len(fitted.surface.faces)
        assert fitted.weights.sum(axis=1) == pytest.approx(1, abs=1e-4)
        assert fitted.hanging is None or len(fitted.hanging.reach) == len(posed)
