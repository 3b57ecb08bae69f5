"""A person on a bed, below a blanket."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.assets.packs import CORE
from repogen.colors import from_hex
from repogen.environment.blanket import COLUMNS, OVERHANG, ROWS, drape
from repogen.environment.occluders import occluder_vertices
from repogen.errors import UserError
from repogen.labels.annotation import annotate
from repogen.people.config import PeopleConfig
from repogen.people.posing import pose_person
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.sample.bed import sample_bed

OPTIONS = {"ground": "bed", "orientation": "lying", "pose_variance": 0.3, "image_size": 96,
           "backgrounds": "plain", "elevation": (60, 90)}  # fmt: skip
SIZE = (2.0, 1.8, 0.02)


def lying(points):
    return drape(SIZE, np.array(points, float)).reshape(ROWS + 1, COLUMNS + 1, 3)


def test_an_empty_blanket_is_flat_on_the_mattress_and_hangs_down_beside_it():
    cloth = lying(np.zeros((0, 3)))
    beside = np.abs(cloth[..., 0]) > SIZE[0] / 2 - OVERHANG + 0.1
    below = cloth[..., 1] < OVERHANG - SIZE[1] / 2 - 0.1
    middle = cloth[10:40, COLUMNS // 2 - 10 : COLUMNS // 2 + 10, 2]
    assert np.median(middle) == pytest.approx(SIZE[2], abs=5e-3)
    assert middle.min() > SIZE[2] - 1e-3
    assert 0.005 < np.ptp(middle) < 0.08  # creases
    assert beside.any()
    assert below.any()
    assert (cloth[beside | below][:, 2] < -0.1).all()


def test_a_blanket_lies_above_what_it_covers():
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.5, -0.5, 0), (0.5, 0.5, 0.4), (500, 3))
    cloth = lying(points)
    for x, y, z in points:
        near = np.hypot(cloth[..., 0] - x, cloth[..., 1] - y) < 0.02
        assert cloth[near][:, 2].min() > z
    assert cloth[..., 2].max() < 0.4 + 2 * SIZE[2] + 0.06


def test_a_limb_below_a_blanket_is_no_row_of_ribs():
    """Points of a limb are farther apart than the blanket's vertices."""
    along = np.arange(-0.4, 0.4, 0.06)
    limb = np.column_stack([0 * along, along, 0 * along + 0.15])
    cloth = lying(limb)
    ridge = cloth[:, COLUMNS // 2][np.abs(cloth[:, COLUMNS // 2, 1]) < 0.35][:, 2]
    empty = lying(np.zeros((0, 3)))[:, COLUMNS // 2][np.abs(cloth[:, COLUMNS // 2, 1]) < 0.35][:, 2]
    assert np.ptp(ridge - empty) < 1e-3


def test_no_blanket_is_a_tent_on_a_leg_that_points_up(body):
    (person,) = sample_scene(SceneConfig(**OPTIONS), 5, 0, body).people
    angles, on_back = {"left_hip": (-90.0, 0.0, 0.0)}, (-90.0, 0.0, 0.0)
    posed = pose_person(body, replace(person, angles=angles, orientation=on_back))
    heights = []
    for seed in range(12):
        mattress, *_, last = sample_bed(np.random.default_rng(seed), posed)
        if last.shape == "blanket":
            cloth = occluder_vertices(last, posed.outer_points)
            heights.append(cloth[:, 2].max() - mattress.position[2] - mattress.size[2] / 2)
    assert posed.outer_points[:, 2].max() - posed.lowest > 0.8
    assert heights
    assert max(heights) < 0.7


@pytest.mark.parametrize("size", [SIZE, (1.73, 1.61, 0.01), (2.37, 2.29, 0.04)])
def test_the_edges_of_the_mattress_are_below_the_blanket(size):
    """Between vertices too, where the cloth bends down."""
    cloth = drape(size, np.zeros((0, 3))).reshape(ROWS + 1, COLUMNS + 1, 3)
    side, foot = size[0] / 2 - OVERHANG, OVERHANG - size[1] / 2
    middle = cloth[ROWS // 2]
    assert min(np.interp([-side, side], middle[:, 0], middle[:, 2])) > 0
    column = cloth[::-1, COLUMNS // 2]
    assert np.interp(foot, column[:, 1], column[:, 2]) > 0


def scenes(body, **options):
    return [sample_scene(SceneConfig(**OPTIONS | options), 5, i, body) for i in range(12)]


def test_the_person_lies_on_the_mattress_at_the_pillow(body):
    found = scenes(body)
    for scene in found:
        posed = pose_person(body, scene.people[0])
        mattress, pillow, *_ = scene.occluders
        top = mattress.position[2] + mattress.size[2] / 2
        assert 0 < top - posed.lowest < 0.05
        own = (posed.body.keypoints[:17] - mattress.position) @ np.array(mattress.rotation)
        trunk = own[[5, 6, 11, 12]].mean(axis=0)
        assert (np.abs(trunk[:2]) < np.array(mattress.size[:2]) / 2).all()
        head = np.array(pillow.position) - posed.body.keypoints[0]
        assert np.hypot(*head[:2]) < 0.8
    for blanket in (one for scene in found for one in scene.occluders if one.shape == "blanket"):
        colors = np.array([from_hex(blanket.fabric.color), from_hex(blanket.fabric.accent)])
        assert np.ptp(colors, axis=1).max() < 0.32
    counts = [sum(one.shape == "blanket" for one in scene.occluders) for scene in found]
    assert 3 < sum(counts) < 12


def test_the_blanket_hides_legs_and_the_labels_say_so(body, renderer):
    covered = next(s for s in scenes(body) if s.occluders[-1].shape == "blanket")
    bare = replace(covered, occluders=covered.occluders[:-1])
    visible = []
    for scene in (bare, covered):
        (annotation,) = annotate(renderer.render(scene))
        flags = np.array(annotation["keypoints"]).reshape(17, 3)[:, 2]
        visible.append(flags == 2)
    before, after = visible
    assert not (after & ~before).any()
    assert before[13:].sum() > after[13:].sum()


@pytest.mark.parametrize("wardrobe", ["auto", "packs", "painted"])
def test_nobody_wears_shoes_hats_or_coats_in_bed(body, wardrobe):
    worn = set()
    for scene in scenes(body, wardrobe=wardrobe, packs=(CORE,), gender=("male",)):
        (person,) = scene.people
        assert person.outfit.shoes == "bare"
        worn |= {item.name for item in person.outfit.worn if item.kind == "clothes"}
    allowed = {f"male_casualsuit0{number}" for number in (1, 2, 3, 4, 6)}
    assert worn <= allowed
    assert (len(worn) > 1) == (wardrobe != "painted")


def test_the_floor_is_below_the_bed(body):
    for scene in scenes(body, backgrounds="builtin"):
        mattress = scene.occluders[0]
        foot = mattress.position[2] - mattress.size[2] / 2
        assert scene.background.floor_z == pytest.approx(foot)


def test_no_light_comes_from_below_the_floor(body):
    on_bed = scenes(body, backgrounds="builtin")
    heights = [light.direction[2] for scene in on_bed for light in scene.lights]
    assert len(heights) == 5 * len(on_bed)
    assert min(heights) >= 0
    in_air = sample_scene(SceneConfig(backgrounds="builtin"), 5, 0, body)
    assert min(light.direction[2] for light in in_air.lights) < 0


def test_a_bed_holds_one_person():
    with pytest.raises(UserError, match="--ground bed holds one person"):
        PeopleConfig(ground="bed", people=(1, 2))
    with pytest.raises(UserError, match="--balance needs"):
        PeopleConfig(balance=True)
