"""Keypoint neighbourhoods, body parts and ambient occlusion of the surface."""

import numpy as np
import pytest

from repogen.bodies.protocol import LAYERS, PARTS
from repogen.bodies.skeleton import COCO_KEYPOINTS, mirrored
from repogen.bodies.surface import NEIGHBOURHOOD_CM2, ambient_occlusion, vertex_normals


@pytest.fixture(scope="module")
def skin(body):
    """Skin faces of the T-pose: corners' mean, area in cm², part and keypoint bits."""
    surface = body.surface
    mask = surface.faces_of("skin")
    corners = surface.canonical[surface.faces[mask]].astype(float)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return {
        "centres": corners.mean(axis=1),
        "areas": 0.5e4 * np.linalg.norm(cross, axis=1),
        "parts": surface.face_parts[mask],
        "bits": surface.face_keypoints[mask],
    }


def neighbourhood(skin, name):
    return (skin["bits"] >> np.uint32(COCO_KEYPOINTS.index(name))) & 1 == 1


@pytest.mark.parametrize("name", COCO_KEYPOINTS)
def test_a_neighbourhood_is_the_nearest_skin_of_the_given_area(body, skin, name):
    near = neighbourhood(skin, name)
    area = skin["areas"][near].sum()
    assert area == pytest.approx(NEIGHBOURHOOD_CM2[name.split("_")[-1]], rel=0.02)
    assert area == pytest.approx(
        skin["areas"][neighbourhood(skin, mirrored(name))].sum(), rel=0.005
    )
    joint = body.pose({"age": 2 / 3}, {}, {}).keypoints[COCO_KEYPOINTS.index(name)]
    distance = np.linalg.norm(skin["centres"] - joint, axis=1)
    assert distance[near].max() <= distance[~near].min()
    # A patch around a limb reaches less far than a flat disc of its area.
    assert distance[near].max() < np.sqrt(area * 1e-4 / np.pi)


def test_left_and_right_neighbourhoods_share_no_face(skin):
    for name in (name for name in COCO_KEYPOINTS if name.startswith("left_")):
        assert not (neighbourhood(skin, name) & neighbourhood(skin, mirrored(name))).any()


def test_eyeballs_make_their_eye_keypoint_visible(body):
    surface = body.surface
    eyes = surface.faces_of("eyes")
    x = surface.canonical[surface.faces[eyes]].mean(axis=1)[:, 0]
    left, right = (1 << COCO_KEYPOINTS.index(f"{side}_eye") for side in ("left", "right"))
    assert (surface.face_keypoints[eyes] == np.where(x > 0, left, right)).all()


def test_every_skin_face_has_a_part(skin):
    assert set(skin["parts"]) == set(range(1, len(PARTS)))


@pytest.mark.parametrize("part", [p for p in PARTS if p.startswith("left_")])
def test_left_parts_lie_on_the_left_and_mirror_the_right_ones(skin, part):
    left, right = skin["parts"] == PARTS.index(part), skin["parts"] == PARTS.index(mirrored(part))
    assert (skin["centres"][left, 0] > 0).all()
    assert (skin["centres"][right, 0] < 0).all()
    assert skin["areas"][left].sum() == pytest.approx(skin["areas"][right].sum(), rel=0.005)


def test_body_parts_are_between_their_joints(body, skin):
    def middle(part):
        return skin["centres"][skin["parts"] == PARTS.index(part)].mean(axis=0)

    joints = dict(
        zip(COCO_KEYPOINTS, body.pose({"age": 2 / 3}, {}, {}).keypoints, strict=True)
    )  # fmt: skip
    assert middle("head")[2] > joints["left_shoulder"][2] > middle("torso")[2] > 0
    arm = [middle(f"left_{p}")[0] for p in ("upper_arm", "lower_arm", "hand")]
    stops = [joints[f"left_{j}"][0] for j in ("shoulder", "elbow", "wrist")]
    assert stops[0] < arm[0] < stops[1] < arm[1] < stops[2] < arm[2]
    leg = [middle(f"left_{p}")[2] for p in ("upper_leg", "lower_leg", "foot")]
    stops = [joints[f"left_{j}"][2] for j in ("hip", "knee", "ankle")]
    assert stops[0] > leg[0] > stops[1] > leg[1] > stops[2] > leg[2]


def test_the_skin_has_the_area_of_an_adults(skin):
    assert 1.6e4 < skin["areas"].sum() < 2.1e4


def test_ambient_occlusion_is_high_on_the_crown_and_low_between_the_legs(body):
    surface = body.surface
    skin = np.unique(surface.faces[surface.faces_of("skin")])
    at, share = surface.canonical[skin], surface.occlusion[skin]
    assert 0 <= surface.occlusion.min() <= surface.occlusion.max() <= 1
    crown = share[at[:, 2] > at[:, 2].max() - 0.05].mean()
    crotch = share[(np.abs(at[:, 0]) < 0.03) & (at[:, 2] < 0) & (at[:, 2] > -0.2)].min()
    assert crown > 0.9
    assert crotch < 0.5


def test_ambient_occlusion_beside_a_wall_is_a_half():
    """A floor in z = 0 that ends at a wall in x = 0 higher and wider than rays reach."""
    floor = np.array([[0, -1, 0], [1, -1, 0], [1, 1, 0], [0, 1, 0]], float)
    wall = np.array([[0, -1, 0], [0, 1, 0], [0, 1, 1], [0, -1, 1]], float)
    specks = np.array([[x, 0, 0] for x in (0.001, 0.1, 0.2, 0.5)])
    vertices = np.concatenate([floor, wall, *(specks[:, None] + 1e-4 * floor[[0, 1, 3]])])
    faces = np.array(
        [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]] + [[i, i + 1, i + 2] for i in (8, 11, 14, 17)]
    )
    share = ambient_occlusion(vertices, faces, np.array([0] * 4 + [1] * 4, np.uint8))[
        [8, 11, 14, 17]
    ]
    assert share[0] == pytest.approx(0.5, abs=0.06)
    assert (np.diff(share) >= 0).all()
    assert share[2] < 1 == pytest.approx(share[3])


def test_lips_lie_between_nose_and_chin(body):
    lips = body.surface.canonical[body.surface.lips[: len(body.surface.canonical)] > 0.5]
    nose = body.pose({"age": 2 / 3}, {}, {}).keypoints[0]
    assert len(lips) > 50
    assert (np.abs(lips[:, 0]) < 0.035).all()
    assert (lips[:, 2] < nose[2] - 0.02).all()
    assert (lips[:, 2] > nose[2] - 0.07).all()


def test_every_layer_has_faces_and_the_mask_of_two_is_their_union(body):
    masks = [body.surface.faces_of(layer) for layer in LAYERS[:5]]  # the rest are not a body's
    assert all(mask.any() for mask in masks)
    assert (sum(mask.astype(int) for mask in masks) == 1).all()
    assert (body.surface.faces_of("skin", "hair") == masks[0] | masks[4]).all()


def test_vertex_normals_of_a_cube_point_away_from_its_centre():
    from scipy.spatial import ConvexHull

    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    hull = ConvexHull(corners)
    faces = hull.simplices.copy()
    inward = np.einsum(
        "fi,fi->f",
        np.cross(
            corners[faces[:, 1]] - corners[faces[:, 0]], corners[faces[:, 2]] - corners[faces[:, 0]]
        ),
        hull.equations[:, :3],
    )
    faces[inward < 0] = faces[inward < 0][:, ::-1]
    normals = vertex_normals(np.vstack([corners, [[9, 9, 9]]]), faces)
    assert np.linalg.norm(normals[:8], axis=1) == pytest.approx(np.ones(8))
    assert ((normals[:8] * corners) > 0.2).all()
    assert (normals[8] == 0).all()  # no face touches it
