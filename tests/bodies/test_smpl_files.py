"""Finding and checking model files, on arrays of the official keys and shapes."""

import pickle

import numpy as np
import pytest
from scipy import sparse

from repogen.bodies import smpl_files
from repogen.bodies.smpl_files import FAMILIES, find_model_files, read_model
from repogen.errors import UserError

FACES = {"smplx": 20908, "smplh": 13776, "smpl": 13776}


def arrays(name, shapes=10):
    """The arrays of a file, with the right shapes and distinguishable values."""
    family = FAMILIES[name]
    v, j = family.vertices, len(family.joints)
    rng = np.random.default_rng(0)
    shapedirs = np.zeros((v, 3, shapes), np.float32)
    shapedirs += np.arange(shapes)
    weights = np.zeros((v, j))
    weights[np.arange(v), rng.integers(0, j, v)] = 1
    regressor = np.zeros((j, v))
    regressor[np.arange(j), np.arange(j)] = 1
    tree = np.stack([np.maximum(np.arange(j) - 1, 0), np.arange(j)]).astype(np.uint32)
    tree[0, 0] = 2**32 - 1
    return {
        "v_template": rng.normal(size=(v, 3)),
        "shapedirs": shapedirs,
        "posedirs": np.zeros((v, 3, 9 * (j - 1)), np.float32),
        "J_regressor": regressor,
        "weights": weights,
        "kintree_table": tree,
        "f": rng.integers(0, v, (FACES[name], 3)).astype(np.uint32),
    }


@pytest.fixture(scope="module")
def smpl():
    return arrays("smpl")


def test_joints_of_the_families_are_the_published_ones():
    assert [len(FAMILIES[name].joints) for name in ("smplx", "smplh", "smpl")] == [55, 52, 24]
    assert FAMILIES["smplx"].joints[22:26] == ("jaw", "left_eye", "right_eye", "left_index1")
    assert FAMILIES["smplh"].joints[21:24] == ("right_wrist", "left_index1", "left_index2")
    assert FAMILIES["smplh"].joints[-1] == "right_thumb3"


@pytest.mark.parametrize(("shapes", "first"), [(20, 10), (400, 300)])
def test_smplx_expressions_are_found_in_short_and_long_files(tmp_path, shapes, first):
    given = arrays("smplx", shapes) | {"vt": np.ones((9, 2)), "ft": np.zeros((20908, 3), np.int64)}
    np.savez(tmp_path / "a.npz", hands_meanl=np.array([{"never": "read"}], object), **given)
    model = read_model(tmp_path / "a.npz", FAMILIES["smplx"])
    assert model.shapes[:, 0, 0].tolist() == [*range(10), *range(first, first + 10)]
    assert model.uv.tolist() == [[1, 0]] * 9
    assert model.face_uv.shape == model.faces.shape


@pytest.mark.parametrize(("name", "shapes"), [("smpl", 300), ("smplh", 16), ("smpl", 10)])
def test_only_ten_betas_are_used(tmp_path, name, shapes):
    np.savez(tmp_path / "a.npz", **arrays(name, shapes))
    model = read_model(tmp_path / "a.npz", FAMILIES[name])
    assert model.shapes[:, 0, 0].tolist() == list(range(10))
    assert model.parents[0] == -1
    assert (model.parents[1:] == np.arange(len(model.parents) - 1)).all()


def test_npz_and_pkl_files_give_the_same_arrays(tmp_path, smpl):
    np.savez(tmp_path / "a.npz", **smpl)
    old = smpl | {"J_regressor": sparse.csc_matrix(smpl["J_regressor"]), "bs_type": "lrotmin"}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(old, 2))
    one, other = (read_model(tmp_path / f"a.{s}", FAMILIES["smpl"]) for s in ("npz", "pkl"))
    for field, value in vars(one).items():
        assert (value == getattr(other, field)).all()


@pytest.mark.parametrize("root", [2**32 - 1, -1, 0])
@pytest.mark.parametrize("kind", [np.uint32, np.int64, np.float64])
def test_every_notation_of_the_roots_parent_is_read(tmp_path, smpl, root, kind):
    tree = smpl["kintree_table"].astype(np.int64)
    tree[0, 0] = root
    np.savez(tmp_path / "a.npz", **smpl | {"kintree_table": tree.astype(kind)})
    parents = read_model(tmp_path / "a.npz", FAMILIES["smpl"]).parents
    assert parents[:3].tolist() == [-1, 0, 1]


def test_an_array_that_unpacks_to_gigabytes_is_not_read(tmp_path, smpl, monkeypatch):
    monkeypatch.setattr(smpl_files, "_MAX_ARRAY_BYTES", 10**6)
    np.savez_compressed(tmp_path / "a.npz", **smpl)
    with pytest.raises(UserError, match=r"posedirs unpacks to 17,114,888 bytes"):
        read_model(tmp_path / "a.npz", FAMILIES["smpl"])


def changed(smpl, key, at, value):
    array = smpl[key].copy()
    array[at] = value
    return {key: array}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: {"posedirs": None, "f": None}, "lacks posedirs, f; is it a SMPL model"),
        (lambda a: changed(a, "weights", (3, 3), np.nan), "weights holds NaN"),
        (lambda a: changed(a, "v_template", (3, 2), np.inf), "v_template holds NaN or inf"),
        (lambda a: changed(a, "f", (5, 1), 6890), "f must hold whole numbers below 6,890"),
        (lambda a: {"f": a["f"].astype(float)}, "f must hold whole numbers"),
        (lambda a: {"f": a["f"][:0]}, "f is empty"),
        (lambda a: {"f": a["f"].ravel()}, r"f has the shape \(41328,\), not"),
        (lambda a: changed(a, "weights", (3, 3), 0.5), "do not sum to 1"),
        (lambda a: changed(a, "kintree_table", (0, 3), 9), "a parent that comes after its child"),
        (lambda a: {"shapedirs": a["shapedirs"][..., :4]}, r"shapedirs has the shape \(6890, 3, 4"),
        (lambda a: {"posedirs": a["posedirs"][..., :9]}, r"not \(6890, 3, 207\) as in SMPL"),
        (lambda a: {"v_template": a["v_template"][:5000]}, "has 5,000 vertices; SMPL has 6,890"),
        (lambda a: {"v_template": np.array(3.0)}, "has no vertices; SMPL has 6,890"),
        (lambda a: {"weights": np.zeros((6890, 52))}, "has 52 joints; SMPL has 24"),
        (lambda a: {"weights": a["weights"].astype(str)}, "weights holds <U.*, not numbers"),
        (lambda a: {"J_regressor": np.array([{}], object)}, "not an npz of arrays"),
    ],
)
def test_invalid_arrays_are_user_errors_that_name_the_file(tmp_path, smpl, change, words):
    content = {key: value for key, value in (smpl | change(smpl)).items() if value is not None}
    path = tmp_path / "SMPL_MALE.npz"
    np.savez(path, **content)
    with pytest.raises(UserError, match=words) as error:
        read_model(path, FAMILIES["smpl"])
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_another_model_is_a_user_error(tmp_path, smpl):
    np.savez(tmp_path / "a.npz", **smpl)
    with pytest.raises(UserError, match="has 6,890 vertices; SMPL-X has 10,475"):
        read_model(tmp_path / "a.npz", FAMILIES["smplx"])
    with pytest.raises(UserError, match="has 24 joints; SMPL-H has 52"):
        read_model(tmp_path / "a.npz", FAMILIES["smplh"])


def test_truncated_and_damaged_npz_files_are_user_errors(tmp_path, smpl):
    path = tmp_path / "a.npz"
    np.savez(path, **smpl)
    whole = path.read_bytes()
    for size in (0, 10, 1000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match="truncated, or not an npz"):
            read_model(path, FAMILIES["smpl"])
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 255  # the archive's checksum finds it
    path.write_bytes(damaged)
    with pytest.raises(UserError, match="truncated, or not an npz"):
        read_model(path, FAMILIES["smpl"])
    np.save(tmp_path / "b.npy", np.zeros(3))
    (tmp_path / "b.npy").rename(path)
    with pytest.raises(UserError, match="not an npz"):
        read_model(path, FAMILIES["smpl"])


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        (
            "smplx",
            ["smplx/SMPLX_MALE.npz", "smplx/SMPLX_MALE.pkl", "smplx/smplx_neutral.pkl"],
            {"male": "smplx/SMPLX_MALE.npz", "neutral": "smplx/smplx_neutral.pkl"},
        ),
        ("smplx", ["SMPLX_FEMALE.npz", "SMPLH_MALE.pkl"], {"female": "SMPLX_FEMALE.npz"}),
        (
            "smplx",
            ["SMPLX_NEUTRAL_2020.npz", "SMPLX_MALE_2020.npz", "SMPLX_MALE.npz"],
            {"male": "SMPLX_MALE.npz", "neutral": "SMPLX_NEUTRAL_2020.npz"},
        ),
        ("smplx", ["models/smplx/SMPLX_FEMALE.npz"], {"female": "models/smplx/SMPLX_FEMALE.npz"}),
        (
            "smplh",
            ["smplh/male/model.npz", "smplh/neutral/model.npz", "SMPLX_FEMALE.npz"],
            {"male": "smplh/male/model.npz", "neutral": "smplh/neutral/model.npz"},
        ),
        (
            "smpl",
            [
                "smpl/models/basicmodel_m_lbs_10_207_0_v1.1.0.pkl",
                "smpl/models/basicmodel_f_lbs_10_207_0_v1.1.0.pkl",
                "smpl/models/basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl",
            ],
            {
                "male": "smpl/models/basicmodel_m_lbs_10_207_0_v1.1.0.pkl",
                "neutral": "smpl/models/basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl",
                "female": "smpl/models/basicmodel_f_lbs_10_207_0_v1.1.0.pkl",
            },
        ),
        ("smpl", ["basicModel_f_lbs_10_207_0_v1.0.0.pkl"],
         {"female": "basicModel_f_lbs_10_207_0_v1.0.0.pkl"}),
    ],
)  # fmt: skip
def test_files_are_found_in_the_layouts_of_the_downloads(tmp_path, name, files, expected):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    found = find_model_files(tmp_path, FAMILIES[name])
    assert {g: str(p.relative_to(tmp_path)) for g, p in found.items()} == expected


def test_missing_files_are_user_errors_that_list_the_names(tmp_path):
    (tmp_path / "SMPLX_MALE.npz").touch()
    with pytest.raises(UserError, match=r"looked for SMPL_MALE.*basicmodel_m.*smpl\.is\.tue"):
        find_model_files(tmp_path, FAMILIES["smpl"])
    for folder in (tmp_path / "nowhere", tmp_path / "SMPLX_MALE.npz"):
        with pytest.raises(UserError, match="no such folder"):
            find_model_files(folder, FAMILIES["smplx"])
