"""Validation of scenes.jsonl against the COCO entries: order, camera, effects and views."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import zip_longest

from repogen.cameras.camera import View, view_of
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import Entry, read_scenes
from repogen.datasets.validate.annotations import camera_of
from repogen.environment.sensor import active_effects
from repogen.errors import UserError
from repogen.scenes.scene import Scene

_TOLERANCE = 1e-4
"""Degrees or metres by which a stored view may differ from the scene's."""


def check_scenes(
    folder: DatasetFolder, entries: Iterable[tuple[Entry, Sequence[Entry]]]
) -> Iterator[str]:
    """Problems of the scenes of these images, each with its annotations."""
    images = scenes = 0
    try:
        for entry, scene in zip_longest(entries, read_scenes(folder)):
            scenes += scene is not None
            images += entry is not None
            if scene is not None and entry is not None:
                yield from _check_scene(scene, *entry)
    except UserError as error:
        yield str(error).removeprefix(f"{folder.root}/")
        return
    if scenes != images:
        yield f"scenes.jsonl has {scenes} scenes for {images} images"


def _check_scene(scene: Scene, image: Entry, people: Sequence[Entry]) -> Iterator[str]:
    where = f"scenes.jsonl line {image['id']}"
    if scene.index + 1 != image["id"]:
        yield f"{where}: is of image {scene.index + 1}"
        return
    try:
        yield from (f"{where}: {problem}" for problem in _differences(scene, image, people))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        yield f"image {image['id']}: its records cannot be read: {error!r}"


def _differences(scene: Scene, image: Entry, people: Sequence[Entry]) -> Iterator[str]:
    if camera_of(image) != scene.camera:
        yield "its camera is not that of the image record"
    if image["group"] != scene.group + 1:
        yield "its group is not that of the image record"
    if image["effects"] != active_effects(scene.sensor):
        yield "its effects are not those of the image record"
    views = [view_of(scene.camera, person.position, person.yaw_deg) for person in scene.people]
    if image["view"]["name"] != scene.view_name or not _same_view(image["view"], views[0]):
        yield "its view is not that of the image record"
    remaining = iter(views)  # a person without a visible pixel has no annotation
    for person in people:
        if not any(_same_view(person["view"], view) for view in remaining):
            yield f"none of its people has the view of annotation {person['id']}"
            return


def _same_view(record: Entry, view: View) -> bool:
    off = {name: record[name] - value for name, value in asdict(view).items()}
    angles = [(off[name] + 180) % 360 - 180 for name in off if name != "distance_m"]
    return all(abs(value) < _TOLERANCE for value in (*angles, off["distance_m"]))
