"""A scene: everything one image is made from, as plain numbers, to and from JSON."""

import json
from dataclasses import dataclass
from reprlib import repr as shortened
from typing import Annotated, Any

from repogen.cameras.camera import Camera
from repogen.environment.backgrounds import BACKGROUNDS, Background
from repogen.environment.lights import DirectionalLight
from repogen.environment.occluders import Occluder
from repogen.environment.sensor import PERFECT, Sensor
from repogen.environment.water import Water
from repogen.errors import UserError
from repogen.limits import MAX_LIGHTS, MAX_OCCLUDERS, MAX_PEOPLE, MAX_SHADOWS
from repogen.people.person import Person
from repogen.records import Between, Length, Matching, decode, parse_json

FORMAT = 7
"""The version of scenes; it grows when a scene would no longer give the same picture."""


ViewName = Annotated[str, Matching("[A-Za-z0-9][A-Za-z0-9_-]{0,39}", "the name of a view")]


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
    view_name: ViewName
    people: Annotated[tuple[Person, ...], Length(0, MAX_PEOPLE)]
    occluders: Annotated[tuple[Occluder, ...], Length(0, MAX_OCCLUDERS)]
    camera: Camera
    lights: Annotated[tuple[DirectionalLight, ...], Length(0, MAX_LIGHTS)]
    ambient: Annotated[float, Between(0, 1000)]
    """Strength of the light from all sides."""
    tinted: bool
    """Whether the light from all sides has the background's colours; else it is white."""
    background: Background
    sensor: Sensor = PERFECT
    water: Water | None = None
    unreadable: Annotated[tuple[str, ...], Length(0, 20_000)] = ()
    """Files that had gone bad when the scene was drawn, with the reasons; others were drawn in
    their place. Not in the JSON if there are none."""

    def __post_init__(self) -> None:
        shadows = sum(light.shadow for light in self.lights)
        if shadows > MAX_SHADOWS:
            raise UserError(f"{shadows} lights cast shadows; at most {MAX_SHADOWS} may")

    def to_json(self) -> str:
        """The scene as one line of JSON. Floats keep every digit.

        >>> scene = repogen.sample_scene(repogen.SceneConfig(views=("top",)), seed=7)
        >>> repogen.Scene.from_json(scene.to_json()) == scene
        True
        """
        return json.dumps(self, default=_table, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Scene":
        """The scene of `to_json`, or of one line of a dataset's scenes.jsonl.

        Raises `UserError` for any other text and for a scene of another `FORMAT`.
        """
        return parse_scene(text, "not a scene")


def parse_scene(text: str, where: str) -> Scene:
    """`Scene.from_json`, with errors that begin with `where`."""
    data = parse_json(text, where)
    number = data.get("format") if isinstance(data, dict) else None
    if not isinstance(number, int):
        raise UserError(f"{where}: {shortened(data)} has no format, a whole number")
    if number != FORMAT:
        raise UserError(
            f"{where}: this version of repogen reads scenes of format {FORMAT}, not "
            f"{shortened(number)}; install the version named in run.json"
        )
    return decode(data, Scene, where)


def _table(part: Any) -> dict[str, Any]:
    """A part of a scene as a JSON table; of a class of `Background`, with its kind."""
    table = dict(vars(part))
    kind = _KINDS.get(type(part))
    if kind is not None:
        table["kind"] = kind
    if not table.get("unreadable", True):
        del table["unreadable"]
    return table


_KINDS = {kind: name for name, kind in BACKGROUNDS}
