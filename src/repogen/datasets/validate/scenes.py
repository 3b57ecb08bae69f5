"""Validation of a scene: against the record of its image, and the options of its run."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from repogen.cameras.camera import Camera
from repogen.cameras.viewpoints import FIXED_VIEW, parse_views
from repogen.datasets.chunks import compact_json
from repogen.datasets.folder import image_name
from repogen.datasets.reading import OWN_SCENES, Entry
from repogen.environment.occluders import BED_SHAPES, CLIMBING_WALL
from repogen.json_files import strict_json
from repogen.labels.annotation import image_record, view_records
from repogen.people.person import Person, world_rotation
from repogen.poses.sampler import LEARNT_VIEW
from repogen.scenes.scene import Scene

_TOLERANCE = 1e-4
"""Degrees, metres or pixels by which a stored number may differ from the scene's."""

_HIPS = 11, 12
"""The left and the right hip among the 17 keypoints."""

_HIPS_AWAY = 0.15
"""Metres by which the middle of the labelled hips may lie away from the person's position, which
is that of the joints: the largest of 171 people was 0.044."""


def check_scene(
    text: str, image_id: int, image: Entry, people: Sequence[Entry], run: Entry
) -> Iterator[str]:
    """Problems of a scene, as a line of JSON, with the record of its image, its annotations, and
    the run.json of its run.

    Raises `KeyError`, `TypeError` or `ValueError` for what cannot be read.
    """
    if compact_json(strict_json(text)) + "\n" != text:
        yield "is not written as repogen writes it"
    scene = Scene.from_json(text)
    if scene.index + 1 != image_id:
        yield f"is of image {scene.index + 1}"
        return
    config = run["config"]
    if {person.body for person in scene.people} != {config["people"]["body"]}:
        yield f"has other bodies than run.json's {config['people']['body']}"
    if OWN_SCENES not in run:
        yield from _against_options(scene, config)
    yield from _against_image(scene, image)
    yield from _against_people(scene, people)


def _against_options(scene: Scene, config: Entry) -> Iterator[str]:
    """What can be said without drawing the scene again."""
    camera, people = config["camera"], config["people"]
    if scene.seed != config["seed"]:
        yield f"is of seed {scene.seed}, run.json says {config['seed']}"
    if not camera["camera"]:  # a calibration's file says what its cameras are
        yield from _against_camera_options(scene, camera, config["pose"].get("sampler") is not None)
    if not 1 <= len(scene.people) <= people["people"][1]:
        yield f"has {len(scene.people)} people, run.json at most {people['people'][1]}"
    if (scene.water is not None) != config["environment"]["water"]:
        yield f"has {'no ' if scene.water is None else ''}water, unlike run.json"
    shapes = {one.shape for one in scene.occluders}
    for ground, part in (("bed", BED_SHAPES[0]), ("wall", CLIMBING_WALL)):
        if (part in shapes) != (people["ground"] == ground):
            yield f"has a {ground}, or none, unlike run.json's ground {people['ground']}"
    if people["ground"] in ("bed", "wall"):  # which have many parts
        return
    if len(scene.occluders) > config["environment"]["occluders"][1]:
        yield f"has {len(scene.occluders)} occluders, more than run.json allows"


def _against_camera_options(scene: Scene, camera: Entry, is_learnt: bool) -> Iterator[str]:
    if scene.group != scene.index // camera["views_per_pose"]:
        yield f"is of group {scene.group}, run.json has {camera['views_per_pose']} views per pose"
    views = [name for name, _ in parse_views(tuple(camera["views"]))]
    views += [LEARNT_VIEW] * is_learnt
    if scene.view_name not in views:
        yield f"is of the view {scene.view_name}, run.json names {', '.join(views)}"
    if scene.camera.model != camera["lens"]:
        yield f"has the lens {scene.camera.model}, run.json says {camera['lens']}"
    size, wanted = [scene.camera.width, scene.camera.height], camera["image_size"]
    wanted = wanted if isinstance(wanted, list) else [wanted, wanted]
    if camera["crop"] is None and size != wanted:
        yield f"has {size[0]} x {size[1]} pixels, run.json says {wanted[0]} x {wanted[1]}"


def _against_image(scene: Scene, image: Entry) -> Iterator[str]:
    wanted = image_record(scene, image_name(scene.index + 1))
    view, theirs = wanted["view"], image["view"]
    if view["name"] != theirs["name"] or not _same_view(theirs, view):
        yield "does not give the view of the image record"
    for key in wanted | image:
        if key != "view" and not _agree(wanted.get(key), image.get(key)):
            yield f"does not give the {key} of the image record"


def _agree(ours: Any, theirs: Any) -> bool:
    """Whether two JSON values are the same but for small differences of numbers."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_agree(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list | tuple) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_agree, ours, theirs))
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in (ours, theirs)):
        return abs(ours - theirs) < _TOLERANCE
    return type(ours) is type(theirs) and ours == theirs


def _against_people(scene: Scene, people: Sequence[Entry]) -> Iterator[str]:
    if len(people) > len(scene.people):
        yield f"has {len(scene.people)} people for {len(people)} annotations"
        return
    # A person without a visible pixel has no annotation.
    remaining = enumerate(scene.people, 1)
    is_fixed = scene.view_name.startswith(FIXED_VIEW)
    for annotation in people:
        for number, person in remaining:
            views = view_records(scene.camera, person)
            if all(_same_view(annotation[key], view) for key, view in views.items()):
                yield from _against_person(scene.camera, person, annotation)
                if annotation.get("person") != (number if is_fixed else None):
                    yield f"annotation {annotation['id']} should be of person {number}"
                break
        else:
            yield f"none of its people has the view of annotation {annotation['id']}"
            return


def _same_view(record: Entry, view: Entry) -> bool:
    off = {name: record[name] - value for name, value in view.items() if name != "name"}
    angles = [(off[name] + 180) % 360 - 180 for name in off.keys() - {"distance_m"}]
    return all(abs(value) < _TOLERANCE for value in (*angles, off.get("distance_m", 0.0)))


def _against_person(camera: Camera, person: Person, annotation: Entry) -> Iterator[str]:
    """Whether the labelled hips are where the person stands, the left one at their left."""
    points = np.array([annotation["keypoints_3d"][hip] for hip in _HIPS], dtype=float)
    left, right = (points - camera.translation) @ np.array(camera.rotation)
    away = np.linalg.norm((left + right) / 2 - person.position)
    if not away < _HIPS_AWAY:
        yield f"annotation {annotation['id']} has its hips {away:.2f} m away from its person"
    if (left - right) @ world_rotation(person)[:, 0] <= 0:
        yield f"annotation {annotation['id']} has left and right exchanged"
