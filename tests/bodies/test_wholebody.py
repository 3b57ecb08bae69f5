"""COCO-WholeBody's points on anny: names, sides, and where on the body they sit."""

import numpy as np
import pytest

from repogen.assets import Garment
from repogen.bodies.protocol import LAYERS, PosedBody
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.bodies.wholebody import (
    GROUPS,
    KEYPOINT_SETS,
    MORE_KEYPOINTS,
    mirrored_point,
    more_keypoints,
)
from repogen.people.garments import fit_garment
from repogen.poses.sampling import sample_hands

FINGERS = ("thumb", "index", "middle", "ring", "little")
ADULT = {"age": 2 / 3}
BODIES = {
    "adult": ADULT,
    "child": {"age": 1 / 3},
    "heavy": ADULT | {"weight": 1.0, "gender": 0.1},
    "old": {"age": 1.0, "gender": 0.9, "weight": 0.2},
}


def at(body, shape=ADULT, face=None, angles=None):
    """Points of a posed body by name, COCO's 17 among them."""
    posed = body.pose(shape, face or {}, angles or {})
    return dict(zip(MORE_KEYPOINTS, more_keypoints(posed), strict=True)) | dict(
        zip(COCO_KEYPOINTS, posed.keypoints, strict=True)
    )


def skin_of(body):
    return body.surface.faces[body.surface.faces_of("skin")]


def winding(points, corners):
    """How often the surface goes round each point (Van Oosterom and Strackee 1983)."""
    out = []
    for point in points:
        a, b, c = (corners - point).swapaxes(0, 1)
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        volume = np.einsum("fi,fi->f", a, np.cross(b, c))
        ab, bc, ca = (np.einsum("fi,fi->f", p, q) for p, q in ((a, b), (b, c), (c, a)))
        angle = 2 * np.arctan2(volume, la * lb * lc + ab * lc + bc * la + ca * lb)
        out.append(angle.sum() / (4 * np.pi))
    return np.array(out)


def test_with_cocos_17_they_are_133_in_cocos_order():
    assert [len(names) for names in GROUPS.values()] == [6, 68, 21, 21]
    assert list(GROUPS) == ["foot", "face", "lefthand", "righthand"]
    assert KEYPOINT_SETS["feet"] == ("foot",)
    assert len(set(COCO_KEYPOINTS + MORE_KEYPOINTS)) == 133
    assert GROUPS["foot"][:3] == ("left_big_toe", "left_small_toe", "left_heel")
    assert GROUPS["righthand"][0] == "right_palm"
    assert GROUPS["righthand"][4::4] == tuple(f"right_{finger}4" for finger in FINGERS)


def test_mirroring_names_is_its_own_inverse():
    swapped = [mirrored_point(name) for name in MORE_KEYPOINTS]
    assert sorted(swapped) == sorted(MORE_KEYPOINTS)
    assert [mirrored_point(name) for name in swapped] == list(MORE_KEYPOINTS)
    assert sum(a == b for a, b in zip(swapped, MORE_KEYPOINTS, strict=True)) == 10


@pytest.mark.parametrize("kind", BODIES)
def test_left_and_right_are_mirror_images(body, kind):
    points = at(body, BODIES[kind])
    for name in MORE_KEYPOINTS:
        other = points[mirrored_point(name)] * [-1, 1, 1]
        assert np.linalg.norm(points[name] - other) < 2e-3, name


def test_points_go_where_the_body_goes(body):
    average = body.average
    still = more_keypoints(average)
    moved = PosedBody(average.vertices + np.float32([1, 2, 3]), average.keypoints)
    assert more_keypoints(moved) == pytest.approx(still + np.array([1, 2, 3]), abs=1e-5)


@pytest.mark.parametrize("kind", BODIES)
def test_finger_joints_lie_inside_the_fingers(body, kind):
    names = [f"left_{finger}{k}" for finger in FINGERS for k in (1, 2, 3)]
    rows = [MORE_KEYPOINTS.index(name) for name in names]
    for angles in ({}, sample_hands(np.random.default_rng(1))):
        posed = body.pose(BODIES[kind], {}, angles)
        points = more_keypoints(posed)[rows]
        corners = posed.vertices[skin_of(body)].astype(np.float64)
        hand = corners[:, 0, 0] > points[:, 0].min() - 0.1
        assert winding(points, corners[hand]).min() > 0.7


@pytest.mark.parametrize("kind", BODIES)
def test_toes_heels_face_and_fingertips_are_on_the_skin(body, kind):
    posed = body.pose(BODIES[kind], {}, {})
    skin = posed.vertices[np.unique(skin_of(body))]
    points = dict(zip(MORE_KEYPOINTS, more_keypoints(posed), strict=True))
    tips = tuple(f"{side}_{finger}4" for side in ("left", "right") for finger in FINGERS)
    for name in GROUPS["foot"] + GROUPS["face"] + tips:
        limit = 0.012 if name.endswith(("heel", "_8")) else 0.008  # coarse there
        assert np.linalg.norm(skin - points[name], axis=1).min() < limit, name


def test_phalanges_keep_their_length_and_fingers_close(body):
    """Bent about its knuckles a finger's joints stay as far apart; its tip nears the palm."""
    bent = {
        f"left_{finger}{k}": (0.0, 0.0, -70.0)
        for finger in ("index", "middle", "ring", "pinky")
        for k in (1, 2, 3)
    }
    straight, curled = at(body), at(body, angles=bent)
    for finger in FINGERS[1:]:
        for k in (1, 2, 3):
            a, b = f"left_{finger}{k}", f"left_{finger}{k + 1}"
            length = np.linalg.norm(straight[a] - straight[b])
            assert np.linalg.norm(curled[a] - curled[b]) == pytest.approx(length, abs=1e-4)
            assert 0.01 < length < 0.06
        tip, root = f"left_{finger}4", f"left_{finger}1"
        reach = np.linalg.norm(straight[tip] - straight[root])
        assert np.linalg.norm(curled[tip] - curled[root]) < 0.6 * reach
        assert curled[tip] @ [0, 0, 1] < straight[root] @ [0, 0, 1]  # the palm looks down
        assert (curled[f"right_{finger}4"] == straight[f"right_{finger}4"]).all()


@pytest.mark.parametrize("kind", BODIES)
def test_they_agree_with_cocos_17(body, kind):
    points = at(body, BODIES[kind])

    def face(*marks):
        return np.mean([points[f"face_{mark}"] for mark in marks], axis=0)

    for side, sign, eye, ear in (("left", 1, range(42, 48), 15), ("right", -1, range(36, 42), 1)):
        apart = np.linalg.norm((face(*eye) - points[f"{side}_eye"])[[0, 2]])
        assert apart < 0.006
        assert np.linalg.norm(face(ear) - points[f"{side}_ear"]) < 0.04
        assert np.linalg.norm(points[f"{side}_palm"] - points[f"{side}_wrist"]) < 0.03
        heel, big, small = (points[f"{side}_{p}"] for p in ("heel", "big_toe", "small_toe"))
        ankle = points[f"{side}_ankle"]
        assert big[1] < small[1] < ankle[1] < heel[1]
        assert max(big[2], small[2], heel[2]) < ankle[2]
        assert sign * (small[0] - big[0]) > 0.02
    assert np.linalg.norm(face(30) - points["nose"]) < 0.015


def test_the_face_is_in_ibugs_order(body):
    points = at(body)
    x, _, z = (np.array([points[f"face_{m}"] for m in range(68)])).T
    assert (np.diff(x[:17]) > 0).all()  # the subject's right comes first
    assert z[:17].argmin() == 8
    assert (np.diff(x[17:27]) > 0).all()
    assert (np.diff(z[27:31]) < 0).all()
    assert (np.diff(x[31:36]) > 0).all()
    for corner in (36, 42):
        up, low = z[[corner + 1, corner + 2]], z[[corner + 4, corner + 5]]
        assert up.min() > z[[corner, corner + 3]].max() > low.max()
        assert x[corner] < x[corner + 1] < x[corner + 2] < x[corner + 3]
        assert x[corner + 3] > x[corner + 4] > x[corner + 5] > x[corner]
        assert min(z[17:27]) > up.max()
    assert (np.diff(x[48:55]) > 0).all()
    assert (np.diff(x[54:60]) < 0).all()
    assert z[49:54].min() > z[60:68].max()
    assert z[60:68].min() > z[55:60].max()


def test_lids_and_lips_move_with_the_face(body):
    still = at(body)
    blink, jaw = at(body, face={"eyeBlinkLeft": 1.0}), at(body, face={"jawOpen": 1.0})

    def gap(points, a, b):
        return points[f"face_{a}"][2] - points[f"face_{b}"][2]

    assert gap(blink, 43, 47) < 0.2 * gap(still, 43, 47)
    assert gap(blink, 37, 41) == pytest.approx(gap(still, 37, 41))
    assert abs(gap(still, 62, 66)) < 0.002
    assert gap(jaw, 62, 66) > 0.03
    assert gap(jaw, 33, 51) == pytest.approx(gap(still, 33, 51), abs=2e-3)


def bit(words, name):
    k = MORE_KEYPOINTS.index(name)
    return (words[:, k // 32] >> np.uint32(k % 32)) & 1 > 0


def test_every_point_has_skin_to_be_seen_by(body):
    surface = body.surface
    corners = surface.canonical[surface.faces].astype(np.float64)
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    on_skin = surface.faces_of("skin")
    for name in MORE_KEYPOINTS:
        own, other = (bit(surface.face_more, n) & on_skin for n in (name, mirrored_point(name)))
        assert area[own].sum() / 2 > 1e-4, name
        assert area[own].sum() == pytest.approx(area[other].sum(), rel=0.25), name


def test_a_finger_is_not_seen_by_its_neighbours_skin(body):
    points, surface = more_keypoints(body.average), body.surface
    centres = surface.canonical[surface.faces].mean(axis=1)
    for side in ("left", "right"):
        middles = {
            finger: np.mean(
                [points[MORE_KEYPOINTS.index(f"{side}_{finger}{k}")] for k in (2, 3, 4)], axis=0
            )
            for finger in FINGERS[1:]
        }
        for finger in FINGERS[1:]:
            near = centres[bit(surface.face_more, f"{side}_{finger}3")]
            away = [np.linalg.norm(near - m, axis=1) for m in middles.values()]
            nearest = np.array(list(middles))[np.argmin(away, axis=0)]
            assert (nearest == finger).mean() > 0.97


def test_painted_shoes_show_the_foot(body):
    surface = body.surface
    shoes = surface.face_layers == LAYERS.index("tights")
    for name in GROUPS["foot"]:
        assert (bit(surface.face_more, name) & shoes).any(), name


def test_a_shoe_shows_what_the_foot_under_it_would(body, tmp_path):
    surface = body.surface
    skin = skin_of(body)
    foot = (surface.canonical[:, 2] < -0.9) & (surface.canonical[:, 0] > 0)
    rows = np.flatnonzero(foot[skin].all(axis=1))
    used, faces = np.unique(skin[rows], return_inverse=True)
    count = len(used)
    shoe = Garment(
        kind="clothes", name="shoe", uuid="1", licence="ours",
        refs=np.repeat(used[:, None], 3, axis=1).astype(np.int32),
        weights=np.tile(np.float32([1, 0, 0]), (count, 1)),
        offsets=np.tile(np.float32([0.0, 0.0, 0.01]), (count, 1)),
        scale_refs=np.array([(3924, 10589), (1524, 4370), (1892, 3946)], dtype=np.int32),
        scale_lengths=np.zeros(3, dtype=np.float32),
        faces=faces.reshape(-1, 3).astype(np.int32),
        face_uv=np.zeros((len(rows), 3, 2), dtype=np.float32),
        hidden=np.zeros(0, dtype=np.int32), z_depth=50, tags=(), two_sided=True,
    )  # fmt: skip
    worn = fit_garment(body, shoe, tmp_path / "none.png").surface.face_more
    under = surface.face_more[surface.faces_of("skin")][rows]
    for name in GROUPS["foot"][:3]:
        assert bit(worn, name).any()
        assert (bit(worn, name) == bit(under, name)).mean() > 0.97
    assert not bit(worn, "right_heel").any()
