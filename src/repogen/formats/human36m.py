"""Joints in space in the order of Human3.6M, as NumPy arrays.

The 17 joints of http://vision.imar.ro/human3.6m in the order that estimators of 3D poses use, in
the camera's frame (x right, y down, z forward), metres. Shoulders and hips are joint centres.
"""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.datasets.chunks import compact_json
from repogen.errors import UserError
from repogen.files import atomic_path, open_regular
from repogen.formats.geometry import (
    HIPS,
    SHOULDERS,
    head_top,
    joint_centres,
    joints_in_space,
    middle,
)
from repogen.formats.labelled import LabelledImage, LabelledSet
from repogen.formats.output import Output
from repogen.limits import MAX_ARRAYS

HUMAN36M_JOINTS = (
    "pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "spine", "thorax", "nose", "head_top", "left_shoulder", "left_elbow", "left_wrist",
    "right_shoulder", "right_elbow", "right_wrist",
)  # fmt: skip

_ARRAYS = {"joints": ("<f4", (17, 3)), "image_id": ("<i8", ())}
"""Type and shape, for each person, of the arrays in joints.npz."""


def write_human36m(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write joints.npz (joints (n, 17, 3), image_id (n,), names (17,)), images.jsonl with the
    entry of each image, and images/.

    Raises `UserError` for people without joints in space.
    """
    anatomical = source.label_convention == "anatomical"
    spools = {name: out.root / ".parts" / name for name in _ARRAYS}
    count = 0
    with (
        out.text("images.jsonl") as entries,
        spools["joints"].open("wb") as joints,
        spools["image_id"].open("wb") as ids,
    ):
        for image in images:
            out.place(image, f"images/{image.name}")
            entry = {
                "id": image.id, "file_name": image.name, "width": image.width,
                "height": image.height,
            }  # fmt: skip
            entries.write(compact_json(entry) + "\n")
            for person in image.people:
                points = joints_in_space(person, image)
                if points is None:
                    raise UserError(
                        f"{image.name}: its people have no joints in space (keypoints_3d); give "
                        "the folder of a dataset of repogen"
                    )
                centres = points if anatomical else joint_centres(points)
                joints.write(human36m_joints(centres).astype("<f4").tobytes())
                ids.write(np.array(image.id, "<i8").tobytes())
                count += 1
    with (
        atomic_path(out.root / "joints.npz") as partial,
        zipfile.ZipFile(partial, "w") as archive,
    ):
        for name, (kind, shape) in _ARRAYS.items():
            with open_regular(spools[name], MAX_ARRAYS) as data:
                _add_array(archive, name, kind, (count, *shape), data)
        names = np.array(HUMAN36M_JOINTS)
        _add_array(archive, "names", names.dtype.str, names.shape, BytesIO(names.tobytes()))


def _add_array(
    archive: zipfile.ZipFile, name: str, kind: str, shape: tuple[int, ...], data: BinaryIO
) -> None:
    """Add an array as np.savez does, from its bytes; the same bytes at any time."""
    member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
    with archive.open(member, "w", force_zip64=True) as file:
        header = {"descr": kind, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        while part := data.read(2**20):
            file.write(part)


def human36m_joints(centres: Float[np.ndarray, "17 3"]) -> Float[np.ndarray, "17 3"]:
    """Human3.6M's joints from COCO's at the joints' centres; the spine is half-way between pelvis
    and thorax."""
    pelvis, thorax = middle(centres, HIPS), middle(centres, SHOULDERS)
    further = {
        "pelvis": pelvis,
        "thorax": thorax,
        "spine": (pelvis + thorax) / 2,
        "head_top": head_top(centres),
    }
    return np.array(
        [
            further[name] if name in further else centres[COCO_KEYPOINTS.index(name)]
            for name in HUMAN36M_JOINTS
        ]
    )
