"""Random and named poses, random hands."""

import numpy as np
import pytest
from scipy.stats import kstest

from repogen.bodies.anny_data import unpack_names
from repogen.bodies.skeleton import BODY_JOINTS, COCO_KEYPOINTS, HAND_JOINTS
from repogen.errors import UserError
from repogen.poses import DISTRIBUTIONS, default_bounds, named_pose, sample_body_pose
from repogen.poses.sampling import sample_hands, sample_variance

BOUNDS = default_bounds()
DROP = {"left_shoulder": (0, 0, -70), "right_shoulder": (0, 0, 70)}
NUMBERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}


def table(angles):
    """Angles as drawn, (21, 3): the 70 degrees put back on the shoulders."""
    return np.array([np.subtract(angles[j], DROP.get(j, (0, 0, 0))) for j in BODY_JOINTS])


def draw(variance, seed=0, name="uniform"):
    return sample_body_pose(np.random.default_rng(seed), BOUNDS, DISTRIBUTIONS[name], variance)


@pytest.mark.parametrize("variance", [0.5, 1.0, 2.0])
def test_uniform_poses_fill_the_bounds_times_the_variance(variance):
    poses = np.stack([table(draw(variance, seed)) for seed in range(300)])
    limits = variance * np.stack([BOUNDS[joint] for joint in BODY_JOINTS])
    low, high = limits[..., 0], limits[..., 1]
    assert (poses >= low - 1e-9).all()
    assert (poses <= high + 1e-9).all()
    assert poses.min(axis=0) == pytest.approx(low, abs=0.05 * variance * 150)
    assert poses.max(axis=0) == pytest.approx(high, abs=0.05 * variance * 150)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_variance_multiplies_every_angle(name):
    assert table(draw(0.5, name=name)) == pytest.approx(0.5 * table(draw(1.0, name=name)))


def test_a_random_variance_is_the_inverse_of_a_uniform_simplicity():
    rng = np.random.default_rng(0)
    simplicity = [1 / sample_variance(rng) for _ in range(2000)]
    assert kstest(simplicity, "uniform", (1.0, 0.5)).pvalue > 1e-3


def test_zero_variance_gives_the_standing_pose():
    angles = draw(0.0)
    assert all(angles[joint] == DROP.get(joint, (0, 0, 0)) for joint in BODY_JOINTS)


def test_named_poses_have_their_angles():
    lows, highs = (np.stack([BOUNDS[j][:, side] for j in BODY_JOINTS]) for side in (0, 1))
    for name, limits in (("min", lows), ("max", highs)):  # the shoulders are not lowered
        angles = named_pose(name, BOUNDS).angles
        assert (np.array([angles[joint] for joint in BODY_JOINTS]) == limits).all()
    assert named_pose("stand", BOUNDS).angles == DROP
    assert named_pose("tpose", BOUNDS).angles == {}


def test_the_stretching_pose_raises_the_hands_above_the_head(body):
    at = dict(
        zip(
            COCO_KEYPOINTS,
            body.pose({}, {}, named_pose("stretch", BOUNDS).angles).keypoints,
            strict=True,
        )
    )
    assert min(at["left_wrist"][2], at["right_wrist"][2]) > at["nose"][2] + 0.2
    assert at["left_ankle"][0] > at["left_hip"][0] + 0.1
    assert at["right_ankle"][0] < at["right_hip"][0] - 0.1


def test_an_unknown_pose_is_a_user_error_that_lists_the_known_ones():
    with pytest.raises(UserError, match=r"'stnad'.*sit, stand"):
        named_pose("stnad", BOUNDS)


def hands(count=200):
    return [sample_hands(np.random.default_rng(seed)) for seed in range(count)]


def test_random_fingers_bend_within_their_range():
    for hand in hands():
        assert set(hand) == set(HAND_JOINTS)
        for joint, angles in hand.items():
            closing = angles[2] * (-1 if joint.startswith("left") else 1)
            assert -20 <= closing <= 95, joint
            assert abs(angles[0]) <= 45
            assert abs(angles[1]) <= 45


def test_fingers_of_a_hand_bend_alike():
    bends = np.array(
        [
            [abs(hand[f"left_{finger}2"][2]) for finger in ("index", "middle", "ring", "pinky")]
            for hand in hands()
        ]
    )
    assert np.median(np.ptp(bends, axis=1)) < 45
    assert bends.mean(axis=1).std() > 15  # while hands differ from one another


def bone_centres(body, pose, side):
    """Centres of the skin that each bone of a hand moves most, on the average adult, metres."""
    bones = unpack_names(body._data["bone_labels"])
    rows = np.arange(len(body._data["skin_bones"]))
    heaviest = body._data["skin_bones"][rows, body._data["skin_weights"].argmax(axis=1)]
    vertices = body.pose({"age": 2 / 3}, {}, pose).vertices
    names = {"wrist": "wrist"} | {
        f"{finger}{knuckle}": f"finger{number}-{knuckle}"
        for finger, number in NUMBERS.items()
        for knuckle in (1, 2, 3)
    }
    return {
        name: vertices[heaviest == bones.index(f"{bone}.{side[0].upper()}")].mean(axis=0)
        for name, bone in names.items()
    }


def palm_normal(at, side):
    """The unit normal out of the palm, from the positions of the knuckles."""
    along = at["middle1"] - at["wrist"]
    across = at["index1"] - at["pinky1"]
    normal = np.cross(along, across) * (1 if side == "left" else -1)
    return normal / np.linalg.norm(normal)


def fist(side):
    """The most closed hand of many."""
    return max(hands(), key=lambda hand: abs(hand[f"{side}_middle2"][2]))


@pytest.mark.parametrize("side", ["left", "right"])
def test_palms_face_down_in_tpose(body, side):
    at = bone_centres(body, {}, side)
    assert palm_normal(at, side)[2] < -0.7
    assert at["thumb3"][1] < at["middle1"][1] < at["pinky1"][1]  # thumbs in front


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_fist_closes_towards_the_palm(body, side):
    open_hand, closed = bone_centres(body, {}, side), bone_centres(body, fist(side), side)
    inwards = palm_normal(open_hand, side)
    for finger in ("index", "middle", "ring", "pinky"):
        move = closed[f"{finger}2"] - open_hand[f"{finger}2"]
        assert move @ inwards > 0.005
        tip = closed[f"{finger}3"] - closed[f"{finger}1"]
        assert tip @ inwards > -0.01  # not out of the back of the hand


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_fist_brings_the_thumb_to_the_fingers(body, side):
    at = [bone_centres(body, pose, side) for pose in ({}, fist(side))]
    gaps = [np.linalg.norm(hand["thumb3"] - hand["middle1"]) for hand in at]
    assert gaps[1] < 0.9 * gaps[0]


@pytest.mark.parametrize("side", ["left", "right"])
def test_fingers_spread_in_their_order_across_the_hand(side):
    """The sideways angles of the first knuckles are monotonic from index to little finger."""
    for hand in hands(30):
        fan = [hand[f"{side}_{finger}1"][1] for finger in ("index", "middle", "ring", "pinky")]
        steps = np.diff(fan)
        assert (steps >= 0).all() or (steps <= 0).all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_hands_open_wider_more_often_than_fingers_cross(body, side):
    def width(pose):
        at = bone_centres(body, pose, side)
        return np.linalg.norm(at["index3"] - at["pinky3"])

    fans = [
        {joint: (0, turn[1], 0) for joint, turn in hand.items() if "thumb" not in joint}
        for hand in hands(30)
    ]
    assert np.mean([width(fan) > width({}) for fan in fans]) > 0.5
