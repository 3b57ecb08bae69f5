"""Functions that edit a finished dataset, and forge its checksums afterwards."""

import json
import os
import shutil
import zlib

import cv2
import numpy as np
from pycocotools import mask as rle

from repogen.datasets.chunks import compact_json
from repogen.datasets.folder import RUN_DIGEST, DatasetFolder
from repogen.datasets.validate.files import names_in_order
from repogen.files import sha256_of
from repogen.pictures import encode_png

RECORDS, RERENDER, KEPT = "records", "rerender", "kept"

COCO = "annotations/person_keypoints.json"


def write_coco(path, coco):
    """Write a COCO file laid out as repogen does."""
    rest = {k: v for k, v in coco.items() if k not in ("images", "annotations")}
    text = "{" + ",\n".join(f"{json.dumps(k)}:{compact_json(v)}" for k, v in rest.items())
    for name, end in (("images", ","), ("annotations", "}")):
        text += ",\n" * (name == "images") + f'"{name}":[\n'
        text += ",\n".join(map(compact_json, coco[name])) + f"\n]{end}\n"
    path.write_text(text)


def tie(root):
    """Write the SHA-256 of run.json into the labels, as a forger would."""
    folder = DatasetFolder(root)
    if not folder.run.exists() or not folder.annotations.exists():
        return
    new = sha256_of(folder.run)
    text = folder.annotations.read_bytes()
    at = text.find(f'"{RUN_DIGEST}":"'.encode()) + len(RUN_DIGEST) + 4
    folder.annotations.write_bytes(text[:at] + new.encode() + text[at + 64 :])


def sign(root, run):
    """Write new checksums for what is there."""
    folder = DatasetFolder(root)
    names = [name for name in names_in_order(folder, run) if (root / name).is_file()]
    text = "".join(f"{sha256_of(root / name)}  {name}\n" for name in names)
    folder.checksums.write_text(text)


def coco(change):
    """Edits the COCO file's records and writes them as repogen does."""

    def edit(root):
        path = root / COCO
        data = json.loads(path.read_text())
        change(data)
        write_coco(path, data)

    return edit


def annotation(change):
    return coco(lambda data: change(data["annotations"][0]))


def image(change):
    return coco(lambda data: change(data["images"][0]))


def text(name, change):
    """Edits a file as text."""

    def edit(root):
        before = (root / name).read_text()
        after = change(before)
        assert after != before
        (root / name).write_text(after)

    return edit


def data(name, change):
    """Edits a file's bytes."""

    def edit(root):
        before = (root / name).read_bytes()
        after = change(before)
        assert after != before
        (root / name).write_bytes(after)

    return edit


def lines(name, change):
    return text(name, lambda before: "".join(change(before.splitlines(keepends=True))))


def run(change):
    """Edits run.json and writes it as repogen does."""

    def edit(root):
        value = json.loads((root / "run.json").read_text())
        change(value)
        (root / "run.json").write_text(json.dumps(value, indent=1) + "\n")

    return edit


def scene(change):
    """Edits the first scene."""

    def edit(root):
        first, *others = (root / "scenes.jsonl").read_text().splitlines(keepends=True)
        value = json.loads(first)
        change(value)
        (root / "scenes.jsonl").write_text(compact_json(value) + "\n" + "".join(others))

    return edit


def setting(*path_and_value):
    """Sets the value at a path of keys."""
    *path, last, value = path_and_value

    def change(record):
        for key in path:
            record = record[key]
        assert record[last] != value
        record[last] = value

    return change


def adding(*path_and_value):
    *path, last, value = path_and_value

    def change(record):
        for key in path:
            record = record[key]
        record[last] = value if isinstance(record[last], str) else record[last] + value

    return change


def swap_files(one, other):
    def edit(root):
        first, second = (root / one).read_bytes(), (root / other).read_bytes()
        assert first != second
        (root / one).write_bytes(second)
        (root / other).write_bytes(first)

    return edit


def redraw(name, change):
    """Replaces a picture by a changed one."""

    def edit(root):
        picture = cv2.imread(str(root / name), cv2.IMREAD_UNCHANGED)
        changed = change(picture)
        assert changed.shape != picture.shape or (changed != picture).any()
        if name.endswith(".jpg"):
            cv2.imwrite(str(root / name), changed, [cv2.IMWRITE_JPEG_QUALITY, 92])
        else:
            (root / name).write_bytes(encode_png(changed))

    return edit


def one_pixel(picture):
    """Changes one value inside of the people."""
    out = picture.copy()
    inside = np.argwhere(picture.reshape(*picture.shape[:2], -1).any(axis=2))
    row, column = inside[len(inside) // 2]
    out[row, column] ^= 1
    return out


def relabel(one, other):
    def change(parts):
        out = parts.copy()
        out[parts == one], out[parts == other] = other, one
        return out

    return change


def deflate_again(png):
    """The same picture, compressed by other settings."""
    size = int.from_bytes(png[33:37], "big")
    body = zlib.compress(zlib.decompress(png[41 : 41 + size]), 9)
    chunk = b"IDAT" + body
    whole = len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return png[:33] + whole + png[45 + size :]


def flip_a_byte(picture):
    at = len(picture) * 2 // 3
    return picture[:at] + bytes([picture[at] ^ 4]) + picture[at + 1 :]


def png_as_jpg(root):
    picture = cv2.imread(str(root / JPG))
    (root / JPG).write_bytes(encode_png(picture))


def triples(a, name, of):
    return [a[name][of * k : of * k + of] for k in range(len(a[name]) // of)]


PAIRS = [(k, k + 1) for k in range(1, 17, 2)]
"""Left and right of COCO's 17 keypoints."""


def exchange_2d(a):
    points = triples(a, "keypoints", 3)
    for left, right in PAIRS:
        points[left], points[right] = points[right], points[left]
    a["keypoints"] = [value for point in points for value in point]


def exchange_sides(a):
    exchange_2d(a)
    points = a["keypoints_3d"]
    for left, right in PAIRS:
        points[left], points[right] = points[right], points[left]


def flag(before, after):
    """Gives a keypoint of one v another."""

    def change(records):
        for a in records["annotations"]:
            for k in range(17):
                if a["keypoints"][3 * k + 2] == before:
                    a["keypoints"][3 * k + 2] = after
                    return
        raise AssertionError(f"no keypoint with v = {before}")

    return change


def unlabel(a):
    k = next(k for k in range(17) if a["keypoints"][3 * k + 2])
    a["keypoints"][3 * k : 3 * k + 3] = [0.0, 0.0, 0]
    a["num_keypoints"] -= 1


def move_3d(records):
    """Moves a keypoint along its ray, so that it projects to the same pixel."""
    for value in range(3):
        records["annotations"][0]["keypoints_3d"][0][value] *= 1.05


def encoded(mask):
    out = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(out["size"]), "counts": out["counts"].decode()}


def grow_mask(a):
    mask = rle.decode(a["segmentation"])
    grown = encoded(cv2.dilate(mask, np.ones((3, 3), np.uint8)))
    a |= {
        "segmentation": grown, "amodal_segmentation": grown,
        "bbox": rle.toBbox(grown).tolist(), "area": float(rle.area(grown)),
    }  # fmt: skip
    x, y, width, height = a["amodal_bbox"]
    a["amodal_bbox"] = [x - 2, y - 2, width + 4, height + 4]


def grow_amodal_mask(a):
    mask = rle.decode(a["amodal_segmentation"])
    a["amodal_segmentation"] = encoded(cv2.dilate(mask, np.ones((3, 3), np.uint8)))
    x, y, width, height = a["amodal_bbox"]
    a["amodal_bbox"] = [x - 2, y - 2, width + 4, height + 4]


def renumber(records):
    for number, a in enumerate(records["annotations"], start=1):
        a["id"] = number


def drop_annotation(records):
    del records["annotations"][0]
    renumber(records)


def double_annotation(records):
    records["annotations"].insert(0, dict(records["annotations"][0]))
    renumber(records)


def exchange_annotations(records):
    first, second, *others = records["annotations"]
    assert first["image_id"] == second["image_id"]
    records["annotations"] = [second, first, *others]
    renumber(records)


def exchange_images(records):
    first, second, *others = records["images"]
    first["id"], second["id"] = second["id"], first["id"]
    records["images"] = [second, first, *others]


def other_image(records):
    first = records["annotations"][0]
    first["image_id"] = 2
    records["annotations"].sort(key=lambda a: a["image_id"])
    renumber(records)


def twice(records):
    records["categories"].append(records["categories"][0] | {"id": 2, "name": "cat"})


def swap_lines(found):
    return [found[1], found[0], *found[2:]]


def duplicate_key(before):
    return before.replace('"iscrowd":0', '"iscrowd":0,"iscrowd":0', 1)


def second_table(before):
    assert before.endswith("\n]}\n")
    return before[:-2] + ',\n"annotations":[\n\n]}\n'


def second_images(before):
    return before.replace('"annotations":[\n', '"images":[\n\n],\n"annotations":[\n')


def more_people(value):
    person = json.loads(json.dumps(value["people"][0]))
    person["position"] = [p + 0.9 for p in person["position"]]
    value["people"].append(person)


def fewer_people(value):
    assert len(value["people"]) > 1
    value["people"].pop()


def bend(value):
    joint = next(iter(value["people"][0]["angles"]))
    value["people"][0]["angles"][joint][0] += 3.0


def move_camera(value):
    value["camera"]["translation"][2] += 0.01


def move_camera_and_record(root):
    scene(move_camera)(root)
    image(lambda record: adding("camera", "t", 2, 0.01)(record))(root)


def recolor(value):
    fabric = value["people"][0]["outfit"]["top_fabric"]
    fabric["color"] = "#11aa22"


def reshape(value):
    label = next(iter(value["people"][0]["shape"]))
    value["people"][0]["shape"][label] = 0.123


def add_light(value):
    value["lights"].append(value["lights"][0])


def digits(before):
    return ("0" if before[0] != "0" else "1") + before[1:]


def make_link(root):
    path = root / "images/00000001.jpg"
    path.unlink()
    path.symlink_to(root / "images/00000002.jpg")


def make_pipe(root):
    (root / JPG).unlink()
    os.mkfifo(root / JPG)


def make_folder(root):
    (root / JPG).unlink()
    (root / JPG).mkdir()


def create(name, content=b"x"):
    def edit(root):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)

    return edit


def remove(name):
    return lambda root: (root / name).unlink()


def copy(source, target):
    return lambda root: shutil.copyfile(root / source, root / target)


def both(*edits):
    def edit(root):
        for each in edits:
            each(root)

    return edit


JPG, OTHER = "images/00000001.jpg", "images/00000002.jpg"
DEPTH, MASKS, PARTS = (f"{kind}/00000001.png" for kind in ("depth", "masks", "parts"))
NORMALS, STICK, SEEN = (
    f"{kind}/00000001.png" for kind in ("normals", "stick/all", "stick/visible")
)
CHECKSUMS, SCENES, RUN = "checksums.sha256", "scenes.jsonl", "run.json"
