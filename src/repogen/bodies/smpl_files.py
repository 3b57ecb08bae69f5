"""Find, read and check the model files of SMPL, SMPL-H and SMPL-X.

The files are the user's own, licensed by the Max Planck Institute, and not available to this
project: names, keys and shapes are as its sites and the `smplx` package document them, and
the tests use generated files of that layout.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.skeleton import BODY_JOINTS, HAND_JOINTS
from repogen.bodies.smpl_pickle import read_pickled_arrays
from repogen.errors import UserError, first_line
from repogen.files import cannot_read, open_regular
from repogen.limits import MAX_ARRAYS

GENDERS = {"male": 0.0, "neutral": 0.5, "female": 1.0}
"""Values of the shape label `gender`."""

BETAS = 10
EXPRESSIONS = 10
"""Number of shape and of expression components used; files have more."""

_MAX_ARRAY_BYTES = 1 << 28
"""Limit for one array of an npz; the largest, SMPL-X's pose offsets, has 122 MB."""

_SMPLX_SHAPES = 300
"""Index of the first expression in an SMPL-X file of 400 shapes; in one of 20 it is 10."""


@dataclass(frozen=True)
class Family:
    """One of the models; all its files have the same mesh and skeleton."""

    name: str
    title: str
    site: str
    vertices: int
    joints: tuple[str, ...]
    expressions: int
    face_points: tuple[int, int, int, int, int]
    """Vertices of nose, left eye, right eye, left ear, right ear (`vertex_ids` of `smplx`)."""


_BODY = ("pelvis", *BODY_JOINTS)
_SMPL_FACE = (332, 2800, 6260, 583, 4071)

FAMILIES = {
    "smplx": Family(
        "smplx", "SMPL-X", "smpl-x.is.tue.mpg.de", 10475,
        (*_BODY, "jaw", "left_eye", "right_eye", *HAND_JOINTS), EXPRESSIONS,
        (9120, 9448, 9929, 6, 616),
    ),
    "smplh": Family(
        "smplh", "SMPL-H", "mano.is.tue.mpg.de", 6890, (*_BODY, *HAND_JOINTS), 0, _SMPL_FACE
    ),
    "smpl": Family(
        "smpl", "SMPL", "smpl.is.tue.mpg.de", 6890, (*_BODY, "left_hand", "right_hand"), 0,
        _SMPL_FACE,
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SmplArrays:
    """The arrays of a file, in SMPL's frame: metres, x = the subject's left, y up, z front."""

    template: Float[np.ndarray, "v 3"]
    shapes: Float[np.ndarray, "c v 3"]
    """Offsets of the betas, then of the expressions."""
    pose_shapes: Float[np.ndarray, "p v 3"]
    """Offsets for each component of the joints' rotation matrices minus the identity."""
    regressor: Float[np.ndarray, "j v"]
    weights: Float[np.ndarray, "v j"]
    parents: Int[np.ndarray, " j"]
    faces: Int[np.ndarray, "f 3"]
    uv: Float[np.ndarray, "t 2"]
    face_uv: Int[np.ndarray, "f 3"]
    """All zeros for a file without texture coordinates."""


def find_model_files(folder: Path, family: Family) -> dict[str, Path]:
    """The model's files by gender; npz files are preferred to pkl.

    Searches `folder`, its `models` folder and a folder of the model's name in either, for
    SMPLX_MALE.npz, SMPLX_NEUTRAL_2020.npz and the like, male/model.npz (the layout of AMASS's
    downloads), and SMPL's basicmodel_m_lbs_....pkl. Raises `UserError` if there is none.
    """
    if not folder.is_dir():
        raise UserError(f"--body-path {folder}: no such folder; give the one with the model files")
    subfolders = (".", family.name, "models", f"models/{family.name}", f"{family.name}/models")
    for name in subfolders:
        found = _files_by_gender(folder / name, family)
        if found:
            return found
    basic = ", basicmodel_m_lbs_10_207_0_v1.1.0.pkl" if family.name == "smpl" else ""
    stem = family.name.upper()
    raise UserError(
        f"--body-path {folder}: no {family.title} model there or in its {family.name} folder; "
        f"looked for {stem}_MALE, {stem}_FEMALE and {stem}_NEUTRAL as .npz or .pkl, "
        f"male/model.npz{basic}; get them from https://{family.site}"
    )


def _files_by_gender(folder: Path, family: Family) -> dict[str, Path]:
    basic = "|basicmodel_(m|f|neutral)_lbs_.*" if family.name == "smpl" else ""
    pattern = re.compile(
        rf"(?:{family.name}_(male|female|neutral)(?:_2020)?{basic})\.(?:npz|pkl)", re.I
    )
    genders = {gender[0]: gender for gender in GENDERS}
    candidates = sorted(folder.glob("*.*"), key=lambda path: (path.suffix.lower(), path.name))
    found: dict[str, Path] = {}
    for path in candidates:
        if match := pattern.fullmatch(path.name):
            found.setdefault(genders[next(filter(None, match.groups()))[0].lower()], path)
    for gender in GENDERS:
        for path in (folder / gender / f"model.{suffix}" for suffix in ("npz", "pkl")):
            if path.is_file():
                found.setdefault(gender, path)
    return {gender: found[gender] for gender in GENDERS if gender in found}


_KEYS = (
    "v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f",
)  # fmt: skip
_OPTIONAL = ("vt", "ft")


def read_model(path: Path, family: Family) -> SmplArrays:
    """The checked arrays of one file; no pickled code is executed.

    Raises `UserError` for a broken file, a file of another model, and invalid values.
    """
    read = _read_npz if path.suffix.lower() == ".npz" else read_pickled_arrays
    arrays = read(path, _KEYS + _OPTIONAL)
    missing = [key for key in _KEYS if key not in arrays]
    if missing:
        raise UserError(f"{path}: lacks {', '.join(missing)}; is it a {family.title} model?")
    _check_model(path, arrays, family)
    faces = arrays["f"].astype(np.int32)
    uv, face_uv = np.zeros((1, 2)), np.zeros_like(faces)
    if all(key in arrays for key in _OPTIONAL):
        uv, face_uv = (
            arrays["vt"].astype(np.float64) * [1, -1] + [0, 1],
            arrays["ft"].astype(np.int32),
        )
    parents = arrays["kintree_table"][0].astype(np.int64)
    parents[0] = -1  # in files the largest unsigned number
    return SmplArrays(
        template=arrays["v_template"].astype(np.float64),
        shapes=_used_shapes(arrays["shapedirs"], family),
        pose_shapes=np.moveaxis(arrays["posedirs"], -1, 0).astype(np.float32),
        regressor=arrays["J_regressor"].astype(np.float64),
        weights=np.maximum(arrays["weights"], 0).astype(np.float32),
        parents=parents,
        faces=faces,
        uv=uv,
        face_uv=face_uv,
    )


def _used_shapes(shapes: np.ndarray, family: Family) -> Float[np.ndarray, "c v 3"]:
    long = shapes.shape[2] >= _SMPLX_SHAPES + EXPRESSIONS
    start = _SMPLX_SHAPES if long and family.expressions else BETAS
    used = [*range(BETAS), *range(start, start + family.expressions)]
    return np.moveaxis(shapes[..., used], -1, 0).astype(np.float64)


def _read_npz(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    try:
        with open_regular(path, MAX_ARRAYS) as whole, np.load(whole, allow_pickle=False) as file:
            sizes = {info.filename: info.file_size for info in file.zip.infolist()}
            for key in keys:
                if sizes.get(f"{key}.npy", 0) > _MAX_ARRAY_BYTES:
                    raise ValueError(f"{key} unpacks to {sizes[f'{key}.npy']:,} bytes")
            return {key: file[key] for key in keys if key in file}
    except OSError as error:
        raise cannot_read(path, error) from error
    except Exception as error:  # a broken archive may raise anything
        raise UserError(
            f"{path}: truncated, or not an npz of arrays ({first_line(error)})"
        ) from error


def _check_model(path: Path, arrays: dict[str, np.ndarray], family: Family) -> None:
    vertices, joints = family.vertices, len(family.joints)
    for key, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise UserError(f"{path}: {key} holds {array.dtype}, not numbers")
        if not np.isfinite(array).all():
            raise UserError(f"{path}: {key} holds NaN or infinity")
    for what, found, expected in (
        ("vertices", arrays["v_template"].shape[:1], vertices),
        ("joints", arrays["weights"].shape[1:], joints),
    ):
        if found != (expected,):
            count = f"{found[0]:,}" if found else "no"
            raise UserError(f"{path}: has {count} {what}; {family.title} has {expected:,}")
    least_shapes = BETAS + family.expressions
    shapes = {
        "v_template": (vertices, 3),
        "shapedirs": (vertices, 3, max((*arrays["shapedirs"].shape[-1:], least_shapes))),
        "posedirs": (vertices, 3, 9 * (joints - 1)),
        "J_regressor": (joints, vertices),
        "weights": (vertices, joints),
        "kintree_table": (2, joints),
        "f": (len(arrays["f"]) if arrays["f"].ndim else 0, 3),
    }
    if all(key in arrays for key in _OPTIONAL):
        shapes |= {"vt": (arrays["vt"].size // 2, 2), "ft": arrays["f"].shape}
    for key, expected_shape in shapes.items():
        if arrays[key].shape != expected_shape:
            raise UserError(f"{path}: {key} has the shape {arrays[key].shape}, "
                            f"not {expected_shape} as in {family.title}")  # fmt: skip
    _check_indices(path, "f", arrays["f"], vertices)
    if all(key in arrays for key in _OPTIONAL):
        _check_indices(path, "ft", arrays["ft"], len(arrays["vt"]))
    parents = arrays["kintree_table"][0, 1:].astype(np.int64)
    if ((parents < 0) | (parents > np.arange(joints - 1))).any():
        raise UserError(f"{path}: kintree_table names a parent that comes after its child")
    if np.abs(arrays["weights"].sum(axis=1) - 1).max() > 0.01:
        raise UserError(f"{path}: the skinning weights of a vertex do not sum to 1")


def _check_indices(path: Path, key: str, indices: np.ndarray, count: int) -> None:
    if not indices.size:
        raise UserError(f"{path}: {key} is empty")
    if indices.dtype.kind not in "iu" or indices.min() < 0 or indices.max() >= count:
        raise UserError(f"{path}: {key} must hold whole numbers below {count:,}")
