"""One SMPL file on a device: blend shapes and linear blend skinning."""

from dataclasses import dataclass

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.kernels import (
    blend_shapes,
    block_of_floats,
    block_of_halves,
    skin_points,
    to_blocks,
)
from repogen.bodies.rigging import BODY_TO_WORLD
from repogen.bodies.smpl_files import SmplArrays
from repogen.warp_setup import wp


@dataclass(frozen=True, eq=False)
class SkinModel:
    """The arrays of a file on a device, in the world frame, metres, in T-pose."""

    device: str
    template: wp.array
    basis: wp.array
    """Shapes, then pose shapes: (blocks of coordinates, shapes)."""
    bones: wp.array
    weights: wp.array
    joint_template: Float[np.ndarray, "j 3"]
    joint_shapes: Float[np.ndarray, "c j 3"]
    main_joints: Int[np.ndarray, " v"]
    """The joint with the largest weight of each vertex."""
    parents: Int[np.ndarray, " j"]
    faces: Int[np.ndarray, "f 3"]
    uv: Float[np.ndarray, "t 2"]
    face_uv: Int[np.ndarray, "f 3"]


def load_skin(arrays: SmplArrays, device: str) -> SkinModel:
    """The arrays of a file, rotated to the world frame and copied to the device.

    Offsets are stored in half precision (an error below 0.2 mm), which halves the memory read for
    each body.
    """
    template, shapes = arrays.template @ BODY_TO_WORLD.T, arrays.shapes @ BODY_TO_WORLD.T
    halves = np.concatenate(
        [arrays.shapes.astype(np.float16), arrays.pose_shapes.astype(np.float16)]
    )
    basis = halves[..., [0, 2, 1]] * np.array([1, -1, 1], np.float16)  # the rotation BODY_TO_WORLD
    blocks = to_blocks(basis.reshape(len(basis), -1)).swapaxes(0, 1)
    bones_per_vertex = int((arrays.weights > 0).sum(axis=1).max())
    order = np.argsort(-arrays.weights, axis=1, kind="stable")[:, :bones_per_vertex]
    weights = np.take_along_axis(arrays.weights, order, axis=1)
    return SkinModel(
        device=device,
        template=wp.array(to_blocks(template.ravel()), dtype=block_of_floats, device=device),
        basis=wp.array(blocks, dtype=block_of_halves, device=device),
        bones=wp.array(order, dtype=wp.int32, device=device),
        weights=wp.array(weights, dtype=wp.float32, device=device),
        joint_template=np.einsum("jv,vi->ji", arrays.regressor, template),
        joint_shapes=np.einsum("jv,cvi->cji", arrays.regressor, shapes),
        main_joints=order[:, 0],
        parents=arrays.parents,
        faces=arrays.faces,
        uv=arrays.uv,
        face_uv=arrays.face_uv,
    )


def skin_mesh(
    model: SkinModel,
    coefficients: Float[np.ndarray, " k"],
    linear: Float[np.ndarray, "j 3 3"],
    offset: Float[np.ndarray, "j 3"],
) -> Float[np.ndarray, "v 3"]:
    """Posed vertices in the world frame, metres.

    The template plus its shapes weighted by `coefficients`, then linear blend skinning by the
    joints' transforms x → linear x + offset.
    """
    device = model.device
    rest = wp.empty(len(model.template), dtype=block_of_floats, device=device)
    wp.launch(
        blend_shapes,
        dim=len(rest),
        inputs=[
            model.template,
            model.basis,
            wp.array(coefficients, dtype=wp.float32, device=device),
        ],
        outputs=[rest],
        device=device,
    )
    count = len(model.bones)
    out = wp.empty(count, dtype=wp.vec3, device=device)
    wp.launch(
        skin_points,
        dim=count,
        inputs=[
            rest.view(wp.float32).flatten()[: 3 * count].reshape((count, 3)).view(wp.vec3),
            model.bones,
            model.weights,
            wp.array(linear, dtype=wp.mat33, device=device),
            wp.array(offset, dtype=wp.vec3, device=device),
        ],
        outputs=[out],
        device=device,
    )
    return out.numpy().copy()
