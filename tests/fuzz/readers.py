"""The readers of untrusted files, each with the file name it needs.

Readers are imported on first use, so that one does not wait for the imports of others.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

SKELETON = {"id": 1, "name": "person"}
SET = {
    "images": [{"id": 7, "file_name": "7.jpg", "width": 40, "height": 30}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 2, 20, 20], "keypoints": [5] * 51}
    ],
    "categories": [SKELETON],
}
STARTED = {
    "format": 1, "config": {"images": 2, "camera": {"views": ["top"]}}, "sampler_sha256": "",
    "weights": ["lightning"], "weights_sha256": [""], "repogen": "1",
}  # fmt: skip
OBJ = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nf 1/1 2/2 3/3\n"
MHMAT = "# licence CC0\nname Hat\ndiffuseTexture hat.png\ntransparent False\nbackfaceCull True\n"


@dataclass(frozen=True)
class Reader:
    """A function that reads a file; `file` is the file's path inside an empty folder.

    With `names_files`, the file is a user's own and may name other files to read.
    """

    file: str
    read: Callable[[Path], object]
    names_files: bool = False
    seconds: float = 2.0
    """CPU time for a file, at most."""


def _of(module: str, name: str) -> Any:
    return getattr(import_module(f"repogen.{module}"), name)


def _clip(path: Path) -> object:
    return _of("poses.motion", "read_clip").__wrapped__(path)


def _bvh(path: Path) -> object:
    _of("poses.bvh", "bvh_frames")(path)
    return _clip(path)


@cache
def _person_annotations(folder: Path) -> Any:
    path = folder.parent / "known.json"
    path.write_text(json.dumps(SET))
    return _of("coco.annotations", "read_person_annotations")("known", path, folder)


def _boxes(path: Path) -> object:
    source = _of("inference.frames", "MediaFile")(path.parent / "7.jpg", "7.jpg")
    return _of("inference.boxes", "read_boxes")(path, [source], 0.0)


def _options(path: Path) -> object:
    table = _of("toml_files", "read_config")(path)
    kind = _of("generation.config", "GenerateConfig")
    return _of("config", "config_from_table")(kind, table, str(path))


def _shard(path: Path) -> object:
    folder = _of("datasets.folder", "DatasetFolder")(path.parent)
    for sample in _of("datasets.shards", "unpack_shard")(path.read_bytes(), path.name):
        for file in folder.files(sample):
            assert file.resolve().is_relative_to(path.parent.resolve()), f"{file} is outside"
    return None


def _dataset(path: Path) -> Any:
    return _of("datasets.folder", "DatasetFolder")(path.parent.parent)


def _label(path: Path) -> object:
    """Validate an annotation and its image as `repogen validate` does; any problem counts as
    refused."""
    refused = _of("errors", "UserError")
    data = _of("json_files", "read_json")(path)
    try:
        image, people = data["image"], [data["annotation"] | {"id": 1}]
    except (KeyError, TypeError) as error:
        raise refused("no image or annotation") from error
    config = {"output": {"occluded": "keep", "keypoints": "coco"}}
    prefixed = _of("datasets.validate.records", "_prefixed")
    annotation = _of("datasets.validate.annotations", "check_annotation")
    for problem in prefixed("it", annotation(people[0], image, config)):
        raise refused(problem)
    return None


def _hat(path: Path) -> object:
    (path.parent / "hat.obj").write_text(OBJ)
    (path.parent / "hat.mhmat").write_text(MHMAT)
    return _of("assets.mhclo", "read_mhclo")(path, "clothes", path.parent)


def _three_json(path: Path) -> object:
    model = _of("assets.three_json", "read_model")(path)
    return _of("assets.three_json", "model_to_garment")(model, "clothes", "hat", "CC0")


def _smpl(path: Path) -> object:
    """The arrays only: the check that they are a body model would refuse small ones."""
    return _of("bodies.smpl_files", "_read_npz")(path, ("f", "weights", "v_template"))


def _sampler(path: Path) -> None:
    """What can be read can be drawn from, too."""
    rng = _of("scenes.rng", "Streams")(0, 0).rng("pose")
    sampler = _of("poses.sampler", "read_sampler")(path)
    sampler.choose(rng)
    sampler.components[0].draw_pose(rng, sampler.max_excess)
    sampler.components[0].draw_view(rng, (-90.0, 90.0), (-10.0, 10.0))


def _started(path: Path) -> None:
    _of("mining.judging", "check_same")(path.parents[1], path, STARTED)


def _picture(path: Path) -> None:
    """Every way in which an untrusted picture is decoded."""
    _of("coco.images", "is_intact_image")(path, [8, 8])
    for reader in ("picture_checks.read_rgba", "environment.cutouts.check_cutout"):
        with suppress(_of("errors", "UserError")):
            _of(*reader.rsplit(".", 1))(path)
    _of("environment.backgrounds", "load_photo").__wrapped__(str(path))
    material = _of("assets.textures", "TextureSource")(path, None, True, 1.0)
    _of("assets.textures", "write_texture")(path.parent.parent / "written.png", material)
    _of("coco.images", "read_labelled_image")(str(path), 8, 8)


READERS = {
    "COCO set": Reader(
        "set.json", lambda p: _of("coco.annotations", "read_person_annotations")("set", p, p.parent)
    ),
    "COCO backgrounds": Reader(
        "set.json",
        lambda p: _of("environment.backgrounds", "_coco_paths")(f"coco:{p}:{p.parent}"),
    ),
    "detections": Reader(
        "found.json",
        lambda p: _of("evaluation.detections", "read_detections")(p, _person_annotations(p.parent)),
    ),
    "boxes": Reader("boxes.json", _boxes),
    "our annotations": Reader(
        "annotations/person_keypoints.json",
        lambda p: [*_of("datasets.reading", "read_entries")(_dataset(p))],
    ),
    "our COCO header": Reader(
        "annotations/person_keypoints.json",
        lambda p: _of("datasets.reading", "read_header")(_dataset(p)),
    ),
    "run.json": Reader(
        "run.json", lambda p: _of("datasets.reading", "parse_run_info")(p.read_bytes(), str(p))
    ),
    "our labels": Reader("label.json", _label),
    "manifest": Reader(
        "shards.json", lambda p: _of("datasets.shards", "read_manifest")(str(p.parent))
    ),
    "shard": Reader("shard-000000.tar", _shard),
    "scene": Reader(
        "scenes.jsonl",
        lambda p: _of("scenes.scene", "Scene").from_json(p.read_text("latin-1")),
    ),
    "options": Reader("c.toml", _options, names_files=True),
    "bounds": Reader("bounds.toml", lambda p: _of("poses.bounds", "load_bounds")(p)),
    "sampler": Reader("sampler.toml", _sampler),
    "judged candidates": Reader(
        "candidates-1.jsonl", lambda p: [*_of("mining.records", "read_candidates")(p)]
    ),
    "mine.json": Reader("mining/mine.json", _started),
    "BVH": Reader("a.bvh", _bvh),
    "AMASS": Reader("a.npz", _clip),
    "pickled poses": Reader("a.pkl", _clip),
    "poses": Reader("a.json", _clip),
    "mhclo": Reader("hat.mhclo", _hat),
    "mhmat": Reader("hat.mhmat", lambda p: _of("assets.mhmat", "read_mhmat")(p, p.parent)),
    "obj": Reader("hat.obj", lambda p: _of("assets.wavefront", "read_obj")(p)),
    "three.js": Reader("hat.json", _three_json),
    "garment": Reader("hat.safetensors", lambda p: _of("assets.garments", "read_garment")(p)),
    "SMPL pickle": Reader(
        "smpl.pkl",
        lambda p: _of("bodies.smpl_pickle", "read_pickled_arrays")(p, ("f", "weights")),
    ),
    "SMPL npz": Reader("smpl.npz", _smpl),
    "EXR": Reader("a.exr", lambda p: _of("assets.panoramas", "read_panorama")(p)),
    "HDR": Reader("a.hdr", lambda p: _of("assets.panoramas", "read_panorama")(p)),
    "picture": Reader("a.png", _picture),
    "checkpoint": Reader("a.pth", lambda p: _of("models.weights", "read_weights")(p)),
    "safetensors": Reader("a.safetensors", lambda p: _of("models.weights", "read_weights")(p)),
}
