"""Backgrounds: photographs, panoramas, built-in rooms and plain colours."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from os.path import isdir
from pathlib import Path
from typing import Annotated, Any, Protocol

import cv2
import numpy as np

from repogen.arrays import UInt8
from repogen.assets import check_pack_file, check_panorama, pack_dir
from repogen.assets.packs import CORE, INDOORS, NO_FLOOR, OPEN, find_packs
from repogen.assets.sources import Source, path_of, source_of
from repogen.coco.names import id_key, person_categories
from repogen.coco.references import find_pictures
from repogen.colors import from_hex, to_hex
from repogen.environment.panoramas import Panorama, sample_panorama
from repogen.environment.rooms import Room, sample_room
from repogen.errors import UserError
from repogen.json_files import read_json
from repogen.picture_checks import check_complete, check_picture, read_complete
from repogen.pictures import decode_picture
from repogen.records import Color, Position, Tagged, Unit
from repogen.usable_files import (
    draw_readable,
    file_stamp,
    find_usable,
    report_bad,
    warn_once,
)

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
_PANORAMAS = (".hdr", ".exr")
_LONGEST_SIDE = 1600
_MEMORY = 24
_WHOLE = (0.0, 0.0, 1.0, 1.0)
_ROUNDING = 1e-6
_OF_PACKS = ("auto", "indoors", "outdoors")
_BUILT_IN = "built-in places"
"""run.json holds these words, and resuming compares them."""


@dataclass(frozen=True)
class Photo:
    """A window of a photograph: left, top, width and height as shares of its sides.

    `floor_z` is the height of the floor that it shows, metres in the world frame, where the scene's
    camera took it; None for any other photograph.
    """

    file: Source
    window: tuple[Unit, Unit, Unit, Unit]
    flip: bool
    floor_z: Position | None = None

    def __post_init__(self) -> None:
        left, top, width, height = self.window
        if not (width > 0 < height and max(left + width, top + height) < 1 + _ROUNDING):
            raise UserError(f"window {self.window} must lie within the photograph, 0 to 1")


@dataclass(frozen=True)
class Plain:
    """One sRGB colour."""

    color: Color


BACKGROUNDS: tuple[tuple[str, type], ...] = (
    ("photo", Photo), ("plain", Plain), ("room", Room), ("panorama", Panorama),
)  # fmt: skip
"""Backgrounds by their kind in JSON."""

Background = Annotated[Photo | Plain | Room | Panorama, Tagged("kind", BACKGROUNDS)]


class BackgroundSampler(Protocol):
    """Draws a random background."""

    def __call__(
        self, rng: np.random.Generator, low: float, far: float, overlook: float = 0.0
    ) -> Background:
        """A background for a scene whose lowest point (people and camera) has the z `low`, and
        whose farthest one is `far` from the origin, metres. With `overlook` a camera looks over
        the ground from so many metres above: it is a panorama of wide ground, if there is one."""


def parse_backgrounds(
    spec: str,
    packs: Sequence[str] = (),
    size: tuple[int, int] = (1, 1),
    exact: bool = False,
    on_floor: bool = False,
) -> tuple[BackgroundSampler, str]:
    """A sampler of the backgrounds that `spec` names, and a description of what it found.

    Bad files are left out, and one warning names the first. `spec` is `auto` (panoramas of the
    asset packs `packs`, else `builtin`); `indoors` (those of rooms and halls alone); `outdoors`
    (the others); `builtin`; `plain` (random colours) or `#rrggbb`; a folder of photographs or of
    panoramas (.hdr, .exr); or `coco:ANNOTATIONS.json:IMAGES_DIR`, for its images without an
    annotated person. `size` is the pictures' width and height, pixels; with `exact` photographs
    must have that size, and are used whole. With `on_floor` panoramas without a floor are left out.
    Raises `UserError` if it finds none, for a photograph of another size, and for a damaged file of
    `CORE`.
    """
    if spec in _OF_PACKS:
        panoramas = _panoramas_of(packs)
        if spec != "auto":
            rooms = tagged(packs, INDOORS)
            inside = spec == "indoors"
            panoramas = {p: root for p, root in panoramas.items() if (p in rooms) == inside}
        if on_floor:
            floorless = tagged(packs, NO_FLOOR)
            panoramas = {p: root for p, root in panoramas.items() if p not in floorless}
        if not panoramas:
            return _sample_room, _BUILT_IN
        return _panoramas(spec, panoramas, tagged(packs, OPEN))
    if spec == "builtin":
        return _sample_room, _BUILT_IN
    if spec == "plain":
        return lambda rng, *_: Plain(to_hex(rng.random(3))), "plain colours"
    if spec.startswith("#"):
        from_hex(spec)
        return lambda *_: Plain(spec), f"plain {spec}"
    root, paths = background_files(spec)
    if paths[0].suffix.lower() in _PANORAMAS and not spec.startswith("coco:"):
        if exact:
            raise UserError(f"--background-fit exact needs photographs; {spec} holds panoramas")
        return _panoramas(spec, dict.fromkeys(paths, root), frozenset())
    if exact:
        found = find_usable(paths, _photo_size, spec)
    else:
        found = find_usable(paths, check_picture, spec, quick=check_complete)
    if not found.files:
        raise UserError(
            f"--backgrounds {spec}: none of its {found.count} image files can be read, the first "
            f"because {found.bad[0]}"
        )
    report_bad(f"--backgrounds {spec}", found)
    good = found.files
    for path, own in zip(good, found.values, strict=True):
        if exact and tuple(own) != size:
            raise UserError(
                f"--background-fit exact: {path} has {own[0]} x {own[1]} pixels, the images have "
                f"{size[0]} x {size[1]}; remove it, or give --background-fit cover"
            )

    def sample(
        rng: np.random.Generator, low: float, far: float, overlook: float = 0.0
    ) -> Background:
        del low, far, overlook  # photographs suit all
        order = iter(rng.permutation(len(good)).tolist())
        if exact:
            return draw_readable(lambda: _whole_photo(good[next(order, 0)], root, size))
        return draw_readable(lambda: _sample_window(rng, good[next(order, 0)], root, size))

    skipped = f" ({len(found.bad)} unreadable files skipped)" if found.bad else ""
    return sample, f"{len(good)} photographs{skipped}"


def names_files(spec: str) -> bool:
    """Whether `--backgrounds spec` names files of the user."""
    return spec not in (*_OF_PACKS, "builtin", "plain") and not spec.startswith("#")


def background_files(spec: str) -> tuple[Path, list[Path]]:
    """The files of the folder or COCO set that `spec` names, and the folder that they are in.

    A folder's panoramas, if it has any, else its photographs. Raises `UserError` for neither.
    """
    root = background_root(spec)
    if spec.startswith("coco:"):
        return root, _coco_paths(spec)
    if isdir(spec):
        panoramas = sorted(p for p in root.rglob("*") if p.suffix.lower() in _PANORAMAS)
        if panoramas:
            return root, [path.absolute() for path in panoramas]
    return root, _folder_paths(root)


def _panoramas_of(packs: Sequence[str]) -> dict[Path, Path]:
    """The panoramas of asset packs, each with the folder of its pack's folder."""
    return {
        pack_dir(pack.name) / file: pack_dir(pack.name).parent
        for pack in find_packs(packs).values()
        for item in pack.items
        if item.kind == "environment"
        for file in item.files
    }


def tagged(packs: Sequence[str], tag: str) -> frozenset[Path]:
    """The files of asset packs whose items have this tag, such as `NO_FLOOR`."""
    return frozenset(
        pack_dir(pack.name) / file
        for pack in find_packs(packs).values()
        for item in pack.items
        if tag in item.tags
        for file in item.files
    )


def has_floor(background: Background, without: Collection[Path]) -> bool:
    """Whether a background has a floor that objects can stand on; `without` are the panoramas that
    have none."""
    if isinstance(background, Panorama):
        return path_of(background.file) not in without
    return isinstance(background, Room)


def _sample_room(rng: np.random.Generator, low: float, far: float, overlook: float = 0.0) -> Room:
    del overlook  # it suits all
    return sample_room(rng, low, far)


def _panoramas(
    spec: str, roots: dict[Path, Path], wide: Collection[Path]
) -> tuple[BackgroundSampler, str]:
    """A sampler of the panoramas that are the keys of `roots`, named by their paths below its
    values; `wide` are those of wide ground.

    Those of `CORE` can be read where they are as they were shipped.
    """
    shipped = [path for path in roots if path.is_relative_to(pack_dir(CORE))]
    for path in shipped:
        check_pack_file(path)
    others = [path for path in roots if path not in shipped]
    # One at a time: while OpenEXR reads, what it prints is discarded.
    found = find_usable(others, _check_panorama, spec, threads=1)
    if not shipped and not found.files:
        raise UserError(
            f"--backgrounds {spec}: none of its {found.count} panoramas can be used, the first "
            f"because {found.bad[0]}"
        )
    report_bad(f"--backgrounds {spec}", found)
    clamped = [note for note in found.values if note]
    if clamped:
        more = f" (and {len(clamped) - 1} more panoramas)" if len(clamped) > 1 else ""
        warn_once(f"{clamped[0]}{more}")
    usable = {*shipped, *found.files}
    good = [path for path in roots if path in usable]
    good_wide = [path for path in good if path in wide] or good
    stamps = {path: file_stamp(path) for path in good}

    def sample(
        rng: np.random.Generator, low: float, far: float, overlook: float = 0.0
    ) -> Background:
        def draw() -> Background:
            suited = good_wide if overlook else good
            path = suited[int(rng.integers(len(suited)))]
            if file_stamp(path) != stamps[path]:  # its light may be cached, its pixels are not
                _check_panorama(path)
            return sample_panorama(
                rng, source_of(path, roots[path]), low, far, path in wide, overlook
            )

        return draw_readable(draw)

    skipped = f" ({len(found.bad)} unreadable files skipped)" if found.bad else ""
    return sample, f"{len(good)} panoramas{skipped}"


def _check_panorama(path: Path) -> str | None:
    """`check_panorama`; also raises `UserError` where a file of a pack has changed."""
    check_pack_file(path)
    return check_panorama(path)


def _folder_paths(folder: Path) -> list[Path]:
    if not isdir(folder):
        raise UserError(
            f"--backgrounds {folder}: no such folder; give a folder of photographs, "
            "coco:ANNOTATIONS.json:IMAGES_DIR, builtin, plain or #rrggbb"
        )
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise UserError(f"--backgrounds {folder}: no image files in it (looked for .jpg, .png, …)")
    return [path.absolute() for path in paths]


def background_root(spec: str) -> Path:
    """The folder of the pictures that `spec`, a folder or a COCO set, names.

    Raises `UserError` for a COCO set that is not written as one.
    """
    if not spec.startswith("coco:"):
        return Path(spec)
    parts = spec.split(":")
    if len(parts) != 3 or not all(parts):
        raise UserError(f"--backgrounds {spec} must read coco:ANNOTATIONS.json:IMAGES_DIR")
    return Path(parts[2])


def _coco_paths(spec: str) -> list[Path]:
    folder = background_root(spec)
    annotations = Path(spec.split(":")[1])
    try:
        data: Any = read_json(annotations)
        people = person_categories(data["categories"])
        peopled = {
            id_key(a["image_id"]) for a in data["annotations"] if id_key(a["category_id"]) in people
        }
        names = sorted(i["file_name"] for i in data["images"] if id_key(i["id"]) not in peopled)
    except UserError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{annotations} is not a COCO file (images, annotations, categories): {error!r}"
        ) from error
    if not names:
        raise UserError(f"{annotations} lists no image without a person")
    if not folder.is_dir():
        raise UserError(f"--backgrounds {spec}: no folder {folder}")
    try:
        found = find_pictures(folder, names, str(annotations))
        if any("\0" in name for name in found):
            raise ValueError("a null character")
        return [(folder / name).absolute() for name in found]
    except (OSError, TypeError, ValueError) as error:  # a name of any length
        raise UserError(f"{annotations}: invalid file name: {error}") from error


def _photo_size(path: Path) -> list[int]:
    """Width and height of a photograph, pixels. Raises `UserError` as `load_photo` does."""
    height, width = _decode_photo(str(path)).shape[:2]
    return [width, height]


def _whole_photo(path: Path, root: Path, size: tuple[int, int]) -> Photo:
    """A photograph of this size, whole and not mirrored."""
    if _photo_size(path) != list(size):
        raise UserError(f"background {path} no longer has {size[0]} x {size[1]} pixels")
    return Photo(source_of(path, root), _WHOLE, False)


def _sample_window(
    rng: np.random.Generator, path: Path, root: Path, size: tuple[int, int]
) -> Photo:
    """A window of the shape of `size` (width, height) and of 45 to 100 % of the largest that the
    photograph holds, anywhere in it."""
    height, width = load_photo(str(path)).shape[:2]
    file = source_of(path, root)
    across, down = size[0] / max(size), size[1] / max(size)
    share = float(rng.uniform(0.45, 1.0))
    side = share * min(height / down, width / across)
    w, h = side * across / width, side * down / height
    left, top = float(rng.uniform(0, 1 - w)), float(rng.uniform(0, 1 - h))
    return Photo(file, (left, top, w, h), bool(rng.random() < 0.5))


@lru_cache(maxsize=_MEMORY)
def load_photo(path: str) -> UInt8[np.ndarray, "h w 3"]:
    """A photograph, BGR, at most 1,600 pixels long; the last few are cached.

    Raises `UserError` for a file that cannot be read or is truncated.
    """
    picture = _decode_photo(path)
    longest = max(picture.shape[:2])
    if longest > _LONGEST_SIDE:
        scale = _LONGEST_SIDE / longest
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return picture


def _decode_photo(path: str) -> UInt8[np.ndarray, "h w 3"]:
    picture = decode_picture(np.frombuffer(read_complete(Path(path)), np.uint8))
    if picture is None:
        raise UserError(f"background {path} cannot be read as an image; remove or replace it")
    return picture


def photo_pixels(photo: Photo, width: int, height: int) -> UInt8[np.ndarray, "h w 3"]:
    """The photograph's window resized to `width` x `height` pixels, BGR.

    If their shapes differ, the central part of the window that fits is used. A whole photograph is
    read at its full size.
    """
    path = str(path_of(photo.file))
    picture = _decode_photo(path) if photo.window == _WHOLE else load_photo(path)
    full_height, full_width = picture.shape[:2]
    left, top, w, h = photo.window
    box_w, box_h = max(w * full_width, 1.0), max(h * full_height, 1.0)
    fit = min(box_w / width, box_h / height)
    x = left * full_width + (box_w - fit * width) / 2
    y = top * full_height + (box_h - fit * height) / 2
    x, y = min(x, full_width - 1), min(y, full_height - 1)  # a window of less than a pixel
    rows = slice(int(y), max(int(y) + 1, round(y + fit * height)))
    columns = slice(int(x), max(int(x) + 1, round(x + fit * width)))
    # Averaging is slower, and only visible when the picture shrinks a lot.
    method = cv2.INTER_AREA if fit > 2 else cv2.INTER_LINEAR
    out = cv2.resize(picture[rows, columns], (width, height), interpolation=method)
    return cv2.flip(out, 1) if photo.flip else out
