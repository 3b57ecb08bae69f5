"""Checking scenes.jsonl against the records: order, camera, effects, and everybody's view."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from repogen.cameras.camera import View, view_of
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import read_scenes
from repogen.datasets.validate.annotations import camera_of
from repogen.environment.sensor import active_effects
from repogen.errors import UserError
from repogen.scenes.scene import Scene

_NEAR = 1e-4
"""Degrees and metres that a view may be off."""

Record = dict[str, Any]


def check_scenes(
    folder: DatasetFolder, entries: Iterable[tuple[Record, Sequence[Record]]]
) -> Iterator[str]:
    """What is wrong with the scenes of these images, each with the people it shows."""
    images = scenes = 0
    try:
        for entry, scene in zip_longest(entries, read_scenes(folder)):
            scenes += scene is not None
            images += entry is not None
            if scene is not None and entry is not None:
                yield from _told(scene, *entry)
    except UserError as error:
        yield f"scenes.jsonl line {scenes + 1}: {error}"
        return
    if scenes != images:
        yield f"scenes.jsonl has {scenes} scenes for {images} images"


def _told(scene: Scene, image: Record, people: Sequence[Record]) -> Iterator[str]:
    where = f"scenes.jsonl line {image['id']}"
    if scene.index + 1 != image["id"]:
        yield f"{where}: is of image {scene.index + 1}"
        return
    try:
        yield from (f"{where}: {text}" for text in _check(scene, image, people))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        yield f"image {image['id']}: its records cannot be read: {error!r}"


def _check(scene: Scene, image: Record, people: Sequence[Record]) -> Iterator[str]:
    if camera_of(image) != scene.camera:
        yield "its camera is not that of the image record"
    if image["effects"] != active_effects(scene.sensor):
        yield "its effects are not those of the image record"
    views = [view_of(scene.camera, person.position, person.yaw_deg) for person in scene.people]
    if image["view"]["name"] != scene.view_name or not _same(image["view"], views[0]):
        yield "its view is not that of the image record"
    rest = iter(views)  # whom no pixel shows has no annotation
    for person in people:
        if not any(_same(person["view"], view) for view in rest):
            yield f"nobody in it has the view of annotation {person['id']}"
            return


def _same(record: Record, view: View) -> bool:
    """Whether a record's view is this one."""
    off = {name: record[name] - value for name, value in asdict(view).items()}
    turns = [(off[name] + 180) % 360 - 180 for name in off if name != "distance_m"]
    return all(abs(turn) < _NEAR for turn in (*turns, off["distance_m"]))
