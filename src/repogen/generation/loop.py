"""Generating a dataset: chunks of images spread over processes, in any order, resumable."""

import multiprocessing
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from tqdm import tqdm

from repogen.bodies.anny_data import ensure_anny_data
from repogen.config import config_from_keywords
from repogen.datasets.folder import (
    DatasetFolder,
    foreign_files,
    opened,
    remove_partials,
    remove_parts,
)
from repogen.datasets.reading import read_run, write_run
from repogen.datasets.shards import ShardFolder
from repogen.errors import UserError, unknown_choice
from repogen.generation.config import GenerateConfig
from repogen.generation.engines import make_chunks
from repogen.generation.record import changed_option, refuse_other_run, run_record, warn_of_versions
from repogen.labels.annotation import CATEGORY


def generate(out: Path | str, config: GenerateConfig | None = None, **options: object) -> Path:
    """Write a dataset of `images` pictures into the folder `out`; returns the folder.

    The options are a `GenerateConfig` or its keywords: `generate("out", images=48, views="top")`.

    A half-made folder of the same options is finished, a finished one left as it is; anything
    else in the way is refused.
    Raises `UserError` for input a person can mend and `KeyboardInterrupt` for Ctrl-C; in
    either case what is written stays valid and the same call goes on. Worker processes import
    the calling script: call it under `if __name__ == "__main__":`.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise UserError(
            "generate() runs again as a worker process imports your script; put the call under "
            '`if __name__ == "__main__":`'
        )
    config, run = _record_now(config_from_keywords(GenerateConfig, config, options))
    folder = folder_of(Path(out), config)
    _check_device(config.device)
    if folder.complete and changed_option(read_run(folder), run) is None:
        _say(f"{folder.root} is finished: {config.images} images of these options")
        return folder.root
    with opened(folder, lambda: _check_folder(folder, run)):
        if config.people.body == "anny":
            ensure_anny_data()  # minutes, the first time, in which asset packs may come
            config, run = _record_now(config)
            _check_folder(folder, run)
        if folder.run.exists():
            warn_of_versions(read_run(folder), run)
        else:
            write_run(folder, run)
        chunks = -(-config.images // folder.chunk)
        todo = [chunk for chunk in range(chunks) if not folder.part(chunk).exists()]
        left = sum(min(folder.chunk, config.images - chunk * folder.chunk) for chunk in todo)
        done = config.images - left
        if done:
            _say(f"going on: {done} of {config.images} images are there")
        _say(f"backgrounds: {run['backgrounds_found']}")
        if todo:
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
    if config.output.format == "webdataset":
        return ShardFolder(root, config.output.shard_images)
    return DatasetFolder(root)


def _record_now(config: GenerateConfig) -> tuple[GenerateConfig, dict[str, Any]]:
    """A copy of the config, which reads the files that it names again since they may have changed,
    and the contents of run.json."""
    config = deepcopy(config)
    _, found = config.environment.backdrop
    return config, run_record(config, found)


def _check_device(device: str) -> None:
    if device != "cpu":
        from repogen.warp_setup import wp

        devices = [str(d) for d in wp.get_devices()] + ["cuda"] * wp.is_cuda_available()
        if device not in devices:
            raise unknown_choice("device", device, devices)


def _say(text: str) -> None:
    print(f"repogen: {text}", file=sys.stderr, flush=True)


def _check_folder(folder: DatasetFolder, run: dict[str, Any]) -> None:
    root = folder.root
    if not folder.run.exists():
        foreign = foreign_files(folder)
        if foreign:
            raise UserError(
                f"{root} holds other files ({foreign[0]}) and no run.json; choose a new folder"
            )
        return
    before = read_run(folder)
    if folder.complete:
        images, key = before["config"].get("images"), changed_option(before, run)
        raise UserError(
            f"{root} is a finished dataset of {images} images; choose another folder"
            + (f" (it differs in {key})" if key else "")
        )
    refuse_other_run(root, before, run)
