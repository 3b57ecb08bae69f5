"""What reads the records of datasets and packs: each record is put into a small valid dataset or
pack, and every command that reads it is run."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from readers import Reader, _of

BOUNDS = "[left_knee]\nx = [0, 100]\n"


def make_dataset(folder: Path) -> Path:
    """A dataset of two images with photographs, cut-outs and bounds, the same each time; its
    shards are beside it."""
    rng = np.random.default_rng(0)
    for name, sides in (("photos/a.png", (40, 60, 3)), ("cutouts/a.png", (20, 20, 4))):
        (folder / name).parent.mkdir(parents=True)
        cv2.imwrite(str(folder / name), rng.integers(0, 256, sides, dtype=np.uint8))
    (folder / "bounds.toml").write_text(BOUNDS)
    options = {"backgrounds": str(folder / "photos"), "cutouts": folder / "cutouts"}
    _of("generation.loop", "generate")(
        folder / "set", images=2, image_size=32, seed=1, occluders=(2, 2), workers=1,
        bounds=folder / "bounds.toml", wardrobe="painted", write="depth", effects="all",
        embed_sources=True, lens="opencv", people=(1, 2), **options,
    )  # fmt: skip
    _of("datasets.convert", "convert")(folder / "set", folder / "shards", 1)
    # Otherwise a changed run.json is refused at once.
    for name in ("set/annotations/person_keypoints.json", "shards/shards.json"):
        text = (folder / name).read_text()
        (folder / name).write_text(re.sub(r',\s*"run_sha256":\s*"\w+"', "", text))
    for name in ("set", "shards"):
        (folder / name / "checksums.sha256").unlink()
    return folder


def make_pack(folder: Path) -> Path:
    """An asset pack with a panorama."""
    (folder / "mine" / "environment").mkdir(parents=True)
    panorama = folder / "mine" / "environment" / "sky.hdr"
    cv2.imwrite(str(panorama), np.full((16, 32, 3), 0.5, np.float32))
    digest = _of("files", "sha256_of")(panorama)
    item = {
        "kind": "environment", "name": "sky", "uuid": "", "licence": "CC0",
        "files": {"environment/sky.hdr": digest}, "tags": ["a"],
    }  # fmt: skip
    pack = {"name": "mine", "version": "1", "source": "here", "items": [item]}
    (folder / "mine" / "pack.json").write_text(json.dumps(pack))
    return folder


@cache
def _made(scratch: Path, make: Callable[[Path], Path]) -> Path:
    return make(scratch / make.__name__)


def _dataset_verbs(folder: Path, out: Path, record: str) -> list[Callable[[], object]]:
    preview = _of("visualization.preview", "preview")
    verbs = [
        lambda: _of("datasets.rerender", "rerender")(folder, (1,), out / "again"),
        lambda: _of("datasets.validate.dataset", "validate")(folder, 0),
        lambda: _of("visualization.info", "info")(folder),
        lambda: _of("datasets.convert", "convert")(folder, out / "converted"),
        lambda: preview(folder, out / "preview", images=2),
    ]
    return verbs[: {"run.json": 5, "shards.json": 4, "scenes.jsonl": 2}[record]]


def _run(verbs: list[Callable[[], object]], out: Path) -> None:
    """Call each verb; raises the last `UserError`, if there is one."""
    refused, last = _of("errors", "UserError"), None
    try:
        for verb in verbs:
            try:
                verb()
            except refused as error:
                last = error
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if last:
        raise last


def _consumer(kind: str) -> Callable[[Path], object]:
    def read(path: Path) -> None:
        scratch = path.parents[2]
        tempfile.tempdir = str(scratch)
        folder = path.parent
        record = path.read_bytes()
        shutil.copytree(_made(scratch, make_dataset) / kind, folder, dirs_exist_ok=True)
        path.write_bytes(record)
        _run(_dataset_verbs(folder, scratch / "out", path.name), scratch / "out")

    return read


def _read_pack(path: Path) -> None:
    """List and check the packs and draw a background from them, as the commands do."""
    root = path.parents[1]
    record = path.read_bytes()
    shutil.copytree(_made(path.parents[3], make_pack), root, dirs_exist_ok=True)
    path.write_bytes(record)
    packs, named = "assets.packs", [path.parent.name]
    os.environ["REPOGEN_ASSETS"] = str(root)
    try:
        _run(
            [
                lambda: _of(packs, "packs_text")(_of(packs, "installed")()),
                lambda: _of(packs, "check")(),
                lambda: _of("people.wardrobe", "check_wardrobe")("auto", named),
                lambda: _of("environment.backgrounds", "parse_backgrounds")("auto", named)[0](
                    np.random.default_rng(0), -1.0, 3.0
                ),
            ],
            path.parents[2] / "out",
        )
    finally:
        del os.environ["REPOGEN_ASSETS"]


CONSUMERS = {
    "run.json of a dataset": Reader("set/run.json", _consumer("set"), seconds=30),
    "scenes.jsonl of a dataset": Reader("set/scenes.jsonl", _consumer("set"), seconds=30),
    "shards.json of a dataset": Reader("set/shards.json", _consumer("shards"), seconds=30),
    "pack.json of a pack": Reader("packs/mine/pack.json", _read_pack, seconds=10),
}
