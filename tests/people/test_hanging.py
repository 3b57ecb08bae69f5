"""Skirts and loose hems fall with gravity."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.assets.packs import CORE
from repogen.bodies.rotations import vectors_to_matrices
from repogen.people.covering import ensure_covered
from repogen.people.garments import fitted_garment, mixed_bones, pose_garments
from repogen.people.hanging import Hanging, hang
from repogen.people.outfit import Style, WornGarment
from repogen.people.posing import pose_person
from repogen.people.tailoring import tailored_garment
from repogen.scenes import SceneConfig, sample_scene

LOOSE = Style(loose=0.03, drop=0.08)
HANGING = (("female_elegantsuit01", Style()), ("female_casualsuit01", LOOSE),
           ("male_elegantsuit01", LOOSE))  # fmt: skip


def hung(body, name, style, orientation, clearance=0.0):
    """The suit on a standing person turned by `orientation` as it hangs, as it is skinned, and how
    it may move."""
    config = SceneConfig(wardrobe="painted", backgrounds="plain", pose="stand")
    (person,) = sample_scene(config, 0, 0, body).people
    worn = WornGarment(CORE, "clothes", name, (), style)
    outfit = replace(person.outfit, hair="shaved", worn=(worn,))
    posed = pose_person(body, replace(person, outfit=outfit, orientation=orientation), clearance)
    garment = posed.garments[0]
    return (
        garment.vertices,
        pose_garments(body, [garment.fitted], posed.body)[0][1],
        garment.fitted.hanging,
    )


@pytest.mark.parametrize(("name", "style"), HANGING)
def test_people_who_stand_have_their_clothes_as_skinned(body, name, style):
    found, skinned, hanging = hung(body, name, style, (0.0, 0.0, 0.0))
    way = np.linalg.norm(found - skinned, axis=1)
    assert way.max() < 0.02
    assert not way[(hanging.reach == 0) & (hanging.lift == 0)].any()


@pytest.mark.parametrize(("name", "style"), HANGING)
@pytest.mark.parametrize("orientation", [(180.0, 0.0, 0.0), (120.0, 0.0, 0.0), (0.0, 0.0, 90.0)])
def test_free_hems_fall(body, name, style, orientation):
    found, skinned, hanging = hung(body, name, style, orientation)
    way = found - skinned
    free = hanging.reach > 0.8 * hanging.reach.max()
    assert way[free, 2].mean() < -0.01
    assert way[free, 2].min() < -0.03
    assert way[free, 2].max() < 0.02
    most = hanging.reach + hanging.lift + hanging.gap
    assert (np.linalg.norm(way, axis=1) <= most + 1e-4).all()


@pytest.mark.parametrize(("name", "style"), HANGING)
def test_upside_down_a_hem_opens_all_around(body, name, style):
    found, skinned, hanging = hung(body, name, style, (180.0, 0.0, 0.0))
    free = hanging.reach > 0.9 * hanging.reach.max()
    width = [np.ptp(at[free], axis=0)[:2] for at in (skinned, found)]
    assert (width[1] > width[0] + 0.03).all()


def test_nothing_is_moved_below_the_lowest_point_of_the_body():
    """Who lies on a floor has cloth beside them, not under it."""
    at = np.array([[0.0, -0.2, -0.2], [0.1, -0.1, -0.2], [0.0, 0.2, -0.2]])
    outward = at * [1, 1, 0] / np.hypot(at[:, 0], at[:, 1])[:, None]
    free = Hanging(outward, np.full(3, 0.1), np.zeros(3), np.zeros(3))
    (prone,) = vectors_to_matrices(np.radians([[90.0, 0.0, 0.0]]))
    bones, weights = np.zeros((3, 1), dtype=int), np.ones((3, 1))
    before = at @ prone.T
    for lowest in (-9.0, -0.25, -0.05):
        found = hang(before, free, bones, weights, prone[None], lowest)
        floor = np.minimum(before[:, 2], lowest)
        assert (found[:, 2] >= floor - 1e-6).all()
        assert found[0, 2] == pytest.approx(max(floor[0], before[0, 2] - 0.1))


def test_cloth_moves_along_its_own_distance_from_the_body_only(body):
    fitted = tailored_garment(body, WornGarment(CORE, "clothes", "female_casualsuit01", (), LOOSE))
    hanging, rng = fitted.hanging, np.random.default_rng(0)
    at = fitted.surface.canonical
    bones, weights = fitted.bones, fitted.weights
    for _ in range(10):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        turn *= np.linalg.det(turn)
        rotations = np.broadcast_to(turn, (bones.max() + 1, 3, 3))
        way = (hang(at @ turn.T, hanging, bones, weights, rotations, -9.0) - at @ turn.T) @ turn
        out = (way * hanging.outward).sum(axis=1)
        assert (out >= -hanging.gap - 1e-6).all()
        assert (out <= hanging.reach + 1e-6).all()
        assert (way[:, 2] >= -1e-6).all(), "never towards the feet"


def test_skirts_are_found_and_trousers_are_not(body):
    found = {
        name: fitted_garment(body, CORE, "clothes", name).hanging is not None
        for name in ("female_elegantsuit01", "female_casualsuit01", "female_casualsuit02",
                     "male_casualsuit01", "male_casualsuit04", "male_elegantsuit01", "shoes01")
    }  # fmt: skip
    assert [name for name, skirt in found.items() if skirt] == ["female_elegantsuit01"]


def test_under_a_skirt_are_thighs_and_briefs(body):
    skirt = fitted_garment(body, CORE, "clothes", "female_elegantsuit01")
    thighs = (body.surface.canonical[:, 2] < -0.1) & skirt.covered
    assert thighs.sum() > 100
    assert not skirt.hidden[thighs].any()
    config = SceneConfig(wardrobe="painted", backgrounds="plain")
    painted = sample_scene(config, 0, 0, body).people[0].outfit
    bare = replace(painted, top="bare", waist=9.0, bottom="shorts", hem=9.0)
    worn = (WornGarment(CORE, "clothes", "female_elegantsuit01", ()),)
    dressed = ensure_covered(body, replace(bare, worn=worn), painted)
    assert (dressed.bottom, dressed.top) == ("shorts", "bare")
    assert -0.2 < dressed.hem < 0


def test_a_skirt_is_not_torn_where_the_legs_are_spread(body):
    skirt = fitted_garment(body, CORE, "clothes", "female_elegantsuit01")
    posed = body.pose({}, {}, {"left_hip": (-80.0, 0.0, 20.0)})
    ((rest, vertices),) = pose_garments(body, [skirt], posed)
    edges = skirt.surface.faces[:, :2]
    edges = edges[(skirt.hanging.reach > 0)[edges].all(axis=1)]

    def lengths(points):
        return np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)

    assert (lengths(vertices) / lengths(rest)).max() < 4


def test_a_skirt_on_a_leg_moves_with_that_leg(body):
    """Else the leg would pierce it."""
    skirt = fitted_garment(body, CORE, "clothes", "female_elegantsuit01")
    bones, weights = mixed_bones(
        *body.skinning, skirt.garment.refs, np.maximum(skirt.garment.weights, 0)
    )
    at = skirt.surface.canonical
    outer = (np.abs(at[:, 0]) > 0.1) & (skirt.hanging.reach > 0)
    between = (np.abs(at[:, 0]) < 0.02) & (skirt.hanging.reach > 0)
    assert outer.any()
    assert np.allclose(skirt.weights[outer], weights[outer], atol=1e-6)
    assert not np.allclose(skirt.weights[between], weights[between], atol=0.05)
    assert (skirt.bones[outer][:, 0] == bones[outer][:, 0]).all()
