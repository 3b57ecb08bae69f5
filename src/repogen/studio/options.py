"""The options of a dataset of people like the one that is shown: as TOML, and as a command line.

Both name only the options that differ from their defaults.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from repogen.bodies.shapes import AGES, GENDERS
from repogen.config import groups_of
from repogen.errors import check_between
from repogen.generation.config import GenerateConfig
from repogen.poses.orientation import OF_POSE
from repogen.scenes.scene import Scene
from repogen.studio.state import State, view_now, with_options


@dataclass(frozen=True)
class Likeness:
    """What a dataset has in common with the image that is shown, beyond its options and what was
    set by hand: the pose, or the view.

    Where the pose is in common, Gaussian noise of `pose_deg` is on each angle; where the view is,
    cameras are within `view_deg` of its azimuth, elevation and roll, and within `distance_share`
    of its distance.
    """

    pose: bool = False
    pose_deg: float = 0.0
    view: bool = False
    view_deg: float = 0.0
    distance_share: float = 0.0


def keeps_pose(state: State, like: Likeness) -> bool:
    """Whether people of the dataset have the pose that is shown."""
    return like.pose or bool(state.opened) or any(given.pose for _, given in state.people)


def options_like(
    state: State, scene: Scene, like: Likeness, pose_file: Path, images: int
) -> GenerateConfig:
    """The options of a dataset like the scene that is shown. `pose_file` is the file of its poses.

    Raises `UserError` as configs do.
    """
    check_between("noise on the pose", like.pose_deg, 0, 90)
    check_between("range of the view", like.view_deg, 0, 180)
    config = with_options(state.config, "", images=images)
    groups = _groups(state)
    if groups:
        config = with_options(config, "people", **groups)
    if keeps_pose(state, like):
        config = with_options(
            config, "pose", pose=None, sampler=None, poses=pose_file, poses_share=1.0,
            poses_mirror=False, poses_noise=like.pose_deg, orientation=(OF_POSE,),
        )  # fmt: skip
    if not (like.view or state.view or state.opened) or config.camera.fixed:
        return config
    view, away = view_now(state, scene), like.view_deg
    near, far = view.distance_m * (1 - like.distance_share), 1 + like.distance_share
    return with_options(
        config,
        "camera",
        azimuth=(view.azimuth_deg - away, view.azimuth_deg + away),
        elevation=(
            max(-90.0, view.elevation_deg - away),
            min(90.0, view.elevation_deg + away),
        ),
        roll=(view.roll_deg - away, view.roll_deg + away),
        distance=(max(0.3, near), min(100.0, far * view.distance_m)),
    )


def _groups(state: State) -> dict[str, tuple[str, ...]]:
    """The options that draw people of the ages and genders that were set by hand."""
    out = {}
    for option, label, ranges in (("ages", "age", AGES), ("gender", "gender", GENDERS)):
        values = [given.shape[label] for _, given in state.people if label in given.shape]
        if values:
            out[option] = tuple(dict.fromkeys(_nearest(value, ranges) for value in values))
    return out


def _nearest(value: float, ranges: Mapping[str, tuple[float, float]]) -> str:
    def away(name: str) -> float:
        low, high = ranges[name]
        return max(low - value, value - high, 0.0)

    return min(ranges, key=away)


def changed_options(config: GenerateConfig) -> dict[str, Any]:
    """The options that differ from their defaults, in their groups."""
    default, groups = GenerateConfig(), groups_of(GenerateConfig)
    out = dict(_changed(config, default, groups))
    for name in groups:
        table = dict(_changed(getattr(config, name), getattr(default, name), {}))
        if table:
            out[name] = table
    return out


def _changed(config: Any, default: Any, without: Mapping[str, object]) -> Iterator[tuple[str, Any]]:
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name not in without and value != getattr(default, field.name):
            yield field.name, _plain(value)


def _plain(value: Any) -> Any:
    """A value as TOML and JSON have it."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def options_to_toml(config: GenerateConfig, comment: str = "") -> str:
    """The text of a file for `repogen generate OUT --config FILE`."""
    options = changed_options(config)
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [f"{key} = {_toml(value)}" for key, value in options.items() if _is_value(value)]
    for group, table in options.items():
        if not _is_value(table):
            lines += ["", f"[{group}]", *(f"{key} = {_toml(v)}" for key, v in table.items())]
    return "\n".join(lines) + "\n"


def _is_value(value: object) -> bool:
    return not isinstance(value, dict)


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's strings, numbers and booleans are TOML's, but for DEL.
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def options_to_command(config: GenerateConfig, out: str) -> str:
    """The command line that writes a dataset with these options into the folder `out`."""
    words = ["repogen", "generate", out]
    for name, value in changed_options(config).items():
        table = value if isinstance(value, dict) else {name: value}
        for option, one in table.items():
            words += _flag(option, one)
    return shlex.join(words)


def _flag(option: str, value: Any) -> list[str]:
    name = option.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    values = value if isinstance(value, list) else [value]
    return [f"--{name}", *map(str, values)]
