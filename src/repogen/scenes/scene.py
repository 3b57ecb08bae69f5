"""A scene: everything one image is made from, as plain numbers that go in and out of JSON."""

import json
from dataclasses import dataclass
from typing import Any

import cattrs
from cattrs.strategies import configure_tagged_union
from cattrs.v import format_exception

from repogen.cameras.camera import Camera
from repogen.environment.backgrounds import Background, Photo, Plain, Room
from repogen.environment.lights import DirectionalLight
from repogen.environment.occluders import Occluder
from repogen.environment.panoramas import EnvironmentMap
from repogen.environment.sensor import PERFECT, Sensor
from repogen.errors import UserError
from repogen.people.person import Person

FORMAT = 4
"""Raised when a scene of this number would no longer give the same picture."""


@dataclass(frozen=True)
class Scene:
    """One image before it is made. Everything later is a pure function of this."""

    format: int
    seed: int
    index: int
    """Which image of the run it is, from 0; its image id is one more."""
    view_name: str
    people: tuple[Person, ...]
    occluders: tuple[Occluder, ...]
    camera: Camera
    lights: tuple[DirectionalLight, ...]
    ambient: float
    """Strength of the light that comes from the background on all sides."""
    background: Background
    sensor: Sensor = PERFECT


_EXPLAINED = 50_000
"""Letters of a line of which an error names every wrong value; of longer ones that takes long."""


_KINDS = {Photo: "photo", Plain: "plain", Room: "room", EnvironmentMap: "panorama"}


def _converter(explains: bool) -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=explains)
    configure_tagged_union(
        Background,
        converter,
        tag_generator=_KINDS.__getitem__,
        tag_name="kind",
    )
    return converter


_CONVERTER, _BRIEF = _converter(True), _converter(False)


def _worded(error: BaseException, kind: type | None) -> str:
    return str(error) if isinstance(error, UserError) else format_exception(error, kind)


def scene_to_json(scene: Scene) -> str:
    """One line of JSON; floats keep every digit, so the scene comes back the same."""
    return json.dumps(_CONVERTER.unstructure(scene), separators=(",", ":"))


def scene_from_json(line: str) -> Scene:
    """The scene of one line of `scenes.jsonl`. Raises `UserError` for anything else."""
    try:
        data: Any = json.loads(line)
        number = data.get("format")
        if not isinstance(number, int):
            raise ValueError("its format is no number")
    except (ValueError, AttributeError, RecursionError) as error:
        raise UserError(f"not a scene: {line[:60]!r}… ({error})") from error
    if number != FORMAT:
        raise UserError(
            f"scene format {number} cannot be made by this version (it makes {FORMAT}); install "
            "the version of repogen named in run.json"
        )
    try:
        return (_CONVERTER if len(line) < _EXPLAINED else _BRIEF).structure(data, Scene)
    except Exception as error:
        why = "; ".join(cattrs.transform_error(error, format_exception=_worded))
        raise UserError(f"not a scene: {line[:60]!r}… ({why})") from error
