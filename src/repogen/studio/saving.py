"""Saving what is shown: scene, pose, options, command, picture and labels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from repogen.arrays import UInt8
from repogen.coco.names import CATEGORY
from repogen.labels import Rendering
from repogen.labels.annotation import image_record
from repogen.outputs import OutputFolder
from repogen.people.person import Person
from repogen.pictures import encode_png
from repogen.poses.clips import POSES_FORMAT
from repogen.scenes.scene import Scene
from repogen.studio.options import Likeness, options_like, options_to_command, options_to_toml
from repogen.studio.state import State, pose_of

SCENE, POSE, OPTIONS = "scene.json", "pose.json", "options.toml"
_PICTURE, _DRAWN, _LABELS, _COMMAND = "picture.png", "labelled.png", "labels.json", "command.txt"


@dataclass(frozen=True)
class Saved:
    """Files of one save."""

    folder: Path
    command: str


def pose_to_json(people: Sequence[Person]) -> str:
    """The poses of people as a file for `--poses`, one for each person."""
    poses = []
    for number, person in enumerate(people, start=1):
        pose = pose_of(person)
        poses.append(
            {
                "name": f"person {number}",
                "angles": {joint: [*vector] for joint, vector in pose.angles.items()},
                "orientation": [*pose.orientation],
            }
        )
    return json.dumps({"format": POSES_FORMAT, "poses": poses}, indent=1) + "\n"


def labels_to_json(rendering: Rendering) -> str:
    """The labels of the picture as a COCO file."""
    scene = rendering.scene
    image = image_record(scene, _PICTURE)
    annotations = [
        {"id": number, "image_id": image["id"]} | annotation
        for number, annotation in enumerate(rendering.annotations, start=1)
    ]
    coco = {"images": [image], "annotations": annotations, "categories": [CATEGORY]}
    return json.dumps(coco) + "\n"


def save(
    root: Path,
    state: State,
    rendering: Rendering,
    drawn: UInt8[np.ndarray, "h w 3"],
    like: Likeness,
    images: int,
) -> Saved:
    """Write all files into a new folder below `root`, named by a number; `drawn` is the picture
    with labels, RGB. Raises `UserError` where files cannot be written or options are refused."""
    scene, folder, out = rendering.scene, new_path(root), OutputFolder(root, "studio")
    pose_file = folder / POSE
    out.write(pose_file, pose_to_json(_posed_by(state, scene)).encode())
    config = options_like(state, scene, like, pose_file.resolve(), images)
    command = options_to_command(config, str(folder / "dataset"))
    note = f"Image {state.index + 1} of this seed is the picture beside."
    if any(one.shape or one.outfit for _, one in state.people):
        note = (
            "The pose and the view of the picture beside. Its bodies or outfits were set by hand: "
            f"{SCENE} has them, and these options draw others."
        )
    if state.opened is not None:
        note = "The pose and the view of the picture beside, whose scene these options do not draw."
    out.write(folder / SCENE, (scene.to_json() + "\n").encode())
    out.write(folder / OPTIONS, options_to_toml(config, note).encode())
    out.write(folder / _COMMAND, (command + "\n").encode())
    out.write(folder / _PICTURE, encode_png(rendering.result.image))
    out.write(folder / _DRAWN, encode_png(np.ascontiguousarray(drawn[..., ::-1])))
    out.write(folder / _LABELS, labels_to_json(rendering).encode())
    return Saved(folder, command)


def _posed_by(state: State, scene: Scene) -> list[Person]:
    """The people, with orientations as they were set by hand, whose heading is taken out only when
    they are drawn: so reading them gives the same people."""
    poses = [state.given(i).pose for i in range(len(scene.people))]
    return [
        person if pose is None else replace(person, orientation=pose.orientation)
        for person, pose in zip(scene.people, poses, strict=True)
    ]


def new_path(root: Path, name: str = "", suffix: str = "") -> Path:
    """A path below `root` of a file or folder that there is not: the name and a number."""
    number = 1
    while (root / f"{name}{number:04d}{suffix}").exists():
        number += 1
    return root / f"{name}{number:04d}{suffix}"
