"""Photographs, rooms and plain colours."""

import json

import cv2
import numpy as np
import pytest

from repogen.assets.panoramas import write_panorama
from repogen.assets.sources import path_of, source_of
from repogen.colors import from_hex
from repogen.environment.backgrounds import (
    Photo,
    Plain,
    load_photo,
    parse_backgrounds,
    photo_pixels,
)
from repogen.environment.rooms import FLOOR_PATTERNS, Room, as_pool
from repogen.errors import UserError


def picture(path, height=60, width=90, value=None):
    """A file whose green is the row and whose red is the column (BGR), or one grey."""
    row, column = np.mgrid[:height, :width].astype(np.uint8)
    pixels = np.stack([0 * row, row, column], axis=2)
    cv2.imwrite(str(path), pixels if value is None else np.full_like(pixels, value))
    return path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    picture(tmp_path / "a.png")
    picture(tmp_path / "deep" / "b.PNG")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def draws(spec, count=40):
    sample, _ = parse_backgrounds(str(spec))
    rng = np.random.default_rng(0)
    return [sample(rng, -1.0, 3.0) for _ in range(count)]


def test_a_folder_gives_windows_inside_all_of_its_photographs(folder):
    photos = draws(folder)
    assert {photo.file.name for photo in photos} == {"a.png", "deep/b.PNG"}
    for photo in photos:
        left, top, width, height = photo.window
        assert 0 <= left <= left + width <= 1 + 1e-9
        assert 0 <= top <= top + height <= 1 + 1e-9
        assert width * 90 == pytest.approx(height * 60)  # square
    assert {photo.flip for photo in photos} == {True, False}


@pytest.mark.parametrize("size", [(200, 100), (100, 400)])
def test_windows_have_the_shape_of_the_picture(folder, size):
    sample, _ = parse_backgrounds(str(folder), size=size)
    rng = np.random.default_rng(0)
    windows = np.array([sample(rng, -1.0, 3.0).window for _ in range(40)]) * [90, 60, 90, 60]
    assert windows[:, 2] / windows[:, 3] == pytest.approx(np.full(40, size[0] / size[1]))
    assert (windows[:, :2] >= 0).all()
    assert (windows[:, :2] + windows[:, 2:] <= [90 + 1e-9, 60 + 1e-9]).all()
    assert (windows[:, 2:] / [90, 60]).max(axis=1).min() >= 0.45  # of the largest window


def test_exact_photographs_are_used_whole_and_at_full_size(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (40, 1700, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), noise)
    sample, _ = parse_backgrounds(str(tmp_path), size=(1700, 40), exact=True)
    photo = sample(np.random.default_rng(0), -1.0, 3.0)
    assert (photo.window, photo.flip) == ((0, 0, 1, 1), False)
    assert (photo_pixels(photo, 1700, 40) == noise).all()
    cv2.imwrite(str(tmp_path / "b.png"), noise[:39])
    with pytest.raises(UserError, match=r"b\.png has 1700 x 39 pixels, the images have 1700 x 40"):
        parse_backgrounds(str(tmp_path), size=(1700, 40), exact=True)


def test_broken_pictures_are_skipped(folder):
    (folder / "broken.jpg").write_bytes(b"not a picture")
    head = (folder / "a.png").read_bytes()[:60]
    (folder / "cut.png").write_bytes(head)
    names = {photo.file.name for photo in draws(folder)}
    assert names == {"a.png", "deep/b.PNG"}
    assert "2 unreadable" in parse_backgrounds(str(folder))[1]


def test_coco_backgrounds_are_images_without_people(folder):
    annotations = {
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "deep/b.PNG"}],
        "annotations": [
            {"image_id": 1, "category_id": 18},
            {"image_id": 2, "category_id": 18},
            {"image_id": 2, "category_id": 1},
        ],
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(annotations))
    assert {path_of(p.file) for p in draws(f"coco:{path}:{folder}")} == {folder / "a.png"}


def test_a_window_shows_its_part_of_the_photograph(tmp_path):
    path = picture(tmp_path / "p.png")
    whole, file = load_photo(str(path)), source_of(path, tmp_path)
    out = photo_pixels(Photo(file, (30 / 90, 12 / 60, 20 / 90, 20 / 60), False), 20, 20)
    assert (out == whole[12:32, 30:50]).all()
    flipped = photo_pixels(Photo(file, (30 / 90, 12 / 60, 20 / 90, 20 / 60), True), 20, 20)
    assert (flipped == out[:, ::-1]).all()


def test_a_wide_picture_of_a_square_window_shows_its_middle(tmp_path):
    path = picture(tmp_path / "p.png")
    file = source_of(path, tmp_path)
    out = photo_pixels(Photo(file, (0.0, 0.0, 60 / 90, 1.0), False), 60, 30)
    assert (out == load_photo(str(path))[15:45, :60]).all()


@pytest.mark.parametrize(("width", "height"), [(7, 7), (300, 300), (31, 200), (1, 1)])
def test_photographs_fill_pictures_of_any_size(tmp_path, width, height):
    file = source_of(picture(tmp_path / "grey.png", value=77), tmp_path)
    out = photo_pixels(Photo(file, (0.31, 0.27, 0.5, 0.7), False), width, height)
    assert out.shape == (height, width, 3)
    assert (out == 77).all()


def test_large_photographs_are_downsampled(tmp_path):
    path = picture(tmp_path / "big.png", 100, 3200, value=9)
    assert load_photo(str(path)).shape == (50, 1600, 3)


def test_plain_backgrounds_have_one_fixed_or_random_colour():
    assert draws("#12ab9f", 3) == [Plain("#12ab9f")] * 3
    colors = {background.color for background in draws("plain", 20)}
    assert len(colors) == 20
    assert all(from_hex(color).shape == (3,) for color in colors)


def test_indoors_are_the_panoramas_of_rooms_and_halls():
    sample, said = parse_backgrounds("indoors", ["core"])
    rng = np.random.default_rng(0)
    names = {path_of(sample(rng, -1.0, 3.0).file).stem for _ in range(150)}
    assert "11" in said
    assert {"apartment", "hall", "blender-interior"} <= names
    assert not names & {"park", "sky", "city", "blender-forest"}


def test_cameras_that_look_from_high_above_get_wide_ground():
    sample, _ = parse_backgrounds("auto", ["core"], on_floor=True)
    rng = np.random.default_rng(0)
    near, high = ([sample(rng, -1.0, 3.0, z) for _ in range(150)] for z in (0.0, 12.0))
    near_names, high_names = ({path_of(one.file).stem for one in places} for places in (near, high))
    assert {"hall", "park", "blender-city"} <= high_names < near_names
    assert not high_names & {"lab", "forest", "blender-interior", "blender-forest", "studio"}
    assert max(one.eye_height for one in near) <= 1.9
    assert min(one.eye_height for one in high) > 3.0


def test_panoramas_of_ones_own_suit_all_cameras(tmp_path):
    write_panorama(tmp_path / "a.exr", np.full((32, 64, 3), 0.5, np.float32))
    sample, _ = parse_backgrounds(str(tmp_path))
    place = sample(np.random.default_rng(0), -1.0, 3.0, 12.0)
    assert path_of(place.file).stem == "a"
    assert place.eye_height <= 1.9


def test_outdoors_are_the_panoramas_that_are_not_indoors():
    rng = np.random.default_rng(0)
    names = []
    for spec in ("indoors", "outdoors", "auto"):
        sample, _ = parse_backgrounds(spec, ["core"], on_floor=True)
        names.append({path_of(sample(rng, -1.0, 3.0).file).stem for _ in range(250)})
    indoors, outdoors, every = names
    assert {"park", "city", "blender-forest"} <= outdoors
    assert "sky" not in outdoors
    assert not indoors & outdoors
    assert indoors | outdoors == every


def test_rooms_hold_the_people_and_the_camera():
    drawn = draws("builtin", 200)
    assert all(isinstance(room, Room) for room in drawn)
    assert all(room.floor_z <= -1.0 for room in drawn)
    rooms = [room for room in drawn if room.half_size != (0.0, 0.0)]
    assert 0.35 < len(rooms) / len(drawn) < 0.65
    for room in rooms:
        assert min(room.half_size) > 3.0
        assert room.floor_z + room.height > 1.0  # a person's height above the hips
    assert {room.floor_pattern for room in drawn} == set(FLOOR_PATTERNS)


def test_rooms_have_muted_colours_and_pools_are_pale_and_bluish():
    rooms = draws("builtin", 200)
    colors = np.array([[from_hex(one) for one in (r.floor, r.floor_accent, r.wall)] for r in rooms])
    spread = np.ptp(colors, axis=2)
    assert np.percentile(spread, 90) < 0.3
    assert (colors[..., 0] - colors[..., 2]).mean() > 0.02  # warm
    assert np.abs(colors[..., 1] - colors[..., [0, 2]].mean(axis=2)).max() < 0.12  # no green, pink
    rng = np.random.default_rng(0)
    floors = np.array([from_hex(as_pool(rng, room).floor) for room in rooms])
    indoors = np.array([all(room.half_size) for room in rooms])
    red, green, blue = floors[indoors].T
    assert (red < green).all()
    assert (green < blue + 0.01).all()
    assert green.min() > 0.45
    red, _, blue = floors[~indoors].T  # sand and stone
    assert (red > blue - 0.01).all()


def test_rooms_are_high_enough_for_a_camera_straight_above():
    rooms = [room for room in draws("builtin", 200) if room.half_size != (0.0, 0.0)]
    assert all(room.floor_z + room.height > 3.0 for room in rooms)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("/no/such/folder", "/no/such/folder: no such folder"),
        ("x" * 5000, "x: no such folder"),
        ("#12345", "#rrggbb"),
        ("coco:a.json", "must read coco:"),
        ("coco:a.json:", "must read coco:"),
        ("coco:/no/such.json:/tmp", "cannot read /no/such.json"),
    ],
)
def test_invalid_background_specifications_are_user_errors(spec, says):
    with pytest.raises(UserError, match=says):
        parse_backgrounds(spec)


def test_folders_without_pictures_are_user_errors(tmp_path):
    with pytest.raises(UserError, match="no image files"):
        parse_backgrounds(str(tmp_path))
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    with pytest.raises(UserError, match="none of its 1 image files"):
        parse_backgrounds(str(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"images": 1}', "5"])
def test_invalid_coco_files_are_user_errors(tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"is (not a (COCO|JSON) file|empty)"):
        parse_backgrounds(f"coco:{path}:{tmp_path}")


def test_coco_files_with_people_in_all_images_are_user_errors(tmp_path):
    path = tmp_path / "people.json"
    path.write_text(
        json.dumps(
            {
                "categories": [{"id": 1, "name": "person"}],
                "images": [{"id": 1, "file_name": "a.png"}],
                "annotations": [{"image_id": 1, "category_id": 1}],
            }
        )
    )
    with pytest.raises(UserError, match="no image without a person"):
        parse_backgrounds(f"coco:{path}:{tmp_path}")


def test_a_missing_photograph_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"gone\.png"):
        load_photo(str(tmp_path / "gone.png"))
