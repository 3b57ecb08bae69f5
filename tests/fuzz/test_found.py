"""Inputs that once broke a reader, or were made to break one."""

import json
import struct
import zlib

import pytest
from mutations import packed_zip
from seeds import BOUNDS, COCO, FOUND, MHCLO, OBJ, POSES, RUN, bvh, checkpoint, old_checkpoint

from repogen.scenes.scene import FORMAT

DEEP = b"[" * 100_000 + b"]" * 100_000


def coco(**annotation):
    mask = {"id": 5, "image_id": 7, "category_id": 1}
    return json.dumps(COCO | {"annotations": [mask | annotation]}).encode()


def rle(size, counts):
    return coco(segmentation={"size": size, "counts": counts})


def npy(shape, data=b""):
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + data


def png(width, height):
    """A PNG with this size in its header and no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


# Tuples nested sixty deep, each of the next one twice, as the key of a dict.
NESTED = b"\x80\x02}K\x01" + b"2\x86" * 60 + b"Ns."


@pytest.mark.parametrize(
    ("reader", "data"),
    [
        pytest.param("COCO set", DEEP, id="deep set"),
        pytest.param("COCO backgrounds", DEEP, id="deep backgrounds"),
        pytest.param("detections", DEEP, id="deep detections"),
        pytest.param("boxes", DEEP, id="deep boxes"),
        pytest.param("run.json", DEEP, id="deep run"),
        pytest.param("scene", DEEP, id="deep scene"),
        pytest.param("our annotations", DEEP, id="deep annotations"),
        pytest.param("our COCO header", b'{"a":' + DEEP + b',\n"images":[\n', id="deep header"),
        pytest.param("options", b"images = " + DEEP, id="deep options"),
        pytest.param("options", b"image-size = " + b"9" * 400, id="no float"),
        pytest.param("options", b"image-size = " + b"9" * 5000, id="no number"),
        pytest.param("options", b"views = ['" + b"x" * 10**5 + b"']", id="a name of any length"),
        pytest.param("bounds", BOUNDS.encode().replace(b"120.0", b"9" * 5000), id="bounds"),
        pytest.param(
            "COCO set", json.dumps(COCO).replace('"width": 40', f'"width": {10**30}').encode(),
            id="too wide for an array",
        ),
        pytest.param("COCO set", coco(segmentation=[[0, 0, 1e9, 1e9, 0, 9]]), id="a long outline"),
        pytest.param("COCO set", coco(segmentation=[[0, 0, 9e4, 9e4] * 50]), id="there and back"),
        pytest.param("COCO set", coco(segmentation=[[float("nan")] * 6]), id="no coordinates"),
        pytest.param("COCO set", rle([0, 0], "T3l0T1"), id="a mask without pixels"),
        pytest.param("COCO set", rle([30, 40], "oooo"), id="a mask cut off"),
        pytest.param("detections", json.dumps([FOUND[0] | {"score": "x"}]).encode(), id="score"),
        pytest.param("run.json", json.dumps(RUN | {"config": []}).encode(), id="no config"),
        pytest.param(
            "manifest", b'{"format":1,"header":{},"shards":[' + b"0," * 50_000 + b"0]}",
            id="many shards that are none",
        ),
        pytest.param(
            "scene", json.dumps({"format": FORMAT, "people": [0] * 50_000}).encode(), id="a crowd"
        ),
        pytest.param("poses", json.dumps(POSES).replace("[1, 2, 3]", "[[[]]]").encode(), id="pose"),
        *(
            pytest.param("options", f"{name} = '{'x' * 5000}'".encode(), id=f"a long {name}")
            for name in ("textures", "cutouts", "poses", "bounds", "body-path")
        ),
        pytest.param("BVH", bvh().replace(b"MOTION", b"\n" * 10**5 + b"MOTIO"), id="empty lines"),
        pytest.param("BVH", bvh().replace(b"Frames: 1", b"Frames: " + b"9" * 5000), id="frames"),
        pytest.param("BVH", bvh().replace(b"0 25 0", b"1e308 25 9"), id="a long bone"),
        pytest.param("BVH", bvh().replace(b"26 0 0", b"0 0 0", 1), id="no forearm"),
        pytest.param("BVH", bvh().replace(b" 10.5", b" 1e308", 1), id="a large angle"),
        pytest.param(
            "BVH", bvh().replace(b"End Site", b"JOINT a\n{\n" * 20_000, 1), id="deep skeleton"
        ),
        pytest.param(
            "BVH",
            bvh().replace(b"3 Zr", b"9003" + b" Xrotation" * 9000 + b" Zr", 1),
            id="a joint of 9,003 channels",
        ),
        pytest.param("AMASS", packed_zip([("poses.npy", npy((10**12, 156)))]), id="a large array"),
        pytest.param("AMASS", packed_zip([("poses.npy", b"\x93NUM")]), id="half a head"),
        pytest.param(
            "AMASS", packed_zip([("poses.npy", npy((2, 156), bytes(2496)))], 8).replace(
                b"\x9d", b"\xff"
            )[:-30], id="no archive",
        ),
        pytest.param("mhclo", b"# " + b" " * 10**5 + b"\n", id="a line of spaces"),
        pytest.param("mhclo", MHCLO.encode() + b"0-99999\n", id="deleted vertices that are absent"),
        pytest.param(
            "mhclo", MHCLO.replace(".mhmat", "/a" * 33_000).encode(), id="folders in folders"
        ),
        pytest.param("obj", OBJ.encode() + b"f 1/9 2/9 3/9\n", id="no such index"),
        pytest.param("SMPL pickle", NESTED, id="a key that takes for ever to hash"),
        pytest.param("SMPL pickle", b"\x80\x04\x8f(" + NESTED[3:-3] + b"\x90.", id="a set of such"),
        pytest.param(
            "HDR",
            b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30000 +X 60000\n" + bytes(100),
            id="a panorama of 1,800 million pixels",
        ),
        pytest.param(
            "HDR",
            b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8000 +X 16000\n" + bytes(100),
            id="a panorama of 100 bytes",
        ),
        pytest.param("picture", png(60_000, 60_000), id="3,600 million pixels"),
        pytest.param("picture", png(20_000, 20_000), id="400 million pixels"),
        pytest.param("checkpoint", b"\x80\x02cos\nsystem\nX\4\0\0\0true\x85R.", id="a command"),
        pytest.param(
            "checkpoint", old_checkpoint().replace(b"FloatStorage", b"F" * 200_000), id="long name"
        ),
        pytest.param("checkpoint", checkpoint()[:-100], id="half a checkpoint"),
    ],
)  # fmt: skip
def test_a_known_bad_input_is_refused(sandbox, reader, data):
    outcome = sandbox.read(reader, data)
    assert outcome.kind == "refused", outcome


def test_many_ranges_of_deleted_vertices_are_read_in_time(sandbox):
    data = MHCLO.encode() + b"0-19157 " * 25_000
    assert sandbox.read("mhclo", data).kind == "read"
