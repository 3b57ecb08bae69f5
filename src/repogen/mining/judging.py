"""Judging many candidates, resumably, and the record of a run's inputs."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from shutil import rmtree
from typing import Any

from tqdm import tqdm

from repogen._version import __version__
from repogen.errors import UserError
from repogen.files import atomic_path, write_atomic
from repogen.generation.config import GenerateConfig
from repogen.generation.run_info import config_to_json
from repogen.json_files import read_json
from repogen.mining.candidates import TASK, Task, judge_task
from repogen.mining.config import JudgingConfig
from repogen.mining.records import read_candidates
from repogen.mining.spread import absolute, file_digest, map_spread, weights_digest

_LOCK = "lock"


@dataclass(frozen=True)
class Judging:
    """What all tasks of some candidates share; see `Task`."""

    config: GenerateConfig
    judging: JudgingConfig
    weights: tuple[str, ...]
    sampler: str

    @property
    def asked(self) -> tuple[str, ...]:
        """All weights that are asked: the judged ones, and the teacher's."""
        return with_teacher(self.weights, self.judging)


def judge_all(shared: Judging, indices: range, path: Path, bar: "tqdm[Any]") -> None:
    """Judge candidates and write their lines to `path`, those of an earlier call included.

    Finished tasks lie in a folder beside `path` until all are.
    """
    if path.exists():
        bar.update(len(indices))
        return
    parts = path.with_suffix("")

    def part(first: int) -> Path:
        return parts / f"{first:09d}.jsonl"

    def tasks() -> Iterator[Task]:
        for some in tasks_of(indices):
            if _is_judged(part(some[0]), some):
                bar.update(len(some))
            else:
                yield Task(shared.config, shared.judging, shared.weights, shared.sampler, some)

    for found in map_spread(judge_task, tasks(), path.parent, shared.config, shared.asked):
        text = "".join(candidate.to_line() for candidate in found)
        write_atomic(part(found[0].index), text.encode())
        bar.update(len(found))
    with atomic_path(path) as partial, partial.open("w") as out:
        lines = chain.from_iterable(read_candidates(part(some[0])) for some in tasks_of(indices))
        out.writelines(candidate.to_line() for candidate in lines)
    for some in tasks_of(indices):  # one by one: a list of them all would grow with their number
        part(some[0]).unlink(missing_ok=True)
    rmtree(parts, ignore_errors=True)


def with_teacher(weights: tuple[str, ...], judging: JudgingConfig) -> tuple[str, ...]:
    """The weights, and after them those of --teacher."""
    return weights if judging.teacher is None else (*weights, judging.teacher)


def on_any_node(judging: JudgingConfig) -> JudgingConfig:
    """The options with --teacher as an absolute path."""
    return replace(judging, teacher=absolute((judging.teacher,))[0]) if judging.teacher else judging


def tasks_of(indices: range) -> Iterator[tuple[int, ...]]:
    """The indices of each task."""
    for first in range(0, len(indices), TASK):
        yield tuple(indices[first : first + TASK])


def _is_judged(path: Path, indices: tuple[int, ...]) -> bool:
    """Whether a file holds these candidates, whole."""
    try:
        return [one.index for one in read_candidates(path)] == [*indices]
    except UserError:
        return False


def check_folder(root: Path, mark: Path) -> None:
    """Raises `UserError` for a folder that another command or program wrote; `mark` is the file
    that ours have, in the folder or a folder in it."""
    if root.exists() and not root.is_dir():
        raise UserError(f"{root} is a file; give the name of a folder")
    own = [] if mark.parent == root else [mark.parent.name]
    folders = {root, mark.parent}
    names = [name for folder in folders if folder.is_dir() for name in sorted(os.listdir(folder))]
    others = [name for name in names if name not in (*own, _LOCK)]
    if others and not mark.is_file():
        raise UserError(f"{root} holds other files ({others[0]}); choose a new folder")


def check_same(root: Path, mark: Path, description: Mapping[str, Any]) -> None:
    """Keep the description of a new run in `mark`; raises `UserError` where that of an old one
    differs."""
    text = json.dumps(description, indent=1) + "\n"
    if not mark.exists():
        write_atomic(mark, text.encode())
        return
    before, now = _flat(read_json(mark)), _flat(json.loads(text))
    different = next((key for key in now if before.get(key) != now[key]), None)
    if different:
        raise UserError(
            f"{root} was started with {different} = {before.get(different)}, not {now[different]}; "
            "use the same options to resume, or another folder"
        )


def _flat(value: object, name: str = "") -> dict[str, Any]:
    """The values of nested tables by their names."""
    if not isinstance(value, dict):
        return {name: value}
    return {k: v for key, part in value.items() for k, v in _flat(part, str(key)).items()}


def describe(
    config: GenerateConfig, options: Mapping[str, Any], weights: tuple[str, ...]
) -> dict[str, Any]:
    """What a result depends on, as JSON: options, and the state of the weights."""
    return {
        "format": 2,
        "config": {**config_to_json(config), **options},
        "sampler_sha256": file_digest(config.pose.sampler),
        "weights": [*weights],
        "weights_sha256": [weights_digest(one) for one in weights],
        "repogen": __version__,
    }
