"""Reading images and crops: decoded size, orientation, and refused files."""

import io
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from repogen.bodies import COCO_KEYPOINTS
from repogen.coco.annotations import read_person_annotations
from repogen.coco.augmentation import Augmentation
from repogen.coco.crops import (
    CROP_SIZE,
    Window,
    downsample_factor,
    warp_crop,
    window_to_crop,
)
from repogen.coco.decoded import DecodedPictures
from repogen.coco.images import (
    drop_unreadable,
    is_intact_image,
    read_crop,
    read_labelled_image,
    training_crop,
)
from repogen.errors import UserError
from repogen.inference.predict import _Cutter


def smooth(width, height):
    noise = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def people_in(folder, files, sizes):
    """A set of one person per image; `sizes` are the annotated widths and heights."""
    images = [
        {"id": k, "file_name": file, "width": w, "height": h}
        for k, (file, (w, h)) in enumerate(zip(files, sizes, strict=True))
    ]
    joints = [10.0, 10.0, 2] * 17
    annotations = [
        {"id": k, "image_id": k, "category_id": 1, "bbox": [0, 0, w, h], "keypoints": joints}
        for k, (w, h) in enumerate(sizes)
    ]
    categories = [{"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}]
    table = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "a.json").write_text(json.dumps(table))
    return read_person_annotations("set", folder / "a.json", folder)


def write_jpeg(path, picture):
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])


@pytest.mark.parametrize(
    ("height", "factor"), [(100, 1), (511, 1), (512, 2), (1024, 4), (2048, 8), (9000, 8)]
)
def test_the_downsampled_picture_is_never_smaller_than_its_crop(height, factor):
    assert downsample_factor(Window((0.0, 0.0), (height * 0.75, float(height)))) == factor


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("height", [250, 520, 1040, 2060])
def test_training_and_prediction_make_the_same_crop(tmp_path, height, suffix):
    picture = smooth(height + 37, height + 5)
    cv2.imwrite(str(tmp_path / f"x{suffix}"), picture)
    people = people_in(tmp_path, [f"x{suffix}"], [picture.shape[1::-1]])
    window = Window((height / 2, height / 2), (height * 0.75, float(height)), 20.0)
    theirs = _Cutter(picture).cut(window, CROP_SIZE)
    ours = read_crop(people, 0, window)[..., ::-1]
    assert np.abs(ours.astype(int) - theirs).mean() < 2.5


@pytest.mark.parametrize("labelled_rotated", [False, True])
def test_images_are_read_in_the_orientation_of_their_annotations(
    tmp_path, labelled_rotated, write_turned
):
    picture = smooth(80, 40)
    write_turned(tmp_path / "x.jpg", picture)
    wanted = cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE) if labelled_rotated else picture
    people, _ = drop_unreadable(people_in(tmp_path, ["x.jpg"], [wanted.shape[1::-1]]))
    assert len(people) == 1
    window = Window((20.0, 20.0), (30.0, 40.0))
    off = read_crop(people, 0, window).astype(int) - warp_crop(wanted, window)
    assert np.abs(off).mean() < 8  # of another picture: 80


def oriented(path, picture, orientation, kind):
    """Write a picture (BGR) that is shown as `picture` after its EXIF orientation."""
    undo = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    exif = Image.Exif()
    exif[0x0112] = undo.get(orientation, 1)
    shown = Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))
    stored = ImageOps.exif_transpose(_tagged(shown, exif))
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95, "subsampling": 0}
    stored.save(path, kind, exif=exif, **options)


def _tagged(picture, exif):
    data = io.BytesIO()
    picture.save(data, "PNG", exif=exif)
    return Image.open(data)


def centroid(crop):
    weights = np.maximum(crop[..., 0].astype(float) - 45, 0)
    rows, columns = np.indices(weights.shape)
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("factor", [1, 8])
def test_a_dot_is_where_it_is_seen_in_any_format_orientation_and_reduced_size(
    tmp_path, kind, orientation, factor
):
    """Odd sides, a name with another suffix, and a dot near the lower right corner."""
    width, height = 611, 501
    at = np.array([500.0, 400.0])
    y, x = np.indices((height, width))
    spot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * (2.0 * factor) ** 2))
    picture = np.repeat((40 + 200 * spot).astype(np.uint8)[..., None], 3, axis=2)
    oriented(tmp_path / "x.jpg", picture, orientation, kind)
    people = people_in(tmp_path, ["x.jpg"], [(width, height)])
    assert len(drop_unreadable(people)[0]) == 1
    smaller = read_labelled_image(str(tmp_path / "x.jpg"), width, height, factor)
    assert centroid(smaller) * factor + (factor - 1) / 2 == pytest.approx(at, abs=0.05)
    size = 256.0 * factor * 1.01
    window = Window((470.0, 380.0), (size * 0.75, size))
    assert downsample_factor(window) == factor
    found = centroid(read_crop(people, 0, window))
    matrix = window_to_crop(window)
    wanted = matrix[:, :2] @ at + matrix[:, 2]
    assert np.abs(found - wanted).max() * window.size[1] / 255 < 0.1


@pytest.mark.parametrize(("labels", "as_stored"), [((70, 30), True), ((30, 70), False)])
def test_the_labels_say_whether_a_set_is_in_stored_pixels(
    tmp_path, labels, as_stored, write_turned, capsys
):
    """Stored 80 x 40, shown 40 x 80; labels that fit both follow the labels that fit one."""
    picture = smooth(80, 40)
    for name in ("a.jpg", "b.jpg"):
        write_turned(tmp_path / name, picture)
    write_jpeg(tmp_path / "c.jpg", smooth(80, 40))
    people_in(tmp_path, ["a.jpg", "b.jpg", "c.jpg"], [(80, 40)] * 3)
    table = json.loads((tmp_path / "a.json").read_text())
    for record in table["annotations"]:
        record["bbox"] = [5, 5, 20, 20]
    table["annotations"][0]["bbox"] = [5, 5, labels[0] - 5, labels[1] - 5]
    (tmp_path / "a.json").write_text(json.dumps(table))
    people, _ = drop_unreadable(read_person_annotations("set", tmp_path / "a.json", tmp_path))
    turned = [80, 40] if as_stored else [40, 80]
    assert people.sizes.tolist() == [turned, turned, [80, 40]]
    assert people.boxes[0].tolist() == [5, 5, labels[0] - 5, labels[1] - 5]
    wanted = picture if as_stored else cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE)
    window = Window((20.0, 20.0), (30.0, 40.0))
    off = read_crop(people, 1, window).astype(int) - warp_crop(wanted, window)
    assert np.abs(off).mean() < 8
    said = capsys.readouterr().err
    assert said.count("width and height of 2 images fit the stored pictures") == 1
    assert ("are read as stored" in said) == as_stored


def test_unknown_sizes_are_those_of_the_pictures(tmp_path):
    write_jpeg(tmp_path / "a.jpg", smooth(80, 40))
    people_in(tmp_path, ["a.jpg"], [(80, 40)])
    table = json.loads((tmp_path / "a.json").read_text())
    for key in ("width", "height"):
        table["images"][0][key] = None
    table["annotations"][0]["bbox"] = [-5, 0, 100, 30]
    (tmp_path / "a.json").write_text(json.dumps(table))
    people, _ = drop_unreadable(read_person_annotations("set", tmp_path / "a.json", tmp_path))
    assert people.sizes.tolist() == [[80, 40]]
    assert people.boxes.tolist() == [[0, 0, 80, 30]]


def test_labelled_persons_without_a_box_inside_the_image_are_counted(tmp_path, capsys):
    write_jpeg(tmp_path / "a.jpg", smooth(80, 40))
    people = replace(people_in(tmp_path, ["a.jpg"], [(80, 40)]), boxes=np.array([[0, 0, 1, 40.0]]))
    drop_unreadable(people)
    assert "1 labelled persons are left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is a HEIC picture; save it as JPEG or PNG"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "is a video"),
        (b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"", "is empty"),
        (b"no picture", "is not an image"),
        (None, "is missing"),
    ],
)
def test_an_unreadable_image_is_named_for_what_it_is(tmp_path, data, words):
    if data is not None:
        (tmp_path / "a.jpg").write_bytes(data)
    people = people_in(tmp_path, ["a.jpg"], [(80, 40)])
    with pytest.raises(UserError, match=rf"the first, .*a\.jpg, {words}"):
        drop_unreadable(people)
    with pytest.raises(UserError, match=rf"a\.jpg {words}"):
        read_crop(people, 0, Window((20.0, 20.0), (30.0, 40.0)))


def test_images_of_another_size_than_annotated_are_refused(tmp_path):
    for name in ("a", "b"):
        write_jpeg(tmp_path / f"{name}.jpg", smooth(80, 40))
    people = people_in(tmp_path, ["a.jpg", "b.jpg"], [(80, 40), (160, 80)])
    with pytest.raises(UserError, match=r"1 of 2 images are .* not of the annotated size.*b\.jpg"):
        drop_unreadable(people)
    with pytest.raises(UserError, match="is not 160 x 80 pixels"):
        read_crop(people, 1, Window((20.0, 20.0), (30.0, 40.0)))


def test_one_percent_of_broken_images_is_left_out_and_two_percent_are_refused(tmp_path, capsys):
    write_jpeg(tmp_path / "a.jpg", smooth(80, 40))
    (tmp_path / "no.jpg").write_bytes(b"no image")
    names = ["a.jpg"] * 98 + ["no.jpg", "a.jpg"]
    kept, bad = drop_unreadable(people_in(tmp_path, names, [(80, 40)] * 100))
    assert len(kept) == 99
    assert bad.tolist() == [98]
    assert "1 unreadable" in capsys.readouterr().err
    with pytest.raises(UserError, match="2 of 100 images are missing"):
        drop_unreadable(people_in(tmp_path, ["none.jpg", *names[1:]], [(80, 40)] * 100))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_truncated_files_are_not_intact_images(tmp_path, suffix, write_turned):
    path = tmp_path / f"x{suffix}"
    cv2.imwrite(str(path), smooth(300, 200))
    assert is_intact_image(path, [300, 200])
    assert not is_intact_image(path, [200, 300])
    whole = path.read_bytes()
    path.write_bytes(whole + b"what a camera adds")
    assert is_intact_image(path, [300, 200])
    for share in (0.9, 0.5, 0.02):
        path.write_bytes(whole[: int(share * len(whole))])
        assert not is_intact_image(path, [300, 200])
    motion = np.random.default_rng(0).integers(0, 256, 300_000, np.uint8).tobytes()
    assert motion.rfind(b"\xff\xda") > motion.rfind(b"\xff\xd9")
    path.write_bytes(whole + motion)
    assert is_intact_image(path, [300, 200])
    write_turned(tmp_path / "turned.jpg", smooth(300, 200))
    assert is_intact_image(tmp_path / "turned.jpg", [200, 300])


def test_degrading_lowers_the_quality_of_rendered_crops_only(tmp_path):
    write_jpeg(tmp_path / "a.jpg", smooth(200, 200))
    people = people_in(tmp_path, ["a.jpg"], [(200, 200)])
    rendered = replace(people, rendered=np.array([True]))
    still = Augmentation(flip=0, half_body=0, scale=0, rotation=0, jitter=0)
    sharp = replace(still, degrade=False)
    samples = [
        [training_crop(np.random.default_rng(k), people, 0, how).crop for k in range(20)]
        for people, how in ((rendered, sharp), (rendered, still), (people, still))
    ]
    assert all((crop == samples[0][0]).all() for crop in samples[0] + samples[2])
    worse = [np.abs(crop.astype(int) - samples[0][0]).mean() for crop in samples[1]]
    assert 0.5 < np.mean(worse) < 12
    assert np.std(worse) > 0.3


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_crops_are_the_same_from_decoded_pictures(tmp_path, monkeypatch, factor):
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path / "cache"))
    side = 300 * factor
    write_jpeg(tmp_path / "a.jpg", smooth(side + 3, side))
    people = people_in(tmp_path, ["a.jpg"], [(side + 3, side)])
    kept = DecodedPictures(people.sizes, people.image, 10**8)
    window = Window((side / 2, side / 2), (0.72 * side, 0.96 * side), 30.0)
    assert downsample_factor(window) == factor
    plain = read_crop(people, 0, window)
    assert np.array_equal(read_crop(people, 0, window, decoded=kept), plain)
    (tmp_path / "a.jpg").unlink()
    assert np.array_equal(read_crop(people, 0, window, decoded=kept), plain)
