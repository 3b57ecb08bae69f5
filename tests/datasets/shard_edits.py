"""Edits of a finished dataset of shards; see `folder_edits`."""

import io
import json
import tarfile

import cv2
import numpy as np
from edits import (
    CHECKSUMS,
    KEPT,
    RECORDS,
    RERENDER,
    RUN,
    adding,
    copy,
    create,
    data,
    deflate_again,
    exchange_sides,
    flip_a_byte,
    lines,
    one_pixel,
    remove,
    run,
    setting,
    swap_files,
    swap_lines,
    text,
)

from repogen.datasets.chunks import compact_json
from repogen.datasets.folder import RUN_DIGEST
from repogen.datasets.shards import ShardFolder
from repogen.datasets.validate.files import names_in_order
from repogen.files import sha256_of, sha256_of_bytes
from repogen.pictures import encode_png

SHARD, SECOND, MANIFEST = "shard-000000.tar", "shard-000001.tar", "shards.json"
JPG, RECORD = "00000001.jpg", "00000001.json"


def forge(root, original):
    """Write a manifest and checksums of what is there, as somebody who knows the format would."""
    folder = ShardFolder(root)
    value = json.loads(folder.manifest.read_text())
    for shard in value["shards"]:
        path = root / shard["name"]
        if path.is_file():
            content = path.read_bytes()
            shard |= {"bytes": len(content), "sha256": sha256_of_bytes(content)}
    if folder.run.is_file():
        value["header"]["info"][RUN_DIGEST] = sha256_of(folder.run)
    folder.manifest.write_text(json.dumps(value, indent=1) + "\n")
    names = [name for name in names_in_order(folder, original) if (root / name).is_file()]
    folder.checksums.write_text("".join(f"{sha256_of(root / n)}  {n}\n" for n in names))


def members(change):
    """Edits the list of (name, content) of the first shard and packs it as repogen does."""

    def edit(root):
        with tarfile.open(root / SHARD) as tar:
            found = [(member.name, tar.extractfile(member).read()) for member in tar]
        (root / SHARD).write_bytes(packed(change(found)))

    return edit


def packed(found, **header):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in found:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in header.items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def member(name, change):
    """Edits the content of one member."""

    def edit(found):
        assert name in dict(found)
        return [(each, change(content) if each == name else content) for each, content in found]

    return members(edit)


def record(change):
    """Edits the record of the first image."""

    def edit(content):
        value = json.loads(content)
        change(value)
        return compact_json(value).encode()

    return member(RECORD, edit)


def person(change):
    return record(lambda value: change(value["annotations"][0]))


def picture(name, change):
    def edit(content):
        before = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        if name.endswith(".png"):
            return encode_png(change(before))
        return cv2.imencode(".jpg", change(before), [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()

    return member(name, edit)


def exchange(one, other):
    def edit(found):
        known = dict(found)
        swapped = known | {one: known[other], other: known[one]}
        return list(swapped.items())

    return members(edit)


def repack(**header):
    """The same members with other entries in their headers."""

    def edit(root):
        with tarfile.open(root / SHARD) as tar:
            found = [(each.name, tar.extractfile(each).read()) for each in tar]
        (root / SHARD).write_bytes(packed(found, **header))

    return edit


def link(root):
    out = io.BytesIO((root / SHARD).read_bytes())
    with tarfile.open(fileobj=out, mode="a") as tar:
        added = tarfile.TarInfo("00000002.depth.png")
        added.type, added.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(added)
    (root / SHARD).write_bytes(out.getvalue())


def manifest(change):
    """Edits shards.json and writes it as repogen does."""

    def edit(root):
        path = root / MANIFEST
        value = json.loads(path.read_text())
        change(value)
        path.write_text(json.dumps(value, indent=1) + "\n")

    return edit


def flag_2_to_1(a):
    at = a["keypoints"].index(2)
    a["keypoints"][at] = 1


SHARD_EDITS = {
    "pictures exchanged": (exchange(JPG, "00000002.jpg"), RERENDER),
    "picture mirrored": (picture(JPG, lambda p: p[:, ::-1]), RERENDER),
    "picture black": (picture(JPG, np.zeros_like), RERENDER),
    "picture with a flipped byte": (member(JPG, flip_a_byte), RERENDER),
    "picture cut": (member(JPG, lambda d: d[: len(d) // 2]), RECORDS),
    "picture cut with a valid end": (
        member(JPG, lambda d: d[: len(d) * 3 // 4] + b"\xff\xd9"),
        RERENDER,
    ),
    "picture is a PNG": (
        member(JPG, lambda d: encode_png(cv2.imdecode(np.frombuffer(d, np.uint8), 1))),
        RECORDS,
    ),
    "depth of one pixel": (picture("00000001.depth.png", one_pixel), RERENDER),
    "depth compressed again": (member("00000001.depth.png", deflate_again), RERENDER),
    "masks exchanged": (exchange("00000001.masks.png", "00000002.masks.png"), RECORDS),
    "member more": (members(lambda found: [*found, ("00000001.txt", b"x")]), RECORDS),
    "map that was not asked for": (
        members(lambda found: [*found, ("00000002.parts.png", b"x")]),
        RECORDS,
    ),
    "member of another name": (members(lambda found: [*found, ("readme", b"x")]), RECORDS),
    "member twice": (members(lambda found: [*found, found[-1]]), RECORDS),
    "member twice, the first another": (
        members(lambda found: [(found[-1][0], b"x"), *found]),
        RECORDS,
    ),
    "members reordered": (members(lambda found: [found[1], found[0], *found[2:]]), RECORDS),
    "member missing": (members(lambda found: found[:-1]), RECORDS),
    "sample missing": (members(lambda found: found[: len(found) // 2]), RECORDS),
    "samples exchanged": (
        members(lambda found: [*found[len(found) // 2 :], *found[: len(found) // 2]]),
        RECORDS,
    ),
    "link in a shard": (link, RECORDS),
    "times of members": (repack(mtime=1), RECORDS),
    "owner of members": (repack(uname="me"), RECORDS),
    "mode of members": (repack(mode=0o777), RECORDS),
    "data behind the end": (data(SHARD, lambda d: d + b"more"), RECORDS),
    "data between members": (data(SHARD, lambda d: d[:400] + b"x" + d[401:]), RECORDS),
    "shard cut": (data(SHARD, lambda d: d[: len(d) // 2]), RECORDS),
    "shard missing": (remove(SHARD), RECORDS),
    "shards exchanged": (swap_files(SHARD, SECOND), RECORDS),
    "shard of another": (copy(SECOND, SHARD), RECORDS),
    "v": (person(flag_2_to_1), RERENDER),
    "iscrowd": (person(setting("iscrowd", 1)), RECORDS),
    "category_id": (person(setting("category_id", 7)), RECORDS),
    "left and right exchanged": (person(exchange_sides), RECORDS),
    "annotation with ids": (person(lambda a: a.update(id=1, image_id=1)), RECORDS),
    "annotation removed": (record(lambda r: r["annotations"].pop()), RECORDS),
    "file name elsewhere": (record(setting("image", "file_name", "/etc/passwd")), RECORDS),
    "image's id": (record(setting("image", "id", 3)), RECORDS),
    "light in the scene": (record(adding("scene", "ambient", 0.1)), RERENDER),
    "scene as text": (record(lambda r: r.update(scene=json.dumps(r["scene"]))), RECORDS),
    "record with more": (record(lambda r: r.update(more=1)), RECORDS),
    "record with a duplicate key": (
        member(RECORD, lambda d: d.replace(b'"iscrowd":0', b'"iscrowd":0,"iscrowd":0', 1)),
        RECORDS,
    ),
    "record with NaN": (
        member(RECORD, lambda d: d.replace(b'"area":', b'"area":NaN,"w":', 1)),
        RECORDS,
    ),
    "garbage behind a record": (member(RECORD, lambda d: d + b"x"), RECORDS),
    "spaces in a record": (member(RECORD, lambda d: d.replace(b":", b": ", 1)), RECORDS),
    "shards counted wrong": (manifest(adding("shards", 0, "images", 1)), RECORDS),
    "persons counted wrong": (manifest(adding("shards", 0, "persons", 1)), RECORDS),
    "shards in another order": (manifest(lambda m: m["shards"].reverse()), RECORDS),
    "shard named twice": (manifest(lambda m: m["shards"].append(m["shards"][0])), RECORDS),
    "shard not named": (manifest(lambda m: m["shards"].pop()), RECORDS),
    "shard elsewhere": (manifest(setting("shards", 0, "name", "../shard-000000.tar")), RECORDS),
    "manifest's format": (manifest(setting("format", 9)), RECORDS),
    "category": (manifest(setting("header", "categories", 0, "name", "cat")), RECORDS),
    "convention": (manifest(setting("header", "info", "label_convention", "x")), RECORDS),
    "licence": (manifest(lambda m: m["header"]["licenses"].append({})), RECORDS),
    "entry in the header": (manifest(lambda m: m["header"].update(more=1)), RECORDS),
    "entry in the manifest": (manifest(lambda m: m.update(more=1)), RECORDS),
    "manifest missing": (remove(MANIFEST), RECORDS),
    "run of another seed": (run(setting("config", "seed", 9)), RECORDS),
    "run of other shards": (run(setting("config", "output", "shard_images", 3)), RECORDS),
    "run of another format": (run(setting("config", "output", "format", "coco")), RECORDS),
    "run of other lights": (run(setting("config", "environment", "lights", 4)), RERENDER),
    "run of other libraries": (run(setting("versions", "numpy", "1.0")), KEPT),
    "run.json missing": (remove(RUN), RECORDS),
    "file more": (create("notes.txt"), RECORDS),
    "shard more": (create("shard-000002.tar"), RECORDS),
    "picture beside the shards": (create("images/00000001.jpg"), RECORDS),
}

UNFORGED_EDITS = {
    "size of a shard": manifest(adding("shards", 0, "bytes", 1)),
    "SHA-256 of a shard": manifest(setting("shards", 0, "sha256", "0" * 64)),
    "no SHA-256": manifest(setting("shards", 0, "sha256", "")),
    "manifest in one line": text(MANIFEST, lambda t: json.dumps(json.loads(t))),
    "garbage behind the manifest": text(MANIFEST, lambda t: t + "x"),
    "duplicate key in the manifest": text(
        MANIFEST, lambda t: t.replace('"format": 1', '"format": 1, "format": 1')
    ),
    "checksums missing": remove(CHECKSUMS),
    "checksum changed": text(CHECKSUMS, lambda t: "0" * 64 + t[64:]),
    "checksums exchanged": lines(CHECKSUMS, swap_lines),
    "checksum removed": lines(CHECKSUMS, lambda found: found[1:]),
}
"""Edits that new checksums and a new manifest would undo."""
