"""Self-intersection: none in natural poses, the geometric share in others."""

import numpy as np
import pytest

from repogen.bodies.intersection import intersecting_share
from repogen.bodies.protocol import PARTS, PosedBody, Surface
from repogen.bodies.skeleton import mirrored
from repogen.poses import DISTRIBUTIONS, default_bounds, named_pose, sample_body_pose

ADULT = {"age": 2 / 3}


def share(body, angles, shape=ADULT):
    return intersecting_share(body.surface, body.pose(shape, {}, angles))


@pytest.mark.parametrize("name", ["tpose", "stand", "sit", "stretch"])
def test_named_poses_do_not_intersect(body, name):
    angles = named_pose(name, default_bounds()).angles
    for ages in (("adults",), ("children",)):
        shape = body.sample_shape(np.random.default_rng(1), ages)
        assert share(body, angles, shape) < 0.003


@pytest.mark.parametrize(
    "angles",
    [
        {"left_shoulder": (0, 0, -45), "right_shoulder": (0, 0, 45)},
        {"left_elbow": (0, -150, 0), "right_elbow": (0, 150, 0)},
        {"left_knee": (150, 0, 0), "right_knee": (150, 0, 0)},
        {"left_hip": (-110, 0, 0), "right_hip": (-110, 0, 0)},
        {"left_wrist": (0, 0, -80), "left_ankle": (50, 0, 0)},
        {"neck": (25, 0, 0), "head": (20, 0, 0)},
        {"spine1": (25, 0, 0), "spine2": (25, 0, 0), "spine3": (20, 0, 0)},
    ],
)
def test_folds_of_bent_joints_are_not_counted(body, angles):
    assert share(body, angles) < 0.003


@pytest.mark.parametrize(
    ("joint", "turns"),
    [
        ("left_shoulder", [(0, 0, z) for z in (-70, -90, -100, -110)]),  # arm into the flank
        ("right_shoulder", [(0, 0, z) for z in (70, 90, 100, 110)]),
        ("left_hip", [(0, 0, z) for z in (0, -22, -25, -30)]),  # leg into the other leg
        ("right_hip", [(0, 0, z) for z in (0, 22, 25, 30)]),
        ("left_hip", [(x, 0, 0) for x in (-90, -130, -150, -170)]),  # thigh into the belly
    ],
)
def test_the_share_grows_with_the_depth_of_the_intersection(body, joint, turns):
    shares = [share(body, {joint: turn}) for turn in turns]
    assert shares[0] < 0.003
    assert (np.diff(shares) > 0).all(), shares
    assert shares[-1] > 0.02


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_forearm_through_the_trunk_counts_hand_and_part_of_the_forearm(body, side):
    """The left arm hangs and the forearm points across, through the trunk."""
    sign = 1 if side == "left" else -1
    angles = {f"{side}_shoulder": (0, 0, -60 * sign), f"{side}_elbow": (0, 0, -90 * sign)}
    skin = body.surface.faces_of("skin")
    corners = body.surface.canonical[body.surface.faces[skin]]
    areas = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    arm = [PARTS.index(f"{side}_{part}") for part in ("hand", "lower_arm")]
    hand, forearm = (
        areas[body.surface.face_parts[skin] == part].sum() / areas.sum() for part in arm
    )
    assert hand < share(body, angles) < hand + forearm


@pytest.mark.parametrize("seed", range(2))
def test_mirrored_poses_have_the_same_share(body, seed):
    rng = np.random.default_rng(seed)
    angles = sample_body_pose(rng, default_bounds(), DISTRIBUTIONS["uniform"], 1.7)
    other = {mirrored(joint): (x, -y, -z) for joint, (x, y, z) in angles.items()}
    assert share(body, angles) > 0
    assert share(body, other) == pytest.approx(share(body, angles), abs=2e-3)


def test_the_share_does_not_depend_on_position_and_heading(body):
    angles = {"left_hip": (0, 0, -35)}
    posed = body.pose(ADULT, {}, angles)
    turn = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
    moved = PosedBody(
        (posed.vertices @ turn + [3.0, -2.0, 1.0]).astype(np.float32), posed.keypoints
    )
    there = intersecting_share(body.surface, moved)
    assert there == pytest.approx(share(body, angles), abs=1e-3)


def test_only_the_skin_layer_is_counted(body):
    posed = body.pose(ADULT, {}, {})
    skin = np.unique(body.surface.faces[body.surface.faces_of("skin")])
    elsewhere = np.zeros_like(posed.vertices)
    elsewhere[skin] = posed.vertices[skin]
    assert intersecting_share(body.surface, PosedBody(elsewhere, posed.keypoints)) == 0


def rods(overlap):
    """Two square rods along x, 0.4 m long: a thick one, the trunk, ends at x = 0; a thin one, a
    forearm, begins `overlap` before that. Unposed they are half a metre apart.
    """
    u, v = (
        axis.ravel() for axis in np.meshgrid(np.arange(41) / 40, np.arange(4) / 4, indexing="ij")
    )
    rings = np.stack([u, v], axis=1)
    faces = []
    for i in range(40):
        for k in range(4):
            a, b = 4 * i + k, 4 * i + (k + 1) % 4
            faces += [(a, b, a + 4), (b, b + 4, a + 4)]
    faces += [(0, 2, 1), (0, 3, 2), (160, 161, 162), (160, 162, 163)]
    angle = 2 * np.pi * (rings[:, 1] + 1 / 8)

    def rod(start, radius):
        return np.stack(
            [start + 0.4 * rings[:, 0], radius * np.cos(angle), radius * np.sin(angle)], axis=1
        )

    vertices = np.concatenate([rod(-0.4, 0.08), rod(-overlap, 0.04)]).astype(np.float32)
    canonical = np.concatenate([rod(-0.4, 0.08), rod(0.5, 0.04)]).astype(np.float32)
    one = np.array(faces)
    parts = [PARTS.index("torso")] * len(one) + [PARTS.index("left_lower_arm")] * len(one)
    return vertices, _surface(np.concatenate([one, one + 164]), parts, canonical)


def _surface(faces, parts, canonical):
    return Surface(
        faces=faces.astype(np.int32),
        face_layers=np.zeros(len(faces), dtype=np.uint8),
        face_parts=np.array(parts, dtype=np.uint8),
        face_keypoints=np.zeros(len(faces), dtype=np.uint32),
        canonical=canonical,
        occlusion=np.ones(len(canonical), dtype=np.float32),
        lips=np.zeros(len(canonical), dtype=np.float32),
        uv=np.zeros((1, 2), dtype=np.float32),
        face_uv=np.zeros_like(faces, dtype=np.int32),
    )


@pytest.mark.parametrize("overlap", [-0.1, 0.1, 0.2, 0.3])
def test_the_share_of_two_overlapping_rods_equals_its_formula(overlap):
    """Inside are the thin rod's end, a part of its sides, and the thick rod's lid, since the
    centres of both of the lid's faces lie inside the thin rod."""
    vertices, surface = rods(overlap)

    def sides_and_lid(radius):
        return 4 * 0.4 * radius * np.sqrt(2), 2 * radius**2

    (thin, end), (thick, lid) = sides_and_lid(0.04), sides_and_lid(0.08)
    inside = (thin * overlap / 0.4 + end + lid if overlap > 0 else 0.0) / (
        thin + thick + 2 * (end + lid)
    )
    got = intersecting_share(surface, PosedBody(vertices, np.zeros((17, 3))))
    assert got == pytest.approx(inside, abs=0.008)


@pytest.mark.parametrize(("depth", "low", "high"), [(0.008, 0.0, 0.0), (0.02, 0.1, 0.3)])
def test_shallow_contact_is_not_counted(depth, low, high):
    """A thin rod beside a thick one, sunk into its side by `depth`."""
    vertices, surface = rods(0.35)
    vertices[164:, 2] += (0.08 + 0.04) / np.sqrt(2) - depth
    assert low <= intersecting_share(surface, PosedBody(vertices, np.zeros((17, 3)))) <= high
