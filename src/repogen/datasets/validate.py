"""Checking a dataset against everything it promises."""

import itertools
from collections.abc import Generator, Iterator
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float
from pycocotools import mask as rle

from repogen.bodies.protocol import PARTS
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.bodies.wholebody import GROUPS, KEYPOINT_SETS
from repogen.datasets.folder import DatasetFolder, partial_files
from repogen.datasets.reading import read_coco, read_run, read_scenes
from repogen.errors import UserError
from repogen.pictures import read_picture
from repogen.scenes.scene import Scene
from repogen.views.camera import Camera, view_of

_PIXEL = 0.01


def validate_files(folder: DatasetFolder) -> list[str]:
    """Every broken promise of a finished dataset, a line each; none for a sound one."""
    try:
        run, coco = read_run(folder), read_coco(folder)
    except UserError as error:
        return [str(error)]
    missing = [
        k for k in ("images", "annotations", "categories") if not isinstance(coco.get(k), list)
    ]
    if missing:
        return [f"{folder.annotations}: no list {missing[0]!r}"]
    return list(
        itertools.chain(
            _check_ids(coco, run),
            _check_images(folder, coco, run),
            _check_annotations(folder, coco, run),
            _check_scenes(folder, coco),
            _check_leftovers(folder),
        )
    )


def _check_leftovers(folder: DatasetFolder) -> Iterator[str]:
    for path in partial_files(folder):
        yield f"{path.relative_to(folder.root)}: left over from a write"


def _check_ids(coco: dict[str, Any], run: dict[str, Any]) -> Iterator[str]:
    count = run["config"].get("images")
    ids = [image.get("id") for image in coco["images"]]
    if ids != list(range(1, (count or 0) + 1)):
        yield f"image ids are not 1 to {count} in order"
    ids = [annotation.get("id") for annotation in coco["annotations"]]
    if ids != list(range(1, len(ids) + 1)):
        yield f"annotation ids are not 1 to {len(ids)} in order"
    names = [category.get("keypoints") for category in coco["categories"]]
    if names != [list(COCO_KEYPOINTS)]:
        yield "the categories are not COCO's one person with 17 keypoints"


def _check_images(
    folder: DatasetFolder, coco: dict[str, Any], run: dict[str, Any]
) -> Iterator[str]:
    maps = [k for k in run["config"].get("write", []) if k != "stick"]
    if "stick" in run["config"].get("write", []):
        maps += ["stick/all", "stick/visible"]
    for image in coco["images"]:
        shape = (image["height"], image["width"])
        paths = [folder.image(image["id"])] + [folder.map(kind, image["id"]) for kind in maps]
        for path in paths:
            picture = read_picture(str(path), cv2.IMREAD_UNCHANGED)
            name = path.relative_to(folder.root)
            if picture is None:
                yield f"{name}: missing or no picture"
            elif picture.shape[:2] != shape:
                yield f"{name}: is {picture.shape[:2]}, its record says {shape} (height, width)"


def _check_annotations(
    folder: DatasetFolder, coco: dict[str, Any], run: dict[str, Any]
) -> Iterator[str]:
    images = {image["id"]: image for image in coco["images"]}
    for a in coco["annotations"]:
        where = f"annotation {a['id']}"
        image = images.get(a["image_id"])
        if image is None:
            yield f"{where}: its image {a['image_id']} does not exist"
            continue
        yield from (f"{where}: {text}" for text in _check_keypoints(a, image, run))
        yield from (f"{where}: {text}" for text in _check_more(a, image, run))
        yield from (f"{where}: {text}" for text in _check_mask(folder, a, image, run))


def _check_keypoints(
    a: dict[str, Any], image: dict[str, Any], run: dict[str, Any]
) -> Iterator[str]:
    points = yield from _check_points(a, "keypoints", "keypoints_3d", 17, image, run)
    if points is not None:
        count = int((points[:, 2] > 0).sum())
        if a["num_keypoints"] != count:
            yield f"num_keypoints is {a['num_keypoints']}, {count} are labelled"


def _check_more(a: dict[str, Any], image: dict[str, Any], run: dict[str, Any]) -> Iterator[str]:
    for group in KEYPOINT_SETS.get(run["config"].get("keypoints", "coco"), ()):
        points = yield from _check_points(
            a, f"{group}_kpts", f"{group}_3d", len(GROUPS[group]), image, run
        )
        if points is None:
            continue
        labelled = points[points[:, 2] > 0, :2]
        if a.get(f"{group}_valid") != bool(len(labelled)):
            yield f"{group}_valid is {a.get(f'{group}_valid')}, {len(labelled)} are labelled"
        if group != "foot" and len(labelled):
            x, y, width, height = a.get(f"{group}_box") or np.zeros(4)
            low, high = np.array([x, y]), np.array([x + width, y + height])
            if (np.abs([labelled.min(axis=0) - low, labelled.max(axis=0) - high]) > _PIXEL).any():
                yield f"{group}_box is not around its labelled points"


def _check_points(
    a: dict[str, Any], flat: str, deep: str, count: int, image: dict[str, Any], run: dict[str, Any]
) -> Generator[str, None, Float[np.ndarray, "k 3"] | None]:
    """Checks x, y, v under the key `flat` against metres under `deep`; returns the former."""
    try:
        points = np.array(a[flat], dtype=float).reshape(count, 3)
        space = np.array(a[deep], dtype=float).reshape(count, 3)
    except (KeyError, ValueError):
        yield f"{flat} or {deep} are not {count} triples"
        return None
    flags = points[:, 2]
    if not np.isin(flags, (0, 1, 2)).all():
        yield f"a v of {flat} is not 0, 1 or 2"
    if (points[flags == 0] != 0).any():
        yield f"a point of {flat} with v = 0 has coordinates"
    camera = _camera_of(image)
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = camera.to_pixels(space)
    labelled = flags > 0
    if labelled.any() and np.abs(pixels - points[:, :2])[labelled].max() > _PIXEL:
        yield f"{deep} project more than {_PIXEL} px away from {flat}"
    inside = camera.in_view(space) & (pixels >= 0).all(axis=1)
    inside &= (pixels < [image["width"], image["height"]]).all(axis=1)
    dropped = run["config"].get("hidden") == "drop"
    if (labelled & ~inside).any() or (not dropped and (inside & ~labelled).any()):
        yield f"v = 0 in {flat} does not mean outside the image"
    if dropped and (flags == 1).any():
        yield f"occluded points of {flat} are kept, though run.json says they are dropped"
    return points


def _camera_of(image: dict[str, Any]) -> Camera:
    """The camera of an image record."""
    record = image["camera"]
    (fx, _, cx), (_, fy, cy), _ = record["K"]
    return Camera(
        image["width"], image["height"], fx, fy, cx, cy, tuple(map(tuple, record["R"])),
        tuple(record["t"]), record["model"], tuple(record["distortion"]),
    )  # fmt: skip


def _check_mask(
    folder: DatasetFolder, a: dict[str, Any], image: dict[str, Any], run: dict[str, Any]
) -> Iterator[str]:
    size = [image["height"], image["width"]]
    for kind in ("segmentation", "amodal_segmentation"):
        if a[kind]["size"] != size:
            yield f"its {kind} is {a[kind]['size']}, its image {size}"
            return
    mask = rle.decode(a["segmentation"])
    if a["area"] != mask.sum():
        yield f"area is {a['area']}, its mask has {mask.sum()} pixels"
    if (mask > rle.decode(a["amodal_segmentation"])).any():
        yield "its segmentation reaches beyond its amodal one"
    if list(rle.toBbox(a["segmentation"])) != a["bbox"]:
        yield f"bbox {a['bbox']} is not its mask's {list(rle.toBbox(a['segmentation']))}"
    kinds = run["config"].get("write", [])
    for kind in ("masks", "depth", "parts"):
        if kind in kinds:
            path = folder.map(kind, image["id"])
            picture = read_picture(str(path), cv2.IMREAD_UNCHANGED)
            if picture is not None and picture.shape == mask.shape:
                if ((picture == 0) & (mask > 0)).any():
                    yield f"{path.relative_to(folder.root)} is empty where its mask is not"
                if kind == "parts" and picture.max() >= len(PARTS):
                    yield f"{path.relative_to(folder.root)} names part {picture.max()}"


def _check_scenes(folder: DatasetFolder, coco: dict[str, Any]) -> Iterator[str]:
    count = 0
    try:
        for image, scene in zip(coco["images"], read_scenes(folder), strict=False):
            count += 1
            if scene.index + 1 != image["id"]:
                yield f"scenes.jsonl line {count}: is of image {scene.index + 1}"
            elif not _same_camera(image, scene):
                yield f"scenes.jsonl line {count}: its camera is not that of the image record"
    except UserError as error:
        yield f"scenes.jsonl line {count + 1}: {error}"
        return
    if count != len(coco["images"]):
        yield f"scenes.jsonl has {count} scenes for {len(coco['images'])} images"


def _same_camera(image: dict[str, Any], scene: Scene) -> bool:
    camera, person = scene.camera, scene.people[0]
    view = view_of(camera, person.position, person.yaw_deg)
    recorded = image["view"]
    return (
        _camera_of(image) == camera
        and abs(recorded["elevation_deg"] - view.elevation_deg) < 1e-4
        and abs(recorded["distance_m"] - view.distance_m) < 1e-4
    )
