"""Names and order of COCO keypoints and SMPL-X joints."""

COCO_KEYPOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""The 17 keypoints in COCO's order."""

COCO_SKELETON = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8),
    (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip
"""COCO's limbs as pairs of keypoint indices, 0-based (the JSON file holds them 1-based)."""

BODY_JOINTS = (
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
)
"""The 21 body joints of SMPL-X below the pelvis, in its order."""

FINGERS = ("index", "middle", "pinky", "ring", "thumb")

HAND_JOINTS = tuple(
    f"{side}_{finger}{knuckle}"
    for side in ("left", "right")
    for finger in FINGERS
    for knuckle in (1, 2, 3)
)
"""The 30 finger joints of SMPL-X, in its order; knuckle 1 is nearest the palm."""

JOINTS = BODY_JOINTS + HAND_JOINTS


def mirrored(name: str) -> str:
    """The same joint or keypoint on the other side; a midline name is returned unchanged."""
    if name.startswith("left_"):
        return "right_" + name[5:]
    if name.startswith("right_"):
        return "left_" + name[6:]
    return name


Angles = dict[str, tuple[float, float, float]]
"""Rotation vectors in degrees about the body's own axes, x = the subject's left, y = up, z = front
(SMPL-X's), by joint name. A joint left out does not rotate; no angles at all are the T-pose."""
