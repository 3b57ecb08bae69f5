"""Generating a dataset: chunks of images spread over processes, in any order, resumable."""

import contextlib
import hashlib
import json
import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from repogen.appearance.backgrounds import parse_backgrounds
from repogen.assets import installed
from repogen.bodies.anny_data import ensure_anny_data
from repogen.bodies.smpl_files import FAMILIES, find_model_files
from repogen.datasets.folder import (
    Busy,
    DatasetFolder,
    foreign_files,
    locked,
    remove_partials,
    remove_parts,
)
from repogen.datasets.reading import RUN_FORMAT, read_run, write_run
from repogen.datasets.shards import ShardFolder
from repogen.errors import UserError, choose
from repogen.generation.config import GenerateConfig
from repogen.generation.engines import make_chunks
from repogen.labels.annotation import CATEGORY
from repogen.poses.motion import poses_of_pack

_FREE = ("workers", "engine", "ray_address")
"""Options that do not change the data: a run may be resumed with others."""


def generate(out: Path | str, config: GenerateConfig) -> Path:
    """Write a dataset of `config.images` pictures into the folder `out`; returns the folder.

    A half-made folder of the same options is finished; anything else in the way is refused.
    Raises `UserError` for input a person can mend and `KeyboardInterrupt` for Ctrl-C; in
    either case what is written stays valid and the same call goes on. Worker processes import
    the calling script: call it under `if __name__ == "__main__":`.
    """
    folder = folder_of(Path(out), config)
    _, found = parse_backgrounds(config.backgrounds)
    _check_device(config.device)
    run = _run_record(config, found)
    with _locked(folder, run):
        chunks = -(-config.images // folder.chunk)
        todo = [chunk for chunk in range(chunks) if not folder.part(chunk).exists()]
        left = sum(min(folder.chunk, config.images - chunk * folder.chunk) for chunk in todo)
        done = config.images - left
        if done:
            _say(f"going on: {done} of {config.images} images are there")
        _say(f"backgrounds: {found}")
        if todo:
            if config.body == "anny":
                ensure_anny_data()
            with tqdm(
                total=config.images, initial=done, unit="img", smoothing=0.1, desc="generating"
            ) as bar:
                for size in make_chunks(folder, config, todo):
                    bar.update(size)
                remove_partials(folder)  # of workers that died and whose chunks others made again
        header = {
            "info": {
                "description": "Synthetic people by repogen",
                "version": run["versions"]["repogen"],
                "contributor": "repogen",
            },
            "licenses": [],
            "categories": [CATEGORY],
        }
        folder.finish(chunks, header)
    remove_parts(folder)
    return folder.root


def folder_of(root: Path, config: GenerateConfig) -> DatasetFolder:
    """The folder that a run of these options writes."""
    if config.format == "webdataset":
        return ShardFolder(root, config.shard_images)
    return DatasetFolder(root)


def _check_device(device: str) -> None:
    if device != "cpu":
        from repogen.warp_setup import wp

        devices = [str(d) for d in wp.get_devices()] + ["cuda"] * wp.is_cuda_available()
        if device not in devices:
            raise choose("device", device, devices)


def _say(text: str) -> None:
    print(f"repogen: {text}", file=sys.stderr, flush=True)


def config_to_json(config: Any) -> dict[str, Any]:
    """A config's fields as JSON holds them; backgrounds and files by absolute path, a pack of
    poses by its name."""
    fields = json.loads(json.dumps(asdict(config), default=str))
    for name in ("bounds", "poses", "body_path", "cutouts", "textures"):
        if fields.get(name) and Path(fields[name]).exists():
            fields[name] = str(Path(fields[name]).resolve())
    if Path(fields["backgrounds"]).is_dir():
        fields["backgrounds"] = str(Path(fields["backgrounds"]).resolve())
    return fields


def _run_record(config: GenerateConfig, found: str) -> dict[str, Any]:
    packages = ("repogen", "anny", "warp-lang", "numpy", "scipy", "opencv-python-headless")
    versions = {}
    for package in packages:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    versions["python"] = sys.version.split()[0]
    return {
        "format": RUN_FORMAT,
        "config": config_to_json(config),
        "backgrounds_found": found,
        "assets": _assets(config),
        "body_files": _body_files(config),
        "versions": versions,
    }


def _body_files(config: GenerateConfig) -> dict[str, str]:
    """SHA-256 of the user's own body model files, by name."""
    if config.body_path is None:
        return {}
    files = find_model_files(config.body_path, FAMILIES[config.body]).values()
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _assets(config: GenerateConfig) -> list[dict[str, Any]]:
    """The asset packs that the pictures may draw on: origin, licences, and a hash of it all."""
    posed = config.poses is not None and poses_of_pack(config.poses) is not None
    if config.wardrobe == "painted" and config.backgrounds != "auto" and not posed:
        return []
    return [
        {
            "name": pack.name,
            "version": pack.version,
            "source": pack.source,
            "licences": sorted({item.licence for item in pack.items}),
            "sha256": hashlib.sha256(repr(pack).encode()).hexdigest(),
        }
        for pack in installed().values()
    ]


@contextlib.contextmanager
def _locked(folder: DatasetFolder, run: dict[str, Any]) -> Iterator[None]:
    """Open the folder for this run alone, new or half-made; refuse any other."""
    _check_folder(folder, run)
    try:
        with locked(folder):
            _check_folder(folder, run)  # another run may have begun, or ended, in between
            if not folder.run.exists():
                write_run(folder, run)
            elif read_run(folder)["versions"] != run["versions"]:
                _say(
                    "warning: begun with other versions of the libraries; later images may "
                    "differ a bit"
                )
            yield
    except Busy as error:
        if multiprocessing.parent_process() is None:
            raise
        raise UserError(
            "generate() runs again as a worker process imports your script; put the call under "
            '`if __name__ == "__main__":`'
        ) from error


def _check_folder(folder: DatasetFolder, run: dict[str, Any]) -> None:
    root = folder.root
    if not root.exists():
        return
    if not root.is_dir():
        raise UserError(f"{root} is a file; give the name of a folder")
    if not folder.run.exists():
        foreign = foreign_files(folder)
        if foreign:
            raise UserError(
                f"{root} holds other files ({foreign[0]}) and no run.json; choose a new folder"
            )
        return
    before = read_run(folder)
    old, new = before["config"], run["config"]
    changed = [k for k in new if k not in _FREE and old.get(k) != new[k]]
    if folder.complete:
        raise UserError(
            f"{root} is a finished dataset of {old.get('images')} images; choose another folder"
            + (f" (it differs in {changed[0]})" if changed else "")
        )
    if changed:
        key = changed[0]
        raise UserError(
            f"{root} was begun with {key} = {old.get(key)}, not {new[key]}; use the same options "
            "to go on, or another folder"
        )
    if before.get("backgrounds_found") != run["backgrounds_found"]:
        raise UserError(
            f"{root} was begun with {before.get('backgrounds_found')}, now there are "
            f"{run['backgrounds_found']}; restore the backgrounds to go on, or use another folder"
        )
    if before.get("assets") != run["assets"]:
        names = [f"{pack['name']} {pack['version']}" for pack in before.get("assets", [])]
        raise UserError(
            f"{root} was begun with {', '.join(names) or 'no asset packs'}, which have changed; "
            "restore them to go on (repogen assets), or use another folder"
        )
    if before.get("body_files") != run["body_files"]:
        raise UserError(
            f"{root} was begun with other files of the body {new['body']}; restore them to go on, "
            "or use another folder"
        )
