"""What run.json says of a run, and whether a half-made one may go on."""

import contextlib
import hashlib
import json
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from repogen.assets import installed
from repogen.bodies.smpl_files import FAMILIES, find_model_files
from repogen.config import flat_options
from repogen.datasets.reading import RUN_FORMAT
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.poses.motion import poses_of_pack
from repogen.scenes.config import SceneConfig

_FREE = ("workers", "engine", "ray_address")
"""Options that do not change the data: a run may be resumed with others."""

_FILES = {"bounds": "pose", "poses": "pose", "cutouts": "environment", "textures": "people"}
"""Options that name a file or folder which pictures are drawn from, with their groups."""

_PACKAGES = ("repogen", "anny", "warp-lang", "numpy", "scipy", "opencv-python-headless")


def run_record(config: GenerateConfig, backgrounds_found: str) -> dict[str, Any]:
    """The contents of run.json: the options, and what they drew on as it is now."""
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
        "files": {name: _digest(path) for name, path in _files(config).items()},
        "versions": versions,
    }


def config_to_json(config: SceneConfig) -> dict[str, Any]:
    """A config's options as JSON holds them, in their groups; backgrounds and files by absolute
    path, a pack of poses by its name."""
    table = json.loads(json.dumps(asdict(config), default=str))
    for name, group in {**_FILES, "body_path": "people"}.items():
        options = table[group]
        if options[name] and Path(options[name]).exists():
            options[name] = str(Path(options[name]).resolve())
    options = table["environment"]
    if Path(options["backgrounds"]).is_dir():
        options["backgrounds"] = str(Path(options["backgrounds"]).resolve())
    return table


def _body_files(config: GenerateConfig) -> dict[str, str]:
    """SHA-256 of the user's own body model files, by name."""
    people = config.people
    if people.body_path is None:
        return {}
    files = find_model_files(people.body_path, FAMILIES[people.body]).values()
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _assets(config: GenerateConfig) -> list[dict[str, Any]]:
    """The asset packs that the pictures may draw on: origin, licences, and a hash of it all."""
    posed = config.pose.poses is not None and poses_of_pack(config.pose.poses) is not None
    painted = config.people.wardrobe == "painted"
    if painted and config.environment.backgrounds != "auto" and not posed:
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


def _files(config: GenerateConfig) -> dict[str, Path]:
    """The files and folders that options name; not a pack of poses."""
    named = {name: getattr(getattr(config, group), name) for name, group in _FILES.items()}
    return {name: path for name, path in named.items() if path is not None and path.exists()}


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of the names and sizes of all files below a folder."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = sorted(p for p in path.rglob("*") if p.is_file())
    sizes = [(p.relative_to(path).as_posix(), p.stat().st_size) for p in files]
    return hashlib.sha256(json.dumps(sizes).encode()).hexdigest()


def changed_option(before: dict[str, Any], run: dict[str, Any]) -> str | None:
    """The first option that matters for the data and differs between two run.json."""
    old, new = dict(flat_options(before["config"])), dict(flat_options(run["config"]))
    return next((key for key in new if key not in _FREE and old.get(key) != new[key]), None)


def refuse_other_run(root: Path, before: dict[str, Any], run: dict[str, Any]) -> None:
    """Raises `UserError` where the half-made dataset in `root`, whose run.json says `before`,
    would go on differently in this run."""
    old, new = dict(flat_options(before["config"])), dict(flat_options(run["config"]))
    key = changed_option(before, run)
    if key:
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
    for name, digest in run["files"].items():
        if before.get("files", {}).get(name) != digest:
            raise UserError(
                f"{root} was begun with another content of --{name} {new[name]}; restore it to go "
                "on, or use another folder"
            )


def warn_of_versions(before: dict[str, Any], run: dict[str, Any]) -> None:
    """Say so where a half-made dataset was begun with other versions of the libraries."""
    if before["versions"] != run["versions"]:
        print(
            "repogen: warning: begun with other versions of the libraries; later images may "
            "differ a bit",
            file=sys.stderr,
        )
