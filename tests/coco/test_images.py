"""Reading images and crops: decoded size, orientation, and refused files."""

import json

import cv2
import numpy as np
import pytest

from repogen.bodies import COCO_KEYPOINTS
from repogen.coco.annotations import read_person_annotations
from repogen.coco.augmentation import Augmentation
from repogen.coco.crops import Window, downsample_factor, warp_crop
from repogen.coco.images import drop_unreadable, is_intact_image, read_crop, training_crop
from repogen.errors import UserError
from repogen.inference.predict import _cut_crops


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
    (theirs,) = _cut_crops(picture, [window])
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


def test_degrading_lowers_the_quality_of_training_crops(tmp_path):
    write_jpeg(tmp_path / "a.jpg", smooth(200, 200))
    people = people_in(tmp_path, ["a.jpg"], [(200, 200)])
    still = Augmentation(flip=0, half_body=0, scale=0, rotation=0, jitter=0)
    samples = [
        [training_crop(np.random.default_rng(k), people, 0, still, d).crop for k in range(20)]
        for d in (False, True)
    ]
    assert all((crop == samples[0][0]).all() for crop in samples[0])
    worse = [np.abs(crop.astype(int) - samples[0][0]).mean() for crop in samples[1]]
    assert 0.5 < np.mean(worse) < 12
    assert np.std(worse) > 0.3
