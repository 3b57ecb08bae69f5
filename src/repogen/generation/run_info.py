"""The contents of run.json, and the check that an unfinished run resumes with the same inputs."""

import contextlib
import json
import os
import sys
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from repogen.assets.packs import INDEX, pack_dir
from repogen.bodies.smpl_files import FAMILIES, find_model_files
from repogen.cameras.calibration import path_and_name
from repogen.config import flat_options
from repogen.datasets.config import DatasetConfig
from repogen.datasets.reading import OWN_SCENES, RUN_FORMAT
from repogen.environment.backgrounds import background_files, names_files
from repogen.errors import UserError
from repogen.files import sha256_of, sha256_of_bytes
from repogen.generation.config import GenerateConfig
from repogen.messages import warn
from repogen.scenes.config import SceneConfig
from repogen.scenes.packs import packs_of
from repogen.usable_files import find_usable

_FREE_OPTIONS = ("workers", "engine", "ray_address")
"""Options that do not change the data: run.json leaves them out, and a run may resume with other
values."""

_FILE_OPTIONS = {
    "bounds": "pose", "poses": "pose", "sampler": "pose", "cutouts": "environment",
    "textures": "people",
}  # fmt: skip
"""Options that name a file or folder which images depend on, with their groups."""

_PACKAGES = ("repogen", "warp-lang", "numpy", "opencv-python-headless")


def run_info(
    config: GenerateConfig, backgrounds_found: str, scenes_sha256: str | None = None
) -> dict[str, Any]:
    """The contents of run.json: the options and the current state of everything they read, and the
    SHA-256 of the scenes if they are the user's own."""
    versions = {}
    for package in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    versions["python"] = sys.version.split()[0]
    return {
        "format": RUN_FORMAT,
        "config": config_to_json(config),
        "backgrounds_found": backgrounds_found,
        "assets": _assets(config),
        "body_files": _body_files(config),
        "files": _hash_files(config),
        "versions": versions,
    } | ({} if scenes_sha256 is None else {OWN_SCENES: scenes_sha256})


def config_to_json(config: SceneConfig) -> dict[str, Any]:
    """The options that a dataset depends on as JSON, in their groups.

    Files and folders are absolute paths, asset packs names. They are for people to read, and for
    comparison when a run is resumed: nothing opens them.
    """
    own = {field.name for field in fields(DatasetConfig)}
    options = {name: value for name, value in asdict(config).items() if name in own}
    table = json.loads(json.dumps(options, default=str))
    for name in _FREE_OPTIONS:
        table.pop(name, None)
    for name, group in {**_FILE_OPTIONS, "body_path": "people"}.items():
        options = table[group]
        if options[name] and Path(options[name]).exists():
            options[name] = str(Path(options[name]).resolve())
    options = table["camera"]
    options["camera"] = [os.path.abspath(spec) for spec in options["camera"]]
    if options["image_size"] is None:
        width, height = config.camera.size
        options["image_size"] = width if width == height else [width, height]
    options = table["environment"]
    if Path(options["backgrounds"]).is_dir():
        options["backgrounds"] = str(Path(options["backgrounds"]).resolve())
    return table


def _body_files(config: GenerateConfig) -> dict[str, str]:
    """SHA-256 of the user's body model files, by name."""
    people = config.people
    if people.body_path is None:
        return {}
    files = find_model_files(people.body_path, FAMILIES[people.body]).values()
    return {file.name: sha256_of(file) for file in files}


def _assets(config: GenerateConfig) -> list[dict[str, Any]]:
    """The asset packs that images may use: source, licences and a hash."""
    return [
        {
            "name": pack.name,
            "version": pack.version,
            "source": pack.source,
            "licences": sorted({item.licence for item in pack.items}),
            "sha256": sha256_of(pack_dir(pack.name) / INDEX),
        }
        for pack in packs_of(config).values()
    ]


def _files(config: GenerateConfig) -> dict[str, Path]:
    """The files and folders that options name, without asset packs."""
    named = {name: getattr(getattr(config, group), name) for name, group in _FILE_OPTIONS.items()}
    return {name: path for name, path in named.items() if path is not None and path.exists()}


def _hash_files(config: GenerateConfig) -> dict[str, str]:
    """Hashes of the files and folders that options name, by option."""
    hashes = {name: _hash_path(path) for name, path in _files(config).items()}
    if config.camera.camera:
        digests = [sha256_of(path_and_name(spec)[0]) for spec in config.camera.camera]
        hashes["camera"] = sha256_of_bytes(json.dumps(digests).encode())
    spec = config.environment.backgrounds
    if names_files(spec):
        root, files = background_files(spec)
        hashes["backgrounds"] = _hash_folder(root.absolute(), files)
    return hashes


def _hash_path(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files below a folder."""
    if path.is_file():
        return sha256_of(path)
    return _hash_folder(path, sorted(p for p in path.rglob("*") if p.is_file()))


def _hash_folder(folder: Path, files: list[Path]) -> str:
    """SHA-256 of the names and contents of a folder's files."""
    found = find_usable(files, file_hash, str(folder))
    hashes = dict(zip(found.files, found.values, strict=True))
    named = [(os.path.relpath(file, folder), hashes.get(file)) for file in files]
    return sha256_of_bytes(json.dumps(named).encode())


def file_hash(path: Path) -> str:
    """SHA-256 of a file. Raises `UserError` where it cannot be read."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def changed_option(before: dict[str, Any], run: dict[str, Any]) -> str | None:
    """The first option that changes the data and differs between two run.json, `scenes` for those
    of the user's own; None for none."""
    if before.get(OWN_SCENES) != run.get(OWN_SCENES):
        return "scenes"
    old, new = dict(flat_options(before["config"])), dict(flat_options(run["config"]))
    return next((key for key in new if old.get(key) != new[key]), None)


def check_same_run(root: Path, before: dict[str, Any], run: dict[str, Any]) -> None:
    """Raises `UserError` where resuming the dataset in `root` would not give the same images.

    `before` is its run.json, `run` the same of now.
    """
    old, new = dict(flat_options(before["config"])), dict(flat_options(run["config"]))
    key = changed_option(before, run)
    if key == "scenes":
        started = "other scenes of your own" if OWN_SCENES in before else "scenes drawn by repogen"
        raise UserError(
            f"{root} was started with {started}; give the same again to resume, or another folder"
        )
    if key:
        raise UserError(
            f"{root} was started with {key} = {old.get(key)}, not {new[key]}; use the same options "
            "to resume, or another folder"
        )
    if before.get("backgrounds_found") != run["backgrounds_found"]:
        raise UserError(
            f"{root} was started with {before.get('backgrounds_found')}, now there are "
            f"{run['backgrounds_found']}; restore the backgrounds to resume, or use another folder"
        )
    if before.get("assets") != run["assets"]:
        names = [f"{pack['name']} {pack['version']}" for pack in before.get("assets", [])]
        raise UserError(
            f"{root} was started with {', '.join(names) or 'no asset packs'}, which have changed; "
            "restore them to resume (repogen assets), or use another folder"
        )
    if before.get("body_files") != run["body_files"]:
        raise UserError(
            f"{root} was started with other files of the body {new['body']}; restore them to "
            "resume, or use another folder"
        )
    for name, digest in run["files"].items():
        if before.get("files", {}).get(name) != digest:
            raise UserError(
                f"{root} was started with another content of --{name} {new[name]}; restore it to "
                "resume, or use another folder"
            )


def warn_of_other_versions(before: dict[str, Any], run: dict[str, Any]) -> None:
    """Warn where an unfinished dataset was started with other library versions."""
    if before["versions"] != run["versions"]:
        warn("the run was started with other library versions; later images may differ slightly")
