"""SMPL-X, SMPL-H and SMPL behind the `Body` protocol, from the user's own licensed files.

The licensed files are not available to this project: tests use a generated body with their keys,
shapes and plausible numbers. The arithmetic is that of the papers (Loper et al. 2015, Pavlakos et
al. 2019): betas, expressions and the joints' rotation matrices move the template's vertices
linearly, the joints are regressed from the shaped template, and linear blend skinning poses the
result.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.bodies.anny import BONE_OF_JOINT
from repogen.bodies.canonical import to_canonical
from repogen.bodies.protocol import LAYERS, PosedBody, Surface, check_names
from repogen.bodies.rigging import BODY_TO_WORLD, KinematicTree, joint_rotations
from repogen.bodies.shapes import GENDERS as SHAPE_GENDERS
from repogen.bodies.skeleton import COCO_KEYPOINTS, HAND_JOINTS, JOINTS, Angles
from repogen.bodies.smpl_files import (
    BETAS,
    FAMILIES,
    GENDERS,
    Family,
    SmplArrays,
    find_model_files,
    read_model,
)
from repogen.bodies.smpl_skin import SkinModel, load_skin, skin_mesh
from repogen.bodies.surface import (
    ambient_occlusion,
    face_parts,
    keypoint_neighbourhoods,
    vertex_normals,
)
from repogen.errors import UserError, unknown_choice

_MAX_BETA = 3.0
_EYE_HALF_SIZE = np.array([0.014, 0.015, 0.007])
"""Half the size of painted eyes on a mesh without eyeballs, metres: width, depth, height."""

_TIGHTS_OFFSET = 0.005
"""Metres from the skin to the tights, which outfits show as cloth and shoes."""

_UNCOVERED_JOINTS = (
    "head", "jaw", "left_eye", "right_eye", "left_wrist", "right_wrist", "left_hand", "right_hand",
    *HAND_JOINTS,
)  # fmt: skip
"""Joints whose skin the tights leave out."""

_MAKEHUMAN_BONE = BONE_OF_JOINT | {"pelvis": "root", "jaw": "head"} | {
    f"{side}_{joint}": f"{bone}.{side[0].upper()}"
    for side in ("left", "right")
    for joint, bone in {"foot": "toe", "eye": "eye", "hand": "wrist"}.items()
}  # fmt: skip
"""The MakeHuman bone at each joint; `build_surface` assigns body parts by its names."""


class SmplBody:
    """A model of the SMPL family as a `Body`.

    Shape labels are `gender` (0 male, 0.5 neutral, 1 female: it selects the file) and the first
    ten betas, face labels SMPL-X's first ten expressions, both in standard deviations. Joints
    that the model lacks do not rotate. Keypoints: shoulders, elbows, wrists, hips, knees and
    ankles are the model's joints (hips at the joint centres); nose, eyes and ears are vertices.
    The file's vertices are followed by those of tights made from its skin, which outfits show as
    cloth and shoes; the body has no skirt and no hair.

    Raises `UserError` for an unknown model, and as `find_model_files` and `read_model` do.
    """

    def __init__(self, name: str, folder: Path, device: str = "cpu") -> None:
        if name not in FAMILIES:
            raise unknown_choice("SMPL model", name, FAMILIES)
        family = FAMILIES[name]
        self.name = name
        self._family = family
        self._folder = folder
        self.shape_labels = ("gender", *(f"beta{i}" for i in range(BETAS)))
        self.face_labels = tuple(f"expression{i}" for i in range(family.expressions))
        files = find_model_files(folder, family)
        self._models = {
            GENDERS[gender]: load_skin(_with_tights(read_model(path, family), family), device)
            for gender, path in files.items()
        }
        self._default_gender = min(self._models, key=lambda gender: abs(gender - 0.5))
        default = self._models[self._default_gender]
        for path, model in zip(files.values(), self._models.values(), strict=True):
            if not (
                np.array_equal(model.parents, default.parents)
                and np.array_equal(model.faces, default.faces)
            ):
                raise UserError(
                    f"{path}: its mesh or skeleton differs from the other files'; give files of "
                    "one release"
                )
        self._tree = KinematicTree(default.parents)
        joints = family.joints
        self._hips = [joints.index("left_hip"), joints.index("right_hip")]
        self._joint_index = {joint: i for i, joint in enumerate(joints) if joint in JOINTS}
        self._keypoint_joints = [joints.index(keypoint) for keypoint in COCO_KEYPOINTS[5:]]

    @cached_property
    def surface(self) -> Surface:
        """See `Body.surface`; of the neutral model if there is one. Built on first use."""
        tpose = self.pose({}, {}, {})
        model = self._models[self._default_gender]
        joints = [self._family.joints[joint] for joint in model.main_joints]
        faces, layers = model.faces, _face_layers(tpose, model, self._family)
        skin = replace(tpose, vertices=tpose.vertices[: self._family.vertices])
        return Surface(
            faces=faces,
            face_layers=layers,
            face_parts=face_parts(faces, [_MAKEHUMAN_BONE[joint] for joint in joints]),
            face_keypoints=keypoint_neighbourhoods(tpose, faces, layers),
            canonical=to_canonical(tpose.vertices, skin).astype(np.float32),
            occlusion=ambient_occlusion(tpose.vertices, faces, layers),
            lips=np.zeros(len(joints), dtype=np.float32),
            uv=model.uv,
            face_uv=model.face_uv,
        )

    def sample_shape(
        self,
        rng: np.random.Generator,
        ages: tuple[str, ...],
        genders: tuple[str, ...] = tuple(SHAPE_GENDERS),
    ) -> dict[str, float]:
        """See `Body.sample_shape`: a gender that has a file, betas N(0, 1) clipped to ±3.

        Raises `UserError` for ages other than adults, and where no gender has a file.
        """
        for age in ages:
            if age != "adults":
                raise UserError(f"{self._family.title} has no {age}; its only age group is adults")
        having = [GENDERS[name] for name in genders if GENDERS[name] in self._models]
        if not having:
            names = ", ".join(name for name, value in GENDERS.items() if value in self._models)
            raise UserError(
                f"--gender {' '.join(genders)}: the files of {self._family.title} are {names}"
            )
        gender = having[int(rng.integers(len(having)))]
        betas = np.clip(rng.normal(size=BETAS), -_MAX_BETA, _MAX_BETA)
        return {"gender": gender} | {f"beta{i}": float(beta) for i, beta in enumerate(betas)}

    def sample_face(self, rng: np.random.Generator) -> dict[str, float]:
        """See `Body.sample_face`: every component N(0, 1) clipped to ±3."""
        values = np.clip(rng.normal(size=len(self.face_labels)), -_MAX_BETA, _MAX_BETA)
        return dict(zip(self.face_labels, map(float, values), strict=True))

    def pose(
        self,
        shape: Mapping[str, float],
        face: Mapping[str, float],
        angles: Angles,
    ) -> PosedBody:
        """See `Body.pose`. The default gender is neutral, or the nearest to it with a file.

        Raises `UserError` for a label or joint this body does not have, and for a gender without
        a file.
        """
        check_names(self, shape, face, angles)
        gender = shape.get("gender", self._default_gender)
        if gender not in self._models:
            names = ", ".join(name for name, value in GENDERS.items() if value in self._models)
            raise UserError(
                f"gender {gender:g}: {self._folder} holds {self._family.title} {names} only "
                "(0 is male, 0.5 neutral, 1 female)"
            )
        labels, values = self.shape_labels[1:] + self.face_labels, {**shape, **face}
        coefficients = np.array([values.get(label, 0.0) for label in labels])
        return self._posed(self._models[gender], coefficients, angles)

    def _posed(
        self,
        model: SkinModel,
        coefficients: Float[np.ndarray, " c"],
        angles: Angles,
    ) -> PosedBody:
        count = len(self._family.joints)
        rotations = joint_rotations(angles, self._joint_index, count, np.eye(3))
        joints = model.joint_template + np.einsum("c,cji->ji", coefficients, model.joint_shapes)
        linear = self._tree.compose(BODY_TO_WORLD @ rotations @ BODY_TO_WORLD.T)
        parents = self._tree.parents
        steps = np.einsum("jik,jk->ji", linear[parents], joints - joints[parents])
        steps[0] = 0.0
        positions = self._tree.accumulate(steps)
        positions -= positions[self._hips].mean(axis=0)
        offset = positions - np.einsum("jik,jk->ji", linear, joints)

        weights = np.concatenate([coefficients, (rotations[1:] - np.eye(3)).ravel()])
        vertices = skin_mesh(model, weights, linear, offset)
        face_points = vertices[list(self._family.face_points)].astype(np.float64)
        return PosedBody(
            vertices=vertices,
            keypoints=np.concatenate([face_points, positions[self._keypoint_joints]]),
        )


def _with_tights(arrays: SmplArrays, family: Family) -> SmplArrays:
    """The model with tights added: a copy of the skin from neck to wrists and toes, offset from it
    and skinned like it. Its vertices and faces follow the file's."""
    uncovered = [i for i, joint in enumerate(family.joints) if joint in _UNCOVERED_JOINTS]
    main = arrays.weights.argmax(axis=1)
    covered = ~np.isin(main, uncovered)[arrays.faces].any(axis=1)
    under, corners = np.unique(arrays.faces[covered], return_inverse=True)
    normals = vertex_normals(arrays.template, arrays.faces)
    copies = {
        name: np.concatenate([values, values[:, under]], axis=1)
        for name, values in (("shapes", arrays.shapes), ("pose_shapes", arrays.pose_shapes))
    }
    return replace(
        arrays,
        template=np.concatenate(
            [arrays.template, arrays.template[under] + _TIGHTS_OFFSET * normals[under]]
        ),
        regressor=np.pad(arrays.regressor, [(0, 0), (0, len(under))]),
        weights=np.concatenate([arrays.weights, arrays.weights[under]]),
        faces=np.concatenate([arrays.faces, corners.reshape(-1, 3) + family.vertices]).astype(
            np.int32
        ),
        face_uv=np.concatenate([arrays.face_uv, arrays.face_uv[covered]]),
        **copies,
    )


def _face_layers(tpose: PosedBody, model: SkinModel, family: Family) -> UInt8[np.ndarray, " f"]:
    """Layers of the faces: skin, tights and eyes (without eyeballs, the skin at the eyes)."""
    layers = np.zeros(len(model.faces), dtype=np.uint8)
    if "left_eye" in family.joints:
        eyeballs = [family.joints.index(f"{side}_eye") for side in ("left", "right")]
        eyes = np.isin(model.main_joints, eyeballs)[model.faces].all(axis=1)
    else:
        centres = tpose.vertices[model.faces].mean(axis=1)
        eye_points = list(family.face_points[1:3])
        offsets = (centres[:, None] - tpose.vertices[eye_points]) / _EYE_HALF_SIZE
        near = ((offsets * offsets).sum(axis=2) <= 1).any(axis=1)
        eyes = near | np.isin(model.faces, eye_points).any(axis=1)
    layers[eyes] = LAYERS.index("eyes")
    layers[model.faces[:, 0] >= family.vertices] = LAYERS.index("tights")
    return layers
