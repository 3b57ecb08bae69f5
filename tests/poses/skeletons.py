"""Skeletons in BVH files, written by the tests."""

import numpy as np
from scipy.spatial.transform import Rotation

ARMS_DOWN_DEG = {"tpose": 0.0, "apose": 50.0}

# Name: (parent, offset with the body's axes: x = left, y = up, z = front), of the trunk and one
# side; arms along x and legs down, to be turned by `rest`.
_TRUNK = {
    "hips": (None, (0, 0, 0)),
    "spine1": ("hips", (0, 10, 0)),
    "spine2": ("spine1", (0, 15, -1)),
    "spine3": ("spine2", (0, 15, 0)),
    "neck": ("spine3", (0, 20, 0)),
    "head": ("neck", (0, 10, 2)),
}
_SIDE = {
    "hip": ("hips", (9, -5, 0)),
    "knee": ("hip", (0, -45, 0)),
    "ankle": ("knee", (0, -42, 0)),
    "foot": ("ankle", (0, -6, 14)),
    "collar": ("spine3", (3, 15, 0)),
    "shoulder": ("collar", (14, 2, 0)),
    "elbow": ("shoulder", (28, 0, 0)),
    "wrist": ("elbow", (26, 0, 0)),
}

STYLES = {
    "cmu": {
        "hips": "Hips", "spine1": "LowerBack", "spine2": "Spine", "spine3": "Spine1",
        "neck": "Neck", "head": "Head", "hip": "UpLeg", "knee": "Leg", "ankle": "Foot",
        "foot": "ToeBase", "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm",
        "wrist": "Hand", "side": "{side}{name}",
    },
    "makehuman": {
        "hips": "root", "spine1": "spine03", "spine2": "spine02", "spine3": "spine01",
        "neck": "neck01", "head": "head", "hip": "upperleg01", "knee": "lowerleg01",
        "ankle": "foot", "foot": "toe1-1", "collar": "clavicle", "shoulder": "upperarm01",
        "elbow": "lowerarm01", "wrist": "wrist", "side": "{name}.{s}",
    },
    "biovision": {
        "hips": "Hips", "spine1": "Chest", "spine2": "Chest2", "spine3": "Chest3",
        "neck": "Neck", "head": "Head", "hip": "Hip", "knee": "Knee", "ankle": "Ankle",
        "foot": "Toe", "collar": "Collar", "shoulder": "Shoulder", "elbow": "Elbow",
        "wrist": "Wrist", "side": "{side}{name}",
    },
}  # fmt: skip
STYLES["mixamo"] = {
    key: name if key == "side" else f"mixamorig:{name}" for key, name in STYLES["cmu"].items()
} | {"side": "mixamorig:{side}{name}"}

AXES = {
    "y up": np.eye(3),
    "z up": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),  # front = -y
    "x front": np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]),
}
"""Columns: where the body's left, up and front point in the file."""


def joints_of(style):
    """Names in the file by our own, parents first."""
    names = STYLES[style]
    out = {joint: names[joint] for joint in _TRUNK}
    for side in ("left", "right"):
        for joint in _SIDE:
            plain = names[joint].removeprefix("mixamorig:")
            out[f"{side}_{joint}"] = names["side"].format(
                side=side.title(), s=side[0].upper(), name=plain
            )
    return out


def skeleton(rest, legs_apart_deg=8.0):
    """Parents and offsets by our joint names, with the body's axes."""
    parents = {joint: parent for joint, (parent, _) in _TRUNK.items()}
    offsets = {joint: np.array(offset, float) for joint, (_, offset) in _TRUNK.items()}
    for side, sign in (("left", 1), ("right", -1)):
        arm = Rotation.from_euler("z", -ARMS_DOWN_DEG[rest], degrees=True)
        leg = Rotation.from_euler("z", legs_apart_deg, degrees=True)
        for joint, (parent, offset) in _SIDE.items():
            turn = {"elbow": arm, "wrist": arm, "knee": leg, "ankle": leg}.get(joint)
            vector = turn.apply(offset) if turn else np.array(offset, float)
            parents[f"{side}_{joint}"] = parent if parent in _TRUNK else f"{side}_{parent}"
            offsets[f"{side}_{joint}"] = vector * (sign, 1, 1)
    return parents, offsets


def bvh(style, parents, offsets, world, axes="y up", order="ZXY", names=None):
    """The text of a file. `world`: by joint, (frames, 3, 3) rotation with the body's axes."""
    to_file, names = AXES[axes], names or joints_of(style)
    frames = len(world["hips"])
    lines, columns = ["HIERARCHY"], []

    def write(joint, depth):
        pad = "\t" * depth
        parent = parents[joint]
        offset = to_file @ offsets[joint]
        position = ["Xposition", "Yposition", "Zposition"] if parent is None else []
        rotation = [f"{axis}rotation" for axis in order]
        channels = position + rotation
        lines.append(f"{pad}{'JOINT' if parent else 'ROOT'} {names[joint]}")
        lines.append(pad + "{")
        lines.append(f"{pad}\tOFFSET {' '.join(f'{v:.6f}' for v in offset)}")
        lines.append(f"{pad}\tCHANNELS {len(channels)} {' '.join(channels)}")
        local = world[joint]
        if parent:
            local = world[parent].swapaxes(1, 2) @ local
        matrices = to_file @ local @ to_file.T
        angles = Rotation.from_matrix(matrices).as_euler(order, degrees=True)
        if position:
            columns.append(np.tile([1.0, 95.0, -3.0], (frames, 1)))
        columns.append(angles)
        children = [child for child, above in parents.items() if above == joint]
        for child in children:
            write(child, depth + 1)
        if not children:
            lines.extend([f"{pad}\tEnd Site", pad + "\t{", f"{pad}\t\tOFFSET 0 5 0", pad + "\t}"])
        lines.append(pad + "}")

    write("hips", 0)
    lines += ["MOTION", f"Frames: {frames}", "Frame Time: 0.0083333"]
    lines += [" ".join(f"{v:.6f}" for v in row) for row in np.concatenate(columns, axis=1)]
    return "\n".join(lines) + "\n"
