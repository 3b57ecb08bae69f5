"""People on a floor: contact and balance."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from repogen.assets.packs import CORE
from repogen.bodies.surface import layer_vertices
from repogen.environment.panoramas import Panorama
from repogen.errors import UserError
from repogen.people.balance import (
    CARRIED,
    LOW_TRUNK,
    RAISED_FOOT,
    centre_of_mass,
    foot_height,
    overhang,
    settle,
    trunk_height,
)
from repogen.people.posing import pose_person
from repogen.scenes import SceneConfig, sample_scene

ABOVE = {"image_size": 64, "ground": "floor", "elevation": (20, 60)}
BOX = np.array([(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)], float)


def scene_of(body, index=0, **options):
    return sample_scene(SceneConfig(**ABOVE | options), 8, index, body)


def lowest_points(posed):
    """All that can touch a floor: the posed skin and every garment but hair, with no layer of
    painted hair or skirt."""
    skin = posed.body.vertices[layer_vertices(posed.surface, "skin")]
    worn = zip(posed.person.outfit.worn, posed.garments, strict=True)
    return np.concatenate([skin, *(g.vertices for item, g in worn if item.kind != "hair")])


@pytest.mark.parametrize("backgrounds", ["auto", "builtin"])
@pytest.mark.parametrize("pose", ["stand", "handstand", "headstand", "lying-side", "bridge", None])
def test_whoever_is_on_a_floor_touches_it(body, pose, backgrounds):
    """The floor is the background's; shoes and clothes of packs count, hair does not."""
    packs = (CORE,) if backgrounds == "auto" else ()
    options = {"pose": pose, "people": (2, 2), "spread": 3.0, "packs": packs}
    if pose is None:
        options["orientation"] = "any"
    for index in range(2):
        scene = scene_of(body, index, backgrounds=backgrounds, **options)
        assert isinstance(scene.background, Panorama) == (backgrounds == "auto")
        for person in scene.people:
            posed = pose_person(body, person)
            heights = lowest_points(posed)[:, 2] - scene.background.floor_z
            assert abs(heights.min()) < 0.01
            assert posed.lowest == pytest.approx(scene.background.floor_z, abs=1e-5)


def test_hair_does_not_carry_a_headstand(body):
    for index in range(40):
        scene = scene_of(body, index, pose="headstand", packs=(), backgrounds="builtin")
        posed = pose_person(body, scene.people[0])
        if scene.people[0].outfit.hair == "long":
            break
    else:
        raise AssertionError("nobody has long hair")
    skin = posed.body.vertices[layer_vertices(posed.surface, "skin"), 2]
    assert skin.min() == pytest.approx(scene.background.floor_z, abs=1e-5)


def test_the_centre_of_mass_is_that_of_the_volume():
    faces = ConvexHull(BOX).simplices
    outwards = np.cross(BOX[faces[:, 1]] - BOX[faces[:, 0]], BOX[faces[:, 2]] - BOX[faces[:, 0]])
    inwards = np.einsum("fi,fi->f", outwards, BOX[faces[:, 0]] - BOX.mean(axis=0)) < 0
    faces[inwards] = faces[inwards][:, ::-1]
    centre = centre_of_mass(BOX, faces, np.ones(len(faces), bool))
    assert centre == pytest.approx([0.5, 1, 1.5])


@pytest.mark.parametrize(
    ("centre", "expected"),
    [((0.5, 1, 1), (0, 0)), ((1.2, 1, 1), (0.2, 0)), ((0.5, -3, 1), (0, -3))],
)
def test_an_overhang_points_from_the_support_to_the_centre(centre, expected):
    assert overhang(BOX, np.array(centre)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("tilt", "rests"), [(0, True), (10, True), (-10, True), (40, False)])
def test_a_board_on_its_edge_falls_flat(tilt, rests):
    x, y = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-0.2, 0.2, 5))
    board = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    tilted = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    turned, over = settle(board, np.zeros(3), tilted)
    assert (over <= CARRIED) == rests
    assert (np.ptp(board @ turned[2]) < 0.04) == rests
    assert (turned == tilted).all() == (tilt in (0, 40))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"orientation": "any"},
        {"orientation": "lying"},
        {"pose": "handstand"},
        {"pose": "bridge"},
    ],
    ids=str,
)
def test_balanced_people_have_their_weight_over_what_touches_the_floor(body, options):
    options = {"packs": (), "backgrounds": "builtin"} | options
    before, after = [], []
    for index in range(3):
        for found, balance in ((before, False), (after, True)):
            person = scene_of(body, index, balance=balance, **options).people[0]
            posed = pose_person(body, person)
            skin = posed.surface.faces_of("skin")
            centre = centre_of_mass(posed.body.vertices, posed.surface.faces, skin)
            points = posed.body.vertices[layer_vertices(posed.surface, "skin")]
            found.append(np.linalg.norm(overhang(points, centre)))
    assert max(after) < CARRIED + 0.001
    assert max(before) > max(after)


def heights_of(body, height, **options):
    """Measure trunk_height or foot_height of six people who lie, with and without balance."""
    options = {"packs": (), "backgrounds": "builtin", "orientation": "lying"} | options
    out = {}
    for balance in (False, True):
        people = [scene_of(body, i, balance=balance, **options).people[0] for i in range(6)]
        out[balance] = [
            height(body.surface, body.pose(person.shape, {}, person.angles), person.orientation)
            for person in people
        ]
    return out


@pytest.mark.parametrize("ground", ["floor", "bed"])
def test_whoever_lies_with_balance_is_not_propped_up_on_a_limb(body, ground):
    heights = heights_of(body, trunk_height, ground=ground)
    assert max(heights[True]) <= LOW_TRUNK
    assert max(heights[False]) > LOW_TRUNK


def test_in_bed_most_feet_lie_down(body):
    """Without the rule their median is 0.46 m."""
    heights = heights_of(body, foot_height, ground="bed", pose_variance=0.3)
    assert np.median(heights[True]) <= RAISED_FOOT
    assert max(heights[False]) > RAISED_FOOT


def test_the_trunk_of_who_stands_is_not_judged(body):
    shape = body.sample_shape(np.random.default_rng(0), ("adults",), ("male",))
    posed = body.pose(shape, {}, {})
    assert trunk_height(body.surface, posed, (0.0, 0.0, 0.0)) == 0.0
    assert trunk_height(body.surface, posed, (-90.0, 0.0, 0.0)) < 0.1


def test_a_pose_that_nothing_carries_stays_as_it_is(body):
    scenes = [scene_of(body, pose="sit", packs=(), balance=on) for on in (False, True)]
    assert scenes[0].people == scenes[1].people


def test_balance_needs_a_floor():
    with pytest.raises(UserError, match="--balance needs --ground floor"):
        SceneConfig(balance=True)


def test_a_bed_is_within_walls(body):
    for index in range(6):
        scene = scene_of(
            body, index, packs=(), backgrounds="builtin", ground="bed", orientation="lying"
        )
        walls = np.array(scene.background.half_size)
        assert (walls > np.abs(scene.occluders[0].position[:2]).max()).all()
