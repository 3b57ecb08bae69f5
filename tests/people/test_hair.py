"""Long hair falls towards the ground."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.assets.packs import CORE
from repogen.bodies.rotations import vectors_to_matrices
from repogen.bodies.surface import layer_vertices
from repogen.people.hair import hang, widen_strips
from repogen.people.outfit import WornGarment
from repogen.people.posing import pose_person
from repogen.scenes import SceneConfig, sample_scene

LONG = ("long01", "ponytail01", "Braid01")


def posed_with(body, name, orientation):
    """A standing person with this hair, the whole body turned; the hair."""
    config = SceneConfig(wardrobe="painted", backgrounds="plain", pose="stand")
    (person,) = sample_scene(config, 0, 0, body).people
    outfit = replace(person.outfit, hair="shaved", worn=(WornGarment(CORE, "hair", name, ()),))
    posed = pose_person(body, replace(person, outfit=outfit, orientation=orientation))
    return posed, posed.garments[0]


def strand(count=41):
    """A head of hair 20 cm wide with locks of 40 cm behind the nape; metres."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    scalp = [[0.1 * np.cos(a), 0.1 * np.sin(a), z] for a in angles for z in (1.6, 1.65, 1.7)]
    locks = [[x, 0.1, z] for x in (-0.05, 0, 0.05) for z in np.linspace(1.6, 1.1, count)]
    return np.array(scalp + locks), len(scalp)


def fallen(tilt_deg, lowest=-9.0):
    """The hair of `strand` on a head turned about x, and where it would be stiff."""
    rest, scalp = strand()
    (rotation,) = vectors_to_matrices(np.radians([[tilt_deg, 0.0, 0.0]]))
    stiff = rest @ rotation.T
    return hang(rest, stiff, rotation, np.zeros(3), lowest), stiff, rotation, scalp


@pytest.mark.parametrize("tilt", [0.0, 20.0, -20.0, -80.0])
def test_hair_of_a_head_that_is_upright_or_on_its_back_stays_as_it_is(tilt):
    found, stiff, *_ = fallen(tilt)
    assert (found == stiff).all()


@pytest.mark.parametrize("tilt", [90.0, 130.0, 180.0])
def test_the_ends_of_hair_are_straight_below_where_they_leave_the_head(tilt):
    found, stiff, rotation, scalp = fallen(tilt)
    assert found[:scalp] == pytest.approx(stiff[:scalp], abs=1e-6)
    lock = found[scalp : scalp + 41]
    step = lock[-1] - lock[-10]
    assert step[2] < 0
    assert abs(step[2]) > 0.95 * np.linalg.norm(step)
    assert lock[-1, 2] < lock[5, 2] - 0.2
    own = found @ rotation
    assert np.hypot(own[:, 0], own[:, 1]).min() > 0.099, "no lock goes through head or neck"


def test_hair_hangs_little_below_everything_else():
    free = fallen(180.0)[0][:, 2].min()
    lowest = free + 0.3
    found = fallen(180.0, lowest)[0][:, 2].min()
    assert lowest - 0.12 < found < lowest - 0.05


@pytest.mark.parametrize("name", LONG)
def test_long_hair_of_the_core_pack_hangs_below_a_head_that_is_upside_down(body, name):
    posed, hair = posed_with(body, name, (0.0, 0.0, 0.0))
    eyes = posed.body.keypoints[1:3, 2].mean()
    assert hair.vertices[:, 2].min() < eyes - 0.15
    posed, hair = posed_with(body, name, (180.0, 0.0, 0.0))
    eyes = posed.body.keypoints[1:3, 2].mean()
    rigid = hair.rest[:, 2].max() - hair.rest[:, 2]
    ends = hair.vertices[rigid > 0.9 * rigid.max()]
    assert ends[:, 2].max() < eyes
    assert np.isfinite(hair.vertices).all()


def test_short_hair_does_not_move(body):
    _, upright = posed_with(body, "short02", (0.0, 0.0, 0.0))
    _, inverted = posed_with(body, "short02", (180.0, 0.0, 0.0))
    turned = inverted.vertices * [1, -1, -1]
    assert turned == pytest.approx(upright.vertices, abs=1e-4)


def test_strips_of_long_hair_grow_to_both_sides_and_nothing_else_moves(body):
    at = body.pose({}, {}, {}).vertices
    wider = widen_strips(body.surface, at)
    hair = np.zeros(len(at), dtype=bool)
    hair[layer_vertices(body.surface, "hair")] = True
    assert (wider[~hair] == at[~hair]).all()
    faces = body.surface.faces[body.surface.faces_of("hair")]

    def area(points):
        a, b, c = points[faces].swapaxes(0, 1)
        return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()

    assert 1.3 < area(wider) / area(at) < 1.6
    way = np.linalg.norm(wider - at, axis=1)
    assert 0.002 < np.median(way[hair]) < 0.01
