"""Small valid files for each reader, and the strategies that damage them."""

import io
import json
import pickle
import tempfile
from dataclasses import fields
from pathlib import Path

import mutations as m
import numpy as np
import pytest
from hypothesis import strategies as st
from readers import MHMAT, OBJ, SET, SKELETON, STARTED
from safetensors.numpy import save as save_arrays

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.datasets.reading import RUN_FORMAT
from repogen.generation.config import GenerateConfig
from repogen.generation.run_info import config_to_json

_POLYGON = [[1.0, 1.0, 20.0, 1.0, 20.0, 20.0]]
COCO = {
    "images": [
        SET["images"][0] | {"view": {"azimuth_deg": 1.0, "elevation_deg": 2.0, "roll_deg": 3.0}},
        {"id": 9, "file_name": "a/9.jpg", "width": 64, "height": 48},
    ],
    "annotations": [
        SET["annotations"][0] | {"area": 9.0, "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 1, "segmentation": _POLYGON, "keypoints": [0] * 51},
        {"id": 3, "image_id": 9, "category_id": 1, "keypoints": [2] * 51, "iscrowd": 1,
         "segmentation": {"size": [48, 64], "counts": [100, 60, 2912]}},
        {"id": 4, "image_id": 9, "category_id": 1, "keypoints": [],
         "segmentation": {"size": [48, 64], "counts": "T3l0T1"}},
    ],
    "categories": [SKELETON | {"keypoints": list(COCO_KEYPOINTS), "supercategory": "person"}],
}  # fmt: skip
EMPTY = COCO | {"images": [*COCO["images"], {"id": 8, "file_name": "8.jpg"}]}
FOUND = [{"image_id": 7, "category_id": 1, "bbox": [1, 2, 9, 9], "score": 0.5, "frame": 0}]
OURS = (
    '{"info":{"a":1},\n"categories":[]'
    ',\n"images":[\n{"id":1,"w":3},\n{"id":2}\n],\n"annotations":[\n'
    '{"id":1,"image_id":1},\n{"id":2,"image_id":2}\n]}\n'
)
RUN = {
    "format": RUN_FORMAT,
    "config": config_to_json(GenerateConfig(images=3, write=("depth",))),
    "backgrounds_found": "built-in places",
    "assets": [],
    "body_files": {},
    "files": {"bounds": "0" * 64},
    "versions": {"a": "1"},
}
MASK = {"size": [4, 4], "counts": "556"}
LABELLED = {
    "image": {
        "id": 1, "width": 4, "height": 4, "view": {"name": "top"},
        "camera": {
            "model": "pinhole", "K": [[2, 0, 2], [0, 2, 2], [0, 0, 1]], "distortion": [],
            "R": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "t": [0, 0, 0],
        },
    },
    "annotation": {
        "id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0,
        "keypoints": [2.0, 2.0, 2] * 17, "num_keypoints": 17,
        "keypoints_3d": [[0.0, 0.0, 1.0]] * 17, "area": 5, "bbox": [1.0, 0.0, 2.0, 4.0],
        "segmentation": MASK, "amodal_segmentation": MASK, "amodal_bbox": [1.0, 0.0, 2.0, 4.0],
    },
}  # fmt: skip
POSES = {
    "format": "repogen-poses",
    "poses": [{"name": "a", "angles": {"left_hip": [1, 2, 3]}, "orientation": [90, 0, 0]}],
}
MANIFEST = {
    "format": 1,
    "header": {"info": {}},
    "shards": [
        {"name": "shard-000000.tar", "images": 1, "persons": 1, "bytes": 10240, "sha256": "0" * 64}
    ],
}
OPTIONS = """images = 8
seed = 5
[camera]
image-size = 64
views = ['front', "top"]
distance = [1.0, 2.5]
[environment]
backgrounds = '#204060'
[pose]
pose-variance = 0.5
[output]
write = ["depth"]
"""
BOUNDS = "[left_knee]\nx = [0.0, 120.0]\ny = [-5, 5]\n"
MHCLO = """# licence CC0
name Hat
uuid 1234
obj_file hat.obj
material hat.mhmat
z_depth 60
tag hats
x_scale 5399 11998 1.5
verts 0
7
10 11 12 0.5 0.25 0.25 0.1 -0.2 0.3
30
delete_verts
100 - 103 200
"""


def bvh() -> bytes:
    """A BVH file of one frame: a person with arms stretched out."""
    limb = {
        "LeftUpLeg": ("Hips", "9 -5 0"), "LeftLeg": ("LeftUpLeg", "0 -45 0"),
        "LeftFoot": ("LeftLeg", "0 -42 0"), "RightUpLeg": ("Hips", "-9 -5 0"),
        "RightLeg": ("RightUpLeg", "0 -45 0"), "RightFoot": ("RightLeg", "0 -42 0"),
        "Spine": ("Hips", "0 25 0"), "Neck": ("Spine", "0 20 0"), "Head": ("Neck", "0 10 2"),
        "LeftArm": ("Spine", "17 17 0"), "LeftForeArm": ("LeftArm", "28 0 0"),
        "LeftHand": ("LeftForeArm", "26 0 0"), "RightArm": ("Spine", "-17 17 0"),
        "RightForeArm": ("RightArm", "-28 0 0"), "RightHand": ("RightForeArm", "-26 0 0"),
    }  # fmt: skip

    def joint(name: str, offset: str, kind: str) -> str:
        below = "".join(joint(n, o, "JOINT") for n, (above, o) in limb.items() if above == name)
        end = "End Site\n{\nOFFSET 0 5 0\n}\n" if not below else ""
        channels = "CHANNELS 3 Zrotation Xrotation Yrotation"
        return f"{kind} {name}\n{{\nOFFSET {offset}\n{channels}\n{below}{end}}}\n"

    numbers = " ".join("10.5" for _ in range(3 * (len(limb) + 1)))
    head = joint("Hips", "0 90 0", "ROOT")
    return f"HIERARCHY\n{head}MOTION\nFrames: 1\nFrame Time: 0.008\n{numbers}\n".encode()


def npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def shard() -> bytes:
    """A shard of two images without pixels."""
    from repogen.datasets.folder import Sample
    from repogen.datasets.shards import pack_shard

    person = {"category_id": 1, "keypoints": [1, 2, 2], "bbox": [1, 2, 3, 4]}
    files = {"image": b"\xff\xd8\xff\xd9", "depth": b"\x89PNG", "stick/all": b"\x89PNG"}
    image = {"id": 1, "width": 3, "height": 3}
    records = [Sample(image | {"id": n}, [person], '{"seed":1}', files) for n in (1, 2)]
    return pack_shard("shard-000000.tar", records)[0]


def checkpoint() -> bytes:
    import torch

    out = io.BytesIO()
    torch.save({"state_dict": {"down.0.weight": torch.ones(2, 3), "b": torch.zeros(1)}}, out)
    return out.getvalue()


def old_checkpoint() -> bytes:
    """A checkpoint in torch's format before 1.6."""
    import torch

    out = io.BytesIO()
    tensors = {name: torch.ones(3, 2) for name in ("down.0.weight", "down.1.weight", "head.bias")}
    torch.save(tensors, out, _use_new_zipfile_serialization=False)
    return out.getvalue()


def pickled_poses(protocol: int) -> bytes:
    """What an estimator of body poses writes, for two people."""
    person = {"smpl_thetas": np.zeros((2, 72), np.float32), "cam": [1.0, 2.0]}
    return pickle.dumps({"1": person, "2": [person]}, protocol)


def smpl_pickle(protocol: int) -> bytes:
    from scipy import sparse

    weights = np.arange(6.0).reshape(2, 3)
    faces = sparse.csc_matrix(np.eye(3, dtype=np.uint8))
    return pickle.dumps({"f": faces, "weights": weights}, protocol)


def panorama(suffix: str) -> bytes:
    import cv2

    from repogen.assets.panoramas import write_panorama

    pixels = np.random.default_rng(0).random((8, 16, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        if suffix == ".exr":
            write_panorama(path, pixels)
        else:
            cv2.imwrite(str(path), pixels)
        return path.read_bytes()


def picture(kind: str) -> bytes:
    import cv2

    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 4), dtype=np.uint8)
    return cv2.imencode(kind, pixels if kind in (".png", ".webp") else pixels[..., :3])[1].tobytes()


def three_json() -> dict:
    return {
        "metadata": {
            "basemesh": "hm08", "uuid": "1", "license": "CC0", "tags": ["hats"], "z_depth": 60,
            "deleteVerts": [0] * 19_158, "ref_vIdxs": [[1, 1, 1]] * 4,
            "weights": [[1, 0, 0]] * 4, "offsets": [[0, 0, 0]] * 4,
        },
        "faces": [9, 0, 1, 2, 3, 0, 1, 2, 3], "uvs": [[0, 0, 1, 0, 1, 1, 0, 1]],
    }  # fmt: skip


def garment() -> bytes:
    facts = {
        "kind": "clothes", "name": "hat", "uuid": "", "licence": "CC0", "z_depth": "60",
        "tags": '["a"]', "two_sided": "1",
    }  # fmt: skip
    arrays = {
        "refs": np.ones((3, 3), np.int32), "weights": np.ones((3, 3), np.float32),
        "offsets": np.ones((3, 3), np.float32), "scale_refs": np.ones((3, 2), np.int32),
        "scale_lengths": np.ones(3, np.float32), "faces": np.array([[0, 1, 2]], np.int32),
        "face_uv": np.ones((1, 3, 2), np.float32), "hidden": np.array([5], np.int32),
    }  # fmt: skip
    return save_arrays(arrays, facts)


def _json(*values: object) -> tuple[list[bytes], st.SearchStrategy[bytes]]:
    seeds = [json.dumps(value).encode() for value in values]
    trees = st.one_of([m.damaged_json(value) for value in values])
    return seeds, st.one_of(trees, trees, *map(m.damaged, seeds))


def _bytes(*seeds: bytes, more: tuple[st.SearchStrategy[bytes], ...] = ()):
    return list(seeds), st.one_of(*more, *map(m.damaged, seeds))


def _toml(text: str, keys: tuple[str, ...]):
    values = (
        *(n.decode() for n in m.NUMBERS), "true", "''", "[]", "{}", "[1, 'a']", "1979-05-27",
        "[" * 5_000 + "]" * 5_000, "'../../etc/passwd'", "'#zz'", "{a = 1}", "[[1, 2], [3]]",
        "'" + "x" * 5000 + "'", '"\\u0000"', "{a." + "b." * 3000 + "c = 1}",
    )  # fmt: skip
    line = st.tuples(st.sampled_from(keys), st.sampled_from(values)).map(" = ".join)
    tables = st.lists(line, max_size=4, unique_by=lambda one: one.split(" = ")[0])
    made = tables.map(lambda lines: "\n".join(lines).encode())
    return _bytes(text.encode(), more=(made, made))


def _npz(names: tuple[str, ...], *files: bytes):
    return _bytes(*files, more=(*map(m.damaged_zip, files), m.odd_npz(names)))


def _safetensors(file: bytes):
    return _bytes(file, more=(m.damaged_safetensors(file),))


def _weights():
    pytest.importorskip("torch")  # which reads them
    return _safetensors(save_arrays({"a": np.ones(3)}, {"model": "tiny"}))


def _options():
    from repogen.config import groups_of
    from repogen.generation.config import GenerateConfig

    keys = [field.name for field in fields(GenerateConfig)]
    keys += [f"{name}.{f.name}" for name, kind in groups_of(GenerateConfig).items()
             for f in fields(kind)]  # fmt: skip
    return _toml(OPTIONS, tuple(key.replace("_", "-") for key in keys))


def _amass():
    smplh = npz(poses=np.zeros((2, 156)), trans=np.zeros((2, 3)))
    smplx = npz(pose_body=np.zeros((2, 63), np.float32), pose_hand=np.zeros((2, 90)))
    return _npz(("poses", "pose_body", "pose_hand"), smplh, smplx)


def _smpl_npz():
    arrays = npz(f=np.zeros((1, 3), np.uint32), weights=np.ones((2, 3)), v_template=np.ones((2, 3)))
    return _npz(("f", "weights", "v_template", "shapedirs"), arrays)


def _shard():
    return _bytes(tar := shard(), more=(m.damaged_tar(tar), m.damaged_tar(tar)))


def _checkpoint():
    new = checkpoint()
    return _bytes(new, old_checkpoint(), more=(m.damaged_zip(new), m.odd_pickle()))


def _sampler():
    from repogen.poses.sampler import Component, Sampler, sampler_to_toml

    turn = {"left_knee": (90.0, 0.0, 1.5), "neck": (0.0, 5.0, 0.0)}
    one = Component(0.25, (0.0, 180.0, 0.0), 5.0, -90.0, 45.0, 10.0, 0.0, 8.0, turn, turn)
    other = Component(0.75, (9.0, 0.0, 0.0), 0.0, 90.0, -45.0, 0.0, -170.0, 0.0, {}, {})
    keys = ("explore", "version", "components", "components.angles", "components.angles.neck")
    return _toml(sampler_to_toml(Sampler(0.3, 60.0, (one, other))), keys)


def _candidates():
    from repogen.mining.records import DESCRIPTOR, Candidate, JudgedPerson

    person = JudgedPerson(
        0, ((0.5, 0.0, 0.25),), True, 10.0, 20.0, 0.0, 30.0, 40.0, (0.0, 90.0, 0.0), (1.5,) * 63,
        (0.1,) * DESCRIPTOR, 100.0, 15, 1, 0.0, 0.01, "suit", 0.5, ((0.5, None) + (1.0,) * 15,),
    )  # fmt: skip
    both = Candidate(0, "", person), Candidate(1, "motion", None)
    return _json(*(json.loads(one.to_line()) for one in both))


def _scene():
    from repogen.assets.sources import Source
    from repogen.cameras.camera import Camera
    from repogen.environment.backgrounds import Photo
    from repogen.environment.lights import DirectionalLight
    from repogen.people.outfit import Fabric, Outfit
    from repogen.people.person import Person
    from repogen.scenes.scene import FORMAT, Scene

    cloth = Fabric("#102030", "#ffffff", "plain", 0.1, 0.2)
    outfit = Outfit(
        "#ddc4a3", "#3a2412", "short", "#171311", 0.0, "tank", cloth, 0.1, 0.1, 0.1, "shorts",
        cloth, 0.1, "shoes", "#3c9283", "#141414",
    )  # fmt: skip
    person = Person("anny", {"age": 0.5}, {}, {"left_hip": (1.0, 2, 3)}, outfit, (0.0, 0, 0), 5.0)
    camera = Camera(64, 64, 90, 90, 32, 32, ((1, 0, 0), (0, 1, 0), (0, 0, 1)), (0, 0, 3))
    light, photo = (
        DirectionalLight((0, 0, 1), (1, 1, 1), True),
        Photo(Source("a.jpg", "0" * 64), (0, 0, 1, 1), False),
    )
    scene = Scene(FORMAT, 1, 0, 0, "top", (person,), (), camera, (light,), 0.5, True, photo)
    return _json(json.loads(scene.to_json()))


SEEDS = {
    "COCO set": lambda: _json(COCO),
    "COCO backgrounds": lambda: _json(EMPTY),
    "detections": lambda: _json(FOUND),
    "boxes": lambda: _json(FOUND, SET),
    "our annotations": lambda: _bytes(OURS.encode(), more=(_json(json.loads(OURS))[1],)),
    "our COCO header": lambda: _bytes(OURS.encode()),
    "run.json": lambda: _json(RUN),
    "our labels": lambda: _json(LABELLED),
    "manifest": lambda: _json(MANIFEST),
    "shard": _shard,
    "scene": _scene,
    "options": _options,
    "bounds": lambda: _toml(BOUNDS, ("left_knee", "left_knee.x", "neck", "x")),
    "sampler": _sampler,
    "judged candidates": _candidates,
    "mine.json": lambda: _json(STARTED),
    "BVH": lambda: _bytes(bvh()),
    "AMASS": _amass,
    "pickled poses": lambda: _bytes(*map(pickled_poses, (0, 2, 4)), more=(m.odd_pickle(),) * 2),
    "poses": lambda: _json(POSES),
    "mhclo": lambda: _bytes(MHCLO.encode()),
    "mhmat": lambda: _bytes(MHMAT.encode()),
    "obj": lambda: _bytes(OBJ.encode()),
    "three.js": lambda: _json(three_json()),
    "garment": lambda: _safetensors(garment()),
    "SMPL pickle": lambda: _bytes(*map(smpl_pickle, (0, 2, 4)), more=(m.odd_pickle(),) * 2),
    "SMPL npz": _smpl_npz,
    "EXR": lambda: _bytes(panorama(".exr")),
    "HDR": lambda: _bytes(panorama(".hdr")),
    "picture": lambda: _bytes(*map(picture, (".png", ".jpg", ".webp", ".bmp"))),
    "checkpoint": _checkpoint,
    "safetensors": _weights,
}
"""Valid files and a strategy for damaged ones, by the name of their reader in `READERS`."""
