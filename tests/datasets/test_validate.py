"""Validation finds each kind of wrong record and picture, for every lens and in crowds."""

import json
import shutil

import cv2
import numpy as np
import pytest
from edits import sign, write_coco
from pycocotools import mask as rle

from repogen import GenerateConfig, generate
from repogen.cameras.lens import MODELS
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.validate.dataset import validate_files
from repogen.pictures import encode_png

WIDE = {"pinhole": 90, "opencv": 80, "equidistant": 190, "kannala-brandt": 170}


@pytest.fixture(scope="module")
def valid(tmp_path_factory, body):
    """A dataset for each lens, made when first asked for."""
    made = {}

    def dataset(lens):
        if lens not in made:
            config = GenerateConfig(
                images=2, seed=8, workers=1, image_size=96, lens=lens, fov=(WIDE[lens], WIDE[lens]),
                framing="paper", distance=(1.2, 1.6), views=("sphere",), people=(3, 3), spread=0.7,
                occluders=(1, 1), keypoints="wholebody", effects=("all",), backgrounds="plain",
                wardrobe="painted", write=("depth", "masks", "parts", "normals", "stick"),
            )  # fmt: skip
            made[lens] = generate(tmp_path_factory.mktemp(lens) / "set", config)
        return made[lens]

    return dataset


@pytest.fixture
def damaged(valid, tmp_path):
    """Problems in a copy of the dataset of a lens after a change to its COCO records, for which
    new checksums are written."""

    def found(change, lens="kannala-brandt"):
        folder = DatasetFolder(tmp_path / lens)
        shutil.copytree(valid(lens), folder.root)
        coco = json.loads(folder.annotations.read_text())
        change(coco, folder)
        write_coco(folder.annotations, coco)
        sign(folder.root, json.loads(folder.run.read_text()))
        return validate_files(folder)

    return found


@pytest.mark.parametrize("lens", MODELS)
def test_an_unchanged_dataset_of_any_lens_is_valid(valid, lens):
    folder = DatasetFolder(valid(lens))
    assert validate_files(folder) == []
    coco = json.loads(folder.annotations.read_text())
    assert len(coco["annotations"]) > 3
    assert {image["camera"]["model"] for image in coco["images"]} == {lens}


@pytest.mark.parametrize("lens", MODELS)
@pytest.mark.parametrize("name", ["keypoints", "foot", "face", "lefthand"])
def test_3d_keypoints_must_project_to_their_pixels(damaged, valid, lens, name):
    deep, flat = (name + "_3d", name if name == "keypoints" else name + "_kpts")
    coco = json.loads(DatasetFolder(valid(lens)).annotations.read_text())
    index, owner = next((i, a) for i, a in enumerate(coco["annotations"]) if 2 in a[flat][2::3])

    def change(coco, folder):
        off = np.array([0.003, 0, 0])
        coco["annotations"][index][deep] = (np.array(owner[deep]) + off).tolist()

    wanted = f"annotation {index + 1}: {deep} projects more than 0.01 px away from {flat}"
    assert wanted in damaged(change, lens)


@pytest.mark.parametrize("lens", MODELS)
def test_a_camera_of_another_lens_is_found(damaged, lens):
    other = "equidistant" if lens == "kannala-brandt" else "kannala-brandt"

    def change(coco, folder):
        camera = coco["images"][0]["camera"]
        camera |= {"model": other, "distortion": [0.01] * MODELS[other][0]}

    findings = damaged(change, lens)
    assert any("annotation 1: keypoints_3d projects" in finding for finding in findings)
    assert "scenes.jsonl line 1: does not give the camera of the image record" in findings


def set_(key, value, table="annotations"):
    def change(coco, folder):
        coco[table][0][key] = value

    return change


def drop(key, table="annotations"):
    def change(coco, folder):
        del coco[table][0][key]

    return change


def with_view(table, **off):
    def change(coco, folder):
        view = coco[table][0]["view"]
        coco[table][0]["view"] = view | {key: view[key] + value for key, value in off.items()}

    return change


def exchange_views(coco, folder):
    first, second, *_ = coco["annotations"]
    assert first["image_id"] == second["image_id"]
    first["view"], second["view"] = second["view"], first["view"]


def encoded(mask):
    out = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    return out | {"counts": out["counts"].decode()}


def shrink_amodal_mask(coco, folder):
    a = coco["annotations"][0]
    mask = rle.decode(a["amodal_segmentation"])
    rows = np.flatnonzero(rle.decode(a["segmentation"]).any(axis=1))
    mask[rows[0]] = 0
    a["amodal_segmentation"] = encoded(mask)


def shrink_amodal_box(coco, folder):
    a = coco["annotations"][0]
    x, _, width, _ = rle.toBbox(a["amodal_segmentation"])
    a["amodal_bbox"][0] = x + 1
    a["amodal_bbox"][2] = width


def hide(coco, folder):
    coco["annotations"][0] |= {
        "segmentation": encoded(np.zeros((96, 96))), "area": 0.0, "bbox": [0.0] * 4
    }  # fmt: skip


def smaller_mask(name):
    return set_(name, encoded(np.ones((48, 96))))


def huge(coco, folder):
    """A mask so large that pycocotools crashes."""
    coco["images"][0] |= {"width": 2**31, "height": 2**31}
    coco["annotations"][0]["segmentation"] = {"size": [2**31, 2**31], "counts": "1"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_("num_keypoints", 99), "annotation 1: num_keypoints is 99"),
        (set_("area", 5.0), "annotation 1: area is 5.0"),
        (set_("bbox", [0, 0, 9, 9]), "annotation 1: bbox [0, 0, 9, 9] is not"),
        (set_("keypoints_3d", [[0, 0, "x"]] * 17), "annotation 1: keypoints or keypoints_3d are"),
        (
            set_("face_3d", [[0, 0, np.nan]] * 68),
            "image 1: its records cannot be read: NaN is no JSON",
        ),
        (set_("righthand_box", [1, 2, 3]), "annotation 1: cannot be read: not enough values"),
        (set_("lefthand_valid", None), "annotation 1: lefthand_valid is None"),
        (hide, "annotation 1: its mask is empty"),
        (
            shrink_amodal_mask,
            "annotation 1: its segmentation reaches beyond its amodal_segmentation",
        ),
        (shrink_amodal_box, "annotation 1: its amodal_segmentation reaches beyond amodal_bbox"),
        (
            set_("amodal_bbox", [0, 0, np.nan, 9]),
            "image 1: its records cannot be read: NaN is no JSON",
        ),
        (smaller_mask("segmentation"), "annotation 1: its segmentation is (48, 96), its image"),
        (smaller_mask("amodal_segmentation"), "annotation 1: its amodal_segmentation is (48, 96)"),
        (drop("amodal_segmentation"), "annotation 1: lacks 'amodal_segmentation'"),
        (drop("amodal_bbox"), "annotation 1: lacks 'amodal_bbox'"),
        (drop("segmentation"), "annotation 1: lacks 'segmentation'"),
        (drop("view"), "scenes.jsonl line 1: lacks 'view'"),
        (
            with_view("annotations", azimuth_deg=0.01),
            "line 1: none of its people has the view of annot",
        ),
        (
            with_view("annotations", elevation_deg=0.01),
            "none of its people has the view of annotation 1",
        ),
        (
            with_view("annotations", roll_deg=0.01),
            "none of its people has the view of annotation 1",
        ),
        (
            with_view("annotations", distance_m=0.01),
            "none of its people has the view of annotation 1",
        ),
        (exchange_views, "none of its people has the view of annotation"),
        (with_view("images", azimuth_deg=0.01), "does not give the view of the image record"),
        (set_("group", 2, "images"), "does not give the group of the image record"),
        (set_("effects", {}, "images"), "does not give the effects of the image record"),
        (set_("camera", {"model": "lens"}, "images"), "annotation 1: lacks 'K'"),
        (drop("height", "images"), "image 1: lacks 'height'"),
        (set_("segmentation", {"size": [96, 96], "counts": "0"}), "are not of 96 x 96 pixels"),
        (set_("segmentation", {"size": [96, 96], "counts": ""}), "are not of 96 x 96 pixels"),
        (set_("amodal_segmentation", {"size": [96, 96], "counts": "oo"}), "are truncated"),
        (set_("segmentation", {"size": [96, 96], "counts": 3}), "counts 3 are not text"),
        (huge, f"a picture of {2**31} x {2**31} pixels"),
        (set_("image_id", 9), "annotation 1: its image 9 does not exist"),
        (set_("image_id", []), "annotation 1: its image [] does not exist"),
        (set_("id", [], "images"), "image ids are not 1 to 2 in order"),
        (set_("image_id", 2), "is of image 1, but follows image 2"),
        (set_("id", 9), "annotation ids are not 1 to"),
    ],
)
def test_a_wrong_record_is_found(damaged, change, says):
    findings = damaged(change)
    assert any(says in finding for finding in findings), findings


@pytest.mark.parametrize(("lines", "count"), [(slice(1), 1), (slice(None, None), 4)])
def test_a_wrong_number_of_scenes_is_found(valid, tmp_path, lines, count):
    folder = DatasetFolder(shutil.copytree(valid("pinhole"), tmp_path / "set"))
    kept = folder.scenes.read_text().splitlines(keepends=True)[lines]
    folder.scenes.write_text("".join(kept * (count // len(kept))))
    sign(folder.root, json.loads(folder.run.read_text()))
    findings = validate_files(folder)
    assert findings[0] == f"scenes.jsonl has {count} scenes for 2 images"


def test_validation_does_not_read_the_whole_coco_file_at_once(valid, monkeypatch):
    def whole(_folder, _text):
        raise AssertionError("the whole file is read")

    monkeypatch.setattr("repogen.datasets.validate.coco_file._parts_of_other_program", whole)
    assert validate_files(DatasetFolder(valid("pinhole"))) == []


def test_angles_that_differ_by_360_degrees_agree(damaged):
    assert damaged(with_view("annotations", azimuth_deg=360, roll_deg=-360)) == []


@pytest.mark.parametrize("table", ["images", "annotations", "categories"])
@pytest.mark.parametrize("records", [None, {}, [3]])
def test_a_table_must_be_a_list_of_records(valid, tmp_path, table, records):
    folder = DatasetFolder(shutil.copytree(valid("pinhole"), tmp_path / "set"))
    coco = json.loads(folder.annotations.read_text())
    folder.annotations.write_text(json.dumps(coco | {table: records}))
    assert validate_files(folder)[-1].endswith(f"{table!r} is not a list of records")


def redrawn(kind, function):
    """Replaces the first picture of a kind by another."""

    def change(coco, folder):
        path = folder.map(kind, 1)
        path.write_bytes(encode_png(function(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))))

    return change


def cut_image(coco, folder):
    path = folder.image(1)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])


def grey_image(coco, folder):
    cv2.imwrite(str(folder.image(1)), cv2.imread(str(folder.image(1)), cv2.IMREAD_GRAYSCALE))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (redrawn("depth", np.zeros_like), "depth/00000001.png: is empty inside a mask"),
        (redrawn("depth", lambda d: d * 4), "depth/00000001.png: annotation 1 is"),
        (redrawn("depth", lambda d: d // 8), "depth/00000001.png: annotation 1 is"),
        (
            redrawn("depth", lambda d: (d // 99).astype(np.uint8)),
            "is not of the type uint16 that depth needs",
        ),
        (redrawn("depth", lambda d: d[:-1]), "depth/00000001.png: is (95, 96), its record says"),
        (
            lambda _, folder: folder.map("depth", 1).unlink(),
            "depth/00000001.png: is missing",
        ),
        (redrawn("masks", lambda m: m + (m > 0)), "masks/00000001.png: its numbers are not"),
        (redrawn("masks", lambda m: np.minimum(m, 1)), "its numbers are not the annot"),
        (redrawn("parts", np.zeros_like), "parts/00000001.png: is empty inside a mask"),
        (redrawn("parts", lambda p: p + 90 * (p > 0).astype(np.uint8)), "has the unknown part"),
        (redrawn("normals", np.zeros_like), "normals/00000001.png: is empty inside a mask"),
        (redrawn("normals", lambda n: n[:, :, 0]), "is not of the type uint8 that normals needs"),
        (lambda _, f: f.map("stick/visible", 1).unlink(), "stick/visible/00000001.png: is missing"),
        (cut_image, "images/00000001.jpg: is not a whole JPEG"),
        (grey_image, "images/00000001.jpg: is not of the type uint8 that image needs"),
    ],
)
def test_a_wrong_picture_is_found(damaged, change, says):
    findings = damaged(change)
    assert any(says in finding for finding in findings), findings
    assert all("/00000001." in finding for finding in findings)
