"""SmplBody on generated files: the official keys, shapes and plausible numbers.

The licensed files are not available to this project; no test uses one.
"""

import shutil
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from scipy.stats import kstest

from repogen.bodies import load_body
from repogen.bodies.anny import BONE_OF_JOINT
from repogen.bodies.anny_data import load_anny_data, unpack_names
from repogen.bodies.protocol import PARTS
from repogen.bodies.skeleton import COCO_KEYPOINTS, JOINTS, mirrored
from repogen.bodies.smpl import SmplBody
from repogen.bodies.smpl_files import FAMILIES, find_model_files, read_model
from repogen.errors import UserError
from repogen.poses import DISTRIBUTIONS, default_bounds, named_pose, sample_body_pose
from repogen.poses.sampling import sample_hands
from repogen.rendering.renderer import Renderer
from repogen.scenes import SceneConfig, sample_scene

BODY_PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]
LIMBS = [("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")]


def parents_of(joints):
    """The published trees: 22 body joints, then what hangs on head and wrists."""
    parents = BODY_PARENTS.copy()
    for index in range(22, len(joints)):
        name = joints[index]
        if name in ("jaw", "left_eye", "right_eye"):
            parents.append(15)
        elif name[-1] in "23":
            parents.append(index - 1)
        else:
            parents.append(20 if name.startswith("left") else 21)
    return np.array(parents)


def thinned(vertices, faces, count):
    """The mesh with its shortest edges collapsed until it has `count` vertices; also which
    vertices were kept."""
    kept = np.unique(faces)
    while True:
        faces = np.searchsorted(kept, faces) if len(kept) <= faces.max() else faces
        if len(kept) == count:
            return kept, faces
        edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
        at = vertices[kept]
        lengths = np.linalg.norm(at[edges[:, 0]] - at[edges[:, 1]], axis=1)
        target, free = np.arange(len(kept)), np.ones(len(kept), bool)
        left = len(kept) - count
        for a, b in edges[np.argsort(lengths, kind="stable")]:
            if left and free[a] and free[b]:
                free[[a, b]] = False
                target[b] = a
                left -= 1
        faces = target[faces]
        faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
        survivors = np.unique(target)
        kept, faces = kept[survivors], np.searchsorted(survivors, faces)


def joint_of_bones(data, joints):
    """The joint that each of anny's bones moves with: its own, or the nearest above it."""
    own = BONE_OF_JOINT | {"pelvis": "root"}
    own |= {f"{s}_eye": f"eye.{s[0].upper()}" for s in ("left", "right")}
    joint_of = {bone: joint for joint, bone in own.items() if joint in joints}
    bones = unpack_names(data["bone_labels"])
    out = []
    for bone, parent in zip(bones, data["parents"], strict=True):
        side = {"L": "left", "R": "right"}.get(bone[-1])
        if bone.startswith("toe"):
            out.append(joints.index(f"{side}_foot"))
        elif f"{side}_hand" in joints and bone.startswith("finger"):
            out.append(joints.index(f"{side}_hand"))
        elif bone in joint_of:
            out.append(joints.index(joint_of[bone]))
        else:
            out.append(out[parent] if parent >= 0 else 0)
    return np.array(out)


def generated(body, family):
    """The arrays of a model file, made from anny's average adult in T-pose."""
    rng, data, surface = np.random.default_rng(0), load_anny_data(), body.surface
    layers = ("skin", "eyes") if family.name == "smplx" else ("skin",)
    kept, faces = thinned(
        surface.canonical.astype(float), surface.faces[surface.faces_of(*layers)], family.vertices
    )
    # The vertices that stand for nose, eyes and ears go where the model has them.
    keypoints = body.pose({"age": 2 / 3}, {}, {}).keypoints
    order = np.arange(family.vertices)
    for k, vertex in enumerate(family.face_points):
        away = np.linalg.norm(surface.canonical[kept[order]] - keypoints[k], axis=1)
        nearest = int(away.argmin())
        order[[vertex, nearest]] = order[[nearest, vertex]]
    kept, faces = kept[order], np.argsort(order)[faces]
    x, y, z = surface.canonical[kept].T.astype(float)
    template = np.stack([x + 0.001, z - 0.35, 0.02 - y], axis=1)

    joint_of, joints = joint_of_bones(data, family.joints), family.joints
    weights = np.zeros((family.vertices, len(joints)))
    for bones, share in zip(data["skin_bones"][kept].T, data["skin_weights"][kept].T, strict=True):
        np.add.at(weights, (np.arange(len(kept)), joint_of[bones]), share)
    weights /= weights.sum(axis=1, keepdims=True)
    nose = template[family.face_points[0]]
    if "jaw" in joints:  # anny has none
        chin = np.maximum(1 - ((template - nose + [0, 0.07, 0]) ** 2).sum(axis=1) / 0.05**2, 0)
        jaw, head = joints.index("jaw"), joints.index("head")
        weights[:, jaw] = chin * weights[:, head]
        weights[:, head] *= 1 - chin
    parents = parents_of(joints)
    regressor = np.zeros((len(joints), family.vertices))
    for j, parent in enumerate(parents):
        border = weights[:, j] * weights[:, max(parent, 0)]
        border = border if border.sum() > 0 else weights[:, j]
        few = np.argsort(-border, kind="stable")[:60]
        regressor[j, few] = border[few] / border[few].sum()

    shapes = [0.04 * template, 0.05 * template * [1, 0, 1]]
    for _ in range(8):
        waves = np.sin(template @ rng.normal(0, 3, (3, 3)) + rng.uniform(0, 6, 3))
        shapes.append(0.004 * waves)
    mouth = np.maximum(1 - ((template - nose) ** 2).sum(axis=1) / 0.1**2, 0)[:, None]
    shapes += [0.003 * mouth * rng.normal(0, 1, 3) for _ in range(family.expressions)]
    pose_shapes = np.zeros((family.vertices, 3, 9 * (len(joints) - 1)), np.float32)
    for j, at in enumerate((regressor @ template)[1:]):
        near = np.maximum(1 - ((template - at) ** 2).sum(axis=1) / 0.1**2, 0)
        pose_shapes[..., 9 * j : 9 * j + 9] = near[:, None, None] * rng.normal(0, 0.008, (3, 9))
    arrays = {
        "v_template": template,
        "shapedirs": np.stack(shapes, axis=-1),
        "posedirs": pose_shapes,
        "J_regressor": regressor,
        "weights": weights,
        "kintree_table": np.stack([parents, np.arange(len(joints))]).astype(np.uint32),
        "f": faces.astype(np.uint32),
    }
    if family.name == "smplx":
        arrays |= {"vt": rng.random((11313, 2)), "ft": rng.integers(0, 11313, faces.shape)}
    return arrays


@pytest.fixture(scope="module")
def folder(body, tmp_path_factory):
    """What a user has: SMPL-X of three genders, SMPL-H of two, a neutral SMPL."""
    out = tmp_path_factory.mktemp("models")
    files = {
        "smplx": {"SMPLX_NEUTRAL": 1.0, "SMPLX_MALE": 1.1, "SMPLX_FEMALE": 0.9},
        "smplh": {"male/model": 1.1, "female/model": 0.9},
        "smpl": {"SMPL_NEUTRAL": 1.0},
    }
    for name, girths in files.items():
        arrays = generated(body, FAMILIES[name])
        template = arrays["v_template"]
        for file, girth in girths.items():
            path = out / name / f"{file}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, **(arrays | {"v_template": template * [girth, 1.0, girth]}))
    return out


@pytest.fixture(scope="module")
def load(folder):
    return lru_cache(lambda name: SmplBody(name, folder))


@pytest.fixture(scope="module", params=FAMILIES)
def smpl(request, load):
    return load(request.param)


@pytest.fixture(scope="module")
def smplx(load):
    return load("smplx")


def default_file(folder, smpl):
    """The file of the gender that `smpl` poses by default."""
    files = find_model_files(folder, FAMILIES[smpl.name])
    return files.get("neutral", files.get("male"))


def random_angles(seed):
    rng = np.random.default_rng(seed)
    angles = sample_body_pose(rng, default_bounds(), DISTRIBUTIONS["uniform"], 1.0)
    return angles | sample_hands(rng)


def keypoints(body, angles, shape=None):
    return dict(zip(COCO_KEYPOINTS, body.pose(shape or {}, {}, angles).keypoints, strict=True))


def to_world(points):
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)


def posed_by_the_book(arrays, joints, coefficients, angles):
    """Vertices and joints as the papers define them, one 4x4 matrix after another."""
    shaped = arrays["v_template"] + arrays["shapedirs"] @ coefficients
    at = arrays["J_regressor"] @ shaped
    turns = [Rotation.from_rotvec(np.radians(angles.get(j, (0, 0, 0)))).as_matrix() for j in joints]
    feature = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
    shaped = shaped + arrays["posedirs"].astype(float) @ feature
    chain = []
    for j, parent in enumerate(parents_of(joints)):
        local = np.eye(4)
        local[:3, :3] = turns[j]
        local[:3, 3] = at[j] - (at[parent] if parent >= 0 else 0)
        chain.append(local if parent < 0 else chain[parent] @ local)
    out, posed_at = np.zeros_like(shaped), np.array([g[:3, 3] for g in chain])
    for j, g in enumerate(chain):
        moved = (shaped - at[j]) @ g[:3, :3].T + g[:3, 3]
        out += arrays["weights"][:, j : j + 1] * moved
    middle = posed_at[[1, 2]].mean(axis=0)
    return to_world(out - middle), to_world(posed_at - middle)


def test_vertices_and_joints_equal_the_papers_definition(folder, smpl):
    family = FAMILIES[smpl.name]
    arrays = dict(np.load(default_file(folder, smpl)))
    rng = np.random.default_rng(1)
    for seed in range(2):
        angles = random_angles(seed)
        betas, faces = rng.normal(0, 1, 10), rng.normal(0, 1, family.expressions)
        expected, joints = posed_by_the_book(
            arrays, family.joints, np.concatenate([betas, faces]), angles
        )
        posed = smpl.pose(
            {f"beta{i}": beta for i, beta in enumerate(betas)},
            dict(zip(smpl.face_labels, faces, strict=True)),
            angles,
        )
        assert np.abs(posed.vertices[: family.vertices] - expected).max() < 2e-4
        face = posed.vertices[list(family.face_points)]
        limbs = joints[[family.joints.index(name) for name in COCO_KEYPOINTS[5:]]]
        assert posed.keypoints[:5] == pytest.approx(face, abs=1e-6)
        assert posed.keypoints[5:] == pytest.approx(limbs, abs=1e-6)


def test_tpose_keypoints_are_the_regressed_joints(folder, smpl):
    model = read_model(default_file(folder, smpl), FAMILIES[smpl.name])
    at = to_world(model.regressor @ model.template)
    at -= at[[1, 2]].mean(axis=0)
    points = keypoints(smpl, {})
    for name in COCO_KEYPOINTS[5:]:
        index = FAMILIES[smpl.name].joints.index(name)
        assert points[name] == pytest.approx(at[index], abs=1e-9)


def test_an_elbow_rotates_only_forearm_and_hand_rigidly(folder, smpl):
    joints = FAMILIES[smpl.name].joints
    model = read_model(default_file(folder, smpl), FAMILIES[smpl.name])
    parents = parents_of(joints)
    turned = {joints.index("left_elbow")}
    for j in range(len(joints)):
        turned |= {j} if parents[j] in turned else set()
    share = model.weights[:, sorted(turned)].sum(axis=1)
    still, bent = (
        replace(posed, vertices=posed.vertices[: len(share)])
        for posed in (smpl.pose({}, {}, angles) for angles in ({}, {"left_elbow": (0, -80, 0)}))
    )
    elbow = still.keypoints[COCO_KEYPOINTS.index("left_elbow")]
    # The pose's own offsets reach 10 cm about the joint.
    far = np.linalg.norm(still.vertices - elbow, axis=1) > 0.12
    turn = Rotation.from_rotvec(np.radians([0, 0, -80])).as_matrix()  # y of the body is z up
    expected = (still.vertices - elbow) @ turn.T + elbow
    hand, rest = far & (share > 1 - 1e-6), far & (share == 0)
    assert min(hand.sum(), rest.sum()) > 200
    assert np.abs(bent.vertices - expected)[hand].max() < 1e-5
    assert np.abs(bent.vertices - still.vertices)[rest].max() < 1e-6
    assert np.linalg.norm(bent.vertices - still.vertices, axis=1)[hand].min() > 0.1
    wrist = COCO_KEYPOINTS.index("left_wrist")
    assert bent.keypoints[wrist] == pytest.approx((still.keypoints[wrist] - elbow) @ turn.T + elbow)
    others = [k for k in range(17) if k != wrist]
    assert bent.keypoints[others] == pytest.approx(still.keypoints[others], abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_angles_point_the_limbs_as_annys_do(body, smplx, seed):
    """The same rotations send the limbs of both bodies the same way."""
    angles = random_angles(seed)
    ours, annys = keypoints(smplx, angles), keypoints(body, angles)
    for near, far in LIMBS:
        for side in ("left", "right"):
            a, b = (at[f"{side}_{far}"] - at[f"{side}_{near}"] for at in (ours, annys))
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            assert np.degrees(np.arccos(cosine)) < 15


def test_the_sitting_pose_bends_hips_and_knees(smpl):
    at = keypoints(smpl, named_pose("sit", default_bounds()).angles)
    for side in ("left", "right"):
        hip, knee, ankle = (at[f"{side}_{j}"] for j in ("hip", "knee", "ankle"))
        assert abs(knee[2] - hip[2]) < 0.1
        assert knee[1] < hip[1] - 0.25
        assert ankle[2] < knee[2] - 0.25


def test_the_mid_hip_is_the_origin(smpl):
    for seed in range(3):
        shape = smpl.sample_shape(np.random.default_rng(seed), ("adults",))
        posed = smpl.pose(shape, {}, random_angles(seed))
        assert posed.keypoints[11:13].mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)


def test_every_joint_of_the_model_rotates_and_others_do_not(smpl):
    still = smpl.pose({}, {}, {}).vertices
    for joint in JOINTS:
        moves = np.abs(smpl.pose({}, {}, {joint: (20, 20, 20)}).vertices - still).max() > 1e-3
        assert moves == (joint in FAMILIES[smpl.name].joints)


def test_posing_is_deterministic(smpl):
    shape = smpl.sample_shape(np.random.default_rng(3), ("adults",))
    first = smpl.pose(shape, {}, random_angles(3))
    smpl.pose({}, {}, {})
    again = smpl.pose(shape, {}, random_angles(3))
    assert first.vertices.tobytes() == again.vertices.tobytes()
    assert first.keypoints.tobytes() == again.keypoints.tobytes()


def test_an_expression_moves_only_the_face(smplx):
    step = smplx.pose({}, {"expression3": 2.0}, {}).vertices - smplx.pose({}, {}, {}).vertices
    size = np.linalg.norm(step, axis=1)
    assert size.max() > 1e-3
    assert size[smplx.surface.canonical[:, 2] < 0.5].max() == 0


def test_expressions_are_normal_with_both_signs(smplx):
    rng = np.random.default_rng(0)
    faces = [smplx.sample_face(rng) for _ in range(200)]
    assert all(set(face) == set(smplx.face_labels) for face in faces)
    values = np.array([list(face.values()) for face in faces]).ravel()
    assert kstest(values, "norm").pvalue > 1e-3
    smplx.pose({}, faces[0], {})


def test_sampled_genders_are_those_with_a_file(folder, tmp_path, load, smplx):
    def genders(body):
        rng = np.random.default_rng(0)
        people = [body.sample_shape(rng, ("adults",)) for _ in range(300)]
        assert all(set(person) == set(body.shape_labels) for person in people)
        betas = np.array([[person[f"beta{i}"] for i in range(10)] for person in people])
        assert np.abs(betas).max() <= 3
        assert betas.std() == pytest.approx(1, abs=0.05)
        values, counts = np.unique([person["gender"] for person in people], return_counts=True)
        return dict(zip(values.tolist(), counts / 300, strict=True))

    third = pytest.approx(1 / 3, abs=0.08)
    assert genders(smplx) == {0.0: third, 0.5: third, 1.0: third}
    assert set(genders(load("smplh"))) == {0.0, 1.0}
    shutil.copy(folder / "smplx" / "SMPLX_FEMALE.npz", tmp_path)
    women = SmplBody("smplx", tmp_path)
    assert genders(women) == {1.0: 1.0}
    with pytest.raises(UserError, match=r"--gender male neutral: the files of SMPL-X are female"):
        women.sample_shape(np.random.default_rng(0), ("adults",), ("male", "neutral"))
    chosen = smplx.sample_shape(np.random.default_rng(0), ("adults",), ("male",))
    assert chosen["gender"] == 0.0
    assert (women.pose({}, {}, {}).vertices == smplx.pose({"gender": 1.0}, {}, {}).vertices).all()
    with pytest.raises(UserError, match=r"gender 0: .* holds SMPL-X female only"):
        women.pose({"gender": 0.0}, {}, {})


def test_the_gender_label_selects_the_file(smplx):
    widths = [np.ptp(smplx.pose({"gender": g}, {}, {}).vertices[:, 0]) for g in (1.0, 0.5, 0.0)]
    assert widths[1] / widths[0] == pytest.approx(1 / 0.9, rel=1e-3)
    assert widths[2] / widths[0] == pytest.approx(1.1 / 0.9, rel=1e-3)
    assert (smplx.pose({}, {}, {}).vertices == smplx.pose({"gender": 0.5}, {}, {}).vertices).all()


def test_files_with_different_meshes_are_a_user_error(folder, tmp_path):
    shutil.copy(folder / "smpl" / "SMPL_NEUTRAL.npz", tmp_path)
    arrays = dict(np.load(tmp_path / "SMPL_NEUTRAL.npz"))
    arrays["f"] = arrays["f"][:-1]
    np.savez(tmp_path / "SMPL_MALE.npz", **arrays)
    with pytest.raises(UserError, match="mesh or skeleton differs"):
        SmplBody("smpl", tmp_path)


def test_body_parts_are_at_anatomical_positions(smpl):
    surface = smpl.surface
    centres = surface.canonical[surface.faces].mean(axis=1)
    assert set(surface.face_parts) == set(range(1, len(PARTS)))
    middle = {p: centres[surface.face_parts == i].mean(axis=0) for i, p in enumerate(PARTS) if i}
    for part, at in middle.items():
        assert at[0] == pytest.approx(-middle[mirrored(part)][0], abs=0.02)
    assert min(at[0] for part, at in middle.items() if part.startswith("left")) > 0.05
    heights = [middle[p][2] for p in ("head", "torso", "left_upper_leg", "left_lower_leg")]
    assert heights == sorted(heights, reverse=True)
    reach = [middle[f"left_{p}"][0] for p in ("upper_arm", "lower_arm", "hand")]
    assert reach == sorted(reach)


def test_eye_faces_are_in_the_face_and_make_eye_keypoints_visible(smpl):
    surface = smpl.surface
    eyes = surface.faces_of("eyes")
    assert 4 < eyes.sum() < 0.05 * len(eyes)
    x, _, z = surface.canonical[surface.faces[eyes]].mean(axis=1).T
    assert (np.abs(np.abs(x) - 0.031) < 0.02).all()
    assert (np.abs(z - 0.748) < 0.025).all()
    bits = surface.face_keypoints[eyes]
    names = np.where(x > 0, "left_eye", "right_eye")
    assert (bits == [1 << COCO_KEYPOINTS.index(name) for name in names]).all()


def test_tights_cover_neck_to_wrists_and_toes_at_their_offset(smpl):
    surface = smpl.surface
    tights = surface.faces_of("tights")
    worn = np.unique(surface.faces[tights])
    own = FAMILIES[smpl.name].vertices
    assert (worn == np.arange(own, len(surface.canonical))).all()
    parts = {PARTS[part] for part in np.unique(surface.face_parts[tights])}
    assert parts == set(PARTS[1:]) - {"head", "left_hand", "right_hand"}
    for angles in ({}, random_angles(0)):
        vertices = smpl.pose({}, {}, angles).vertices
        gaps, _ = cKDTree(vertices[:own]).query(vertices[own:])
        assert np.quantile(gaps, [0.5, 0.99]) == pytest.approx([0.005, 0.005], abs=5e-4)


def test_a_dressed_body_is_fully_visible_from_the_front(smpl):
    """From the front, someone in shirt and trousers shows all of trunk, arms and legs."""
    config = SceneConfig(
        image_size=256,
        views=("front",),
        pose="tpose",
        azimuth=(0, 0),
        elevation=(0, 0),
        roll=(0, 0),
    )
    scene = sample_scene(config, seed=1, body=smpl)
    person = scene.people[0]
    outfit = replace(
        person.outfit, top="shirt", sleeve=0.65, waist=0.0, bottom="trousers", hem=-0.85,
        shoes="shoes",
    )  # fmt: skip
    scene = replace(scene, people=(replace(person, outfit=outfit),))
    surface = smpl.surface
    is_seen = np.zeros(len(surface.faces), bool)
    is_seen[Renderer(smpl).render(scene).gbuffer.seen_faces] = True
    corners = surface.canonical[surface.faces].astype(float)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    ahead, skin = cross[:, 1] < 0, surface.faces_of("skin")
    for part in ("torso", *(part for part in PARTS if part.endswith(("arm", "leg")))):
        mine = ahead & (surface.face_parts == PARTS.index(part))
        shown, expected = (-cross[mine & which, 1].sum() for which in (is_seen, skin))
        assert shown == pytest.approx(expected, rel=0.25)


@pytest.fixture
def blue_skin(tmp_path):
    """Options of people whose skin is a blue picture."""
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((64, 64, 3), (200, 20, 20), np.uint8))
    return SceneConfig(image_size=96, textures=tmp_path, backgrounds="plain")


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "smplx"])
def test_a_skin_picture_needs_texture_coordinates(load, blue_skin, name):
    with pytest.raises(UserError, match="hold no texture coordinates"):
        sample_scene(blue_skin, seed=1, body=load(name))


def test_a_skin_picture_lies_on_the_skin_of_smplx(smplx, blue_skin):
    rendering = Renderer(smplx).render(sample_scene(blue_skin, seed=1, body=smplx))
    g = rendering.gbuffer
    blue, green, red = rendering.image[g.to_image(g.by_pixel(g.covered).sum(axis=2)) == 4].T
    # But for the eyes.
    assert ((blue > 2 * red) & (blue > 2 * green)).mean() > 0.97


def test_left_and_right_keypoint_neighbourhoods_hardly_overlap(smpl):
    bits = smpl.surface.face_keypoints[smpl.surface.faces_of("skin")]
    near = {name: (bits >> np.uint32(k)) & 1 == 1 for k, name in enumerate(COCO_KEYPOINTS)}
    assert min(mask.sum() for mask in near.values()) > 20
    for name in COCO_KEYPOINTS[1:]:
        shared = near[name] & near[mirrored(name)]
        # Hip joints are so near to the midline that both include the skin between the legs.
        assert shared.sum() <= (0.2 if "hip" in name else 0) * near[name].sum()


def test_canonical_landmarks_equal_annys(smpl):
    """The canonical position of this body's knee is that of anny's knee, and so on."""
    tpose, canonical = smpl.pose({}, {}, {}), smpl.surface.canonical
    annys = {"shoulder": 0.17, "elbow": 0.46, "wrist": 0.73, "knee": -0.45, "ankle": -0.87}
    for name, wanted in annys.items():
        axis = 0 if wanted > 0 else 2
        joint = np.abs(tpose.keypoints[COCO_KEYPOINTS.index(f"left_{name}")][axis])
        about = (np.abs(np.abs(tpose.vertices[:, axis]) - joint) < 0.01) & (
            tpose.vertices[:, 2] * wanted > 0
        )
        assert about.sum() > 10
        assert np.abs(np.abs(canonical[about, axis]) - np.abs(wanted)).max() < 0.025


def test_texture_coordinates_are_the_files_or_zero(folder, smpl):
    surface = smpl.surface
    assert surface.face_uv.shape == surface.faces.shape
    expected = np.zeros_like(surface.uv)
    if smpl.name == "smplx":
        u, v = np.load(default_file(folder, smpl))["vt"].T
        expected = np.stack([u, 1 - v], axis=1)
    assert surface.uv.shape == expected.shape
    assert np.allclose(surface.uv, expected)


@pytest.mark.parametrize(
    ("shape", "face", "angles", "words"),
    [
        ({"age": 0.5}, {}, {}, "'age'"),
        ({}, {"jawOpen": 0.5}, {}, "'jawOpen'"),
        ({}, {}, {"left_nee": (0, 0, 0)}, "'left_nee'"),
        ({"gender": 0.7}, {}, {}, r"gender 0.7: .* male, neutral, female only"),
    ],
)
def test_unknown_labels_joints_and_genders_are_user_errors(smplx, shape, face, angles, words):
    with pytest.raises(UserError, match=words):
        smplx.pose(shape, face, angles)


def test_other_ages_than_adults_are_user_errors(smplx):
    with pytest.raises(UserError, match="SMPL-X has no children"):
        smplx.sample_shape(np.random.default_rng(0), ("adults", "children"))


def test_load_body_caches_models_and_checks_its_arguments(folder):
    loaded = load_body("smpl", path=folder)
    assert loaded.name == "smpl"
    assert load_body("smpl", path=folder) is loaded
    with pytest.raises(UserError, match="--body smplx needs --body-path"):
        load_body("smplx")
    with pytest.raises(UserError, match="anny needs no files"):
        load_body("anny", path=folder)
    with pytest.raises(UserError, match="unknown body 'smply'; choose from anny, smplx"):
        load_body("smply")
