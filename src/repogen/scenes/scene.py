"""A scene: everything one image is made from, as plain numbers, to and from JSON."""

import json
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Any

import cattrs
from cattrs.gen import make_dict_unstructure_fn, override
from cattrs.strategies import configure_tagged_union
from cattrs.v import format_exception

from repogen.cameras.camera import Camera
from repogen.environment.backgrounds import Background, Photo, Plain, Room
from repogen.environment.lights import DirectionalLight
from repogen.environment.occluders import Occluder
from repogen.environment.panoramas import Panorama
from repogen.environment.sensor import PERFECT, Sensor
from repogen.errors import UserError
from repogen.people.person import Person

FORMAT = 5
"""The version of scenes; it grows when a scene would no longer give the same picture."""


@dataclass(frozen=True)
class Scene:
    """One image before it is rendered. Picture and labels are a pure function of it.

    Lengths are metres in the world frame, z up.
    """

    format: int
    seed: int
    index: int
    """The image's number in its run, from 0; its COCO image id is one more."""
    group: int
    """The number of its pose in the run, from 0: scenes of one group show the same people and place
    (--views-per-pose)."""
    view_name: str
    people: tuple[Person, ...]
    occluders: tuple[Occluder, ...]
    camera: Camera
    lights: tuple[DirectionalLight, ...]
    ambient: float
    """Strength of the light from all sides."""
    tinted: bool
    """Whether the light from all sides has the background's colours; else it is white."""
    background: Background
    sensor: Sensor = PERFECT
    unreadable: tuple[str, ...] = ()
    """Files that had gone bad when the scene was drawn, with the reasons; others were drawn in
    their place. Not in the JSON if there are none."""

    def to_json(self) -> str:
        """The scene as one line of JSON. Floats keep every digit.

        >>> scene = repogen.sample_scene(repogen.SceneConfig(views=("top",)), seed=7)
        >>> repogen.Scene.from_json(scene.to_json()) == scene
        True
        """
        return json.dumps(_CONVERTER.unstructure(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Scene":
        """The scene of `to_json`, or of one line of a dataset's scenes.jsonl.

        Raises `UserError` for any other text and for a scene of another `FORMAT`.
        """
        try:
            data: Any = json.loads(text)
            number = data.get("format")
            if not isinstance(number, int):
                raise ValueError("its format is not a whole number")
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"not a scene: {shortened(text)} ({error})") from error
        if number != FORMAT:
            raise UserError(
                f"this version of repogen reads scenes of format {FORMAT}, not {number}; install "
                "the version named in run.json"
            )
        try:
            return (_CONVERTER if len(text) < _EXPLAINED else _BRIEF).structure(data, cls)
        except Exception as error:
            why = "; ".join(cattrs.transform_error(error, format_exception=_message))
            raise UserError(f"not a scene: {text[:60]!r}… ({why})") from error


_EXPLAINED = 50_000
"""Errors name every wrong value of lines shorter than this; for longer ones that takes long."""


_KINDS = {Photo: "photo", Plain: "plain", Room: "room", Panorama: "panorama"}


def _converter(explains: bool) -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=explains)
    configure_tagged_union(
        Background,
        converter,
        tag_generator=_KINDS.__getitem__,
        tag_name="kind",
    )
    rare = override(omit_if_default=True)
    converter.register_unstructure_hook(
        Scene, make_dict_unstructure_fn(Scene, converter, unreadable=rare)
    )
    return converter


_CONVERTER, _BRIEF = _converter(True), _converter(False)


def _message(error: BaseException, kind: type | None) -> str:
    return str(error) if isinstance(error, UserError) else format_exception(error, kind)
