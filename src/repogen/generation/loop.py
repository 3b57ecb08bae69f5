"""The generation loop: chunks of images over several processes, in any order, resumable."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from repogen.config import checked, config_from_keywords
from repogen.datasets.coco_header import coco_header
from repogen.datasets.folder import (
    DatasetFolder,
    foreign_files,
    locked,
    remove_chunks,
    remove_partials,
)
from repogen.datasets.reading import read_run_info, write_run_info
from repogen.datasets.shards import ShardFolder
from repogen.errors import UserError, unknown_choice
from repogen.generation.config import GenerateConfig, options_of_preset
from repogen.generation.engines import make_chunks
from repogen.generation.own_scenes import OwnScenes, Scenes, read_own_scenes
from repogen.generation.run_info import (
    changed_option,
    check_same_run,
    run_info,
    warn_of_other_versions,
)
from repogen.messages import say, warn
from repogen.processes import check_not_in_worker


@checked
def generate(
    out: Path | str,
    config: GenerateConfig | None = None,
    preset: str | None = None,
    scenes: Scenes | None = None,
    **options: object,
) -> Path:
    """Write a dataset of `images` images into the folder `out`; returns the folder.

    The options are a `GenerateConfig` or its keywords: `generate("out", images=48, views="top")`.
    Keywords win over those of a preset: `generate("out", preset="rare-views", images=48)`.

    With `scenes` each of them gives an image, and none is drawn: an iterable, which ends, of
    `Scene` or of lines as in scenes.jsonl, or the path of a file of such lines. Scene i gets the
    index i, its people must be of the option `body`, and options that draw scenes are refused.
    Photographs and other files that they show are found as `render` finds them, or in the folders
    `backgrounds`, `textures` and `cutouts`. To resume, give the same scenes again.

    An unfinished dataset of the same options is resumed, a finished one is left as it is. Raises
    `UserError` for invalid input, for a folder with other content, and for a full disk or memory;
    `KeyboardInterrupt` for Ctrl-C. Files written so far stay valid: the same call resumes. Worker
    processes import the calling script, so call this under `if __name__ == "__main__":`.

    >>> repogen.generate("people", images=4, views="top", image_size=96, workers=1)
    PosixPath('people')
    """
    check_not_in_worker("generate")
    options = options_of_preset(preset, options)
    config = config_from_keywords(GenerateConfig, config, options)
    folder = folder_of(Path(out), config)
    _check_device(config.device)
    _check_not_foreign(folder)
    own = None if scenes is None else read_own_scenes(scenes, config, folder.chunk)
    config, run = _current_run_info(config, own)
    if folder.complete and changed_option(read_run_info(folder), run) is None:
        say(f"{folder.root} is already finished: {config.images} images with these options")
        return folder.root
    with locked(folder, lambda: _check_folder(folder, run)):
        if folder.run.exists():
            warn_of_other_versions(read_run_info(folder), run)
        else:
            write_run_info(folder, run)
        sizes = [
            min(folder.chunk, config.images - first)
            for first in range(0, config.images, folder.chunk)
        ]
        todo = [k for k, size in enumerate(sizes) if not folder.holds_chunk(k, size)]
        damaged = sum(folder.chunk_file(chunk).exists() for chunk in todo)
        if damaged:
            warn(
                f"{damaged} of the finished groups of {folder.chunk} images have missing or "
                "damaged files, and are made again"
            )
        done = config.images - sum(sizes[chunk] for chunk in todo)
        if done:
            say(f"resuming: {done} of {config.images} images exist")
        if own is None:
            say(f"backgrounds: {run['backgrounds_found']}")
        else:
            say(f"scenes: {own.count} of your own")
        for calibration in config.camera.calibrations:
            say(f"camera: {calibration.description}")
        if todo:
            with tqdm(
                total=config.images, initial=done, unit="img", smoothing=0.1, desc="generating"
            ) as bar:
                for size in make_chunks(folder, config, todo, own):
                    bar.update(size)
                remove_partials(folder)  # left by workers that died
        folder.finish(len(sizes), coco_header(read_run_info(folder)))
    remove_chunks(folder)
    return folder.root


def folder_of(root: Path, config: GenerateConfig) -> DatasetFolder:
    """The dataset folder that a run with these options writes."""
    if config.output.format == "webdataset":
        return ShardFolder(root, config.output.shard_images)
    return DatasetFolder(root)


def _current_run_info(
    config: GenerateConfig, own: OwnScenes | None
) -> tuple[GenerateConfig, dict[str, Any]]:
    """A copy of the config, which reads the files that it names again since they may have changed,
    and the contents of run.json. With scenes of the user's own it has their number of images."""
    if own is not None:
        config = replace(config, images=own.count)
        return config, run_info(config, "those of the given scenes", own.sha256)
    config = deepcopy(config)
    _, found = config.backdrop
    return config, run_info(config, found)


def _check_device(device: str) -> None:
    if device != "cpu":
        from repogen.warp_setup import wp

        devices = [str(d) for d in wp.get_devices()] + ["cuda"] * wp.is_cuda_available()
        if device not in devices:
            raise unknown_choice("device", device, devices)


def _check_not_foreign(folder: DatasetFolder) -> None:
    is_ours = folder.run.exists() or not folder.root.is_dir()
    foreign = [] if is_ours else foreign_files(folder)
    if foreign:
        raise UserError(
            f"{folder.root} holds other files ({foreign[0]}) and no run.json; choose a new folder"
        )


def _check_folder(folder: DatasetFolder, run: dict[str, Any]) -> None:
    root = folder.root
    _check_not_foreign(folder)
    if not folder.run.exists():
        return
    before = read_run_info(folder)
    if folder.complete:
        images, key = before["config"].get("images"), changed_option(before, run)
        raise UserError(
            f"{root} is a finished dataset of {images} images; choose another folder"
            + (f" (it differs in {key})" if key else "")
        )
    check_same_run(root, before, run)
