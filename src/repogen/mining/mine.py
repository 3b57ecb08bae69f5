"""Mining: rounds of candidates, a sampler fitted after each, and a dataset of those chosen."""

import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from shutil import rmtree
from typing import Any

from tqdm import tqdm

from repogen import _version
from repogen.config import checked, config_from_keywords, merged
from repogen.datasets.folder import MINING, MINING_MARK, DatasetFolder
from repogen.errors import UserError, unknown_choice
from repogen.files import (
    atomic_path,
    cannot_read,
    exclusive,
    read_regular,
    sha256_of,
    sha256_of_bytes,
    write_atomic,
)
from repogen.generation.config import PRESETS, GenerateConfig
from repogen.generation.loop import folder_of, generate
from repogen.generation.run_info import config_to_json
from repogen.inference.network import load_estimator
from repogen.json_files import read_json
from repogen.limits import MAX_OPTIONS
from repogen.messages import say
from repogen.mining.candidates import TASK, DrawTask, Task, draw_lines, judge_task
from repogen.mining.choice import Chosen, Hardest, choose
from repogen.mining.config import MineConfig
from repogen.mining.difficulty import Difficulty
from repogen.mining.fitting import fit
from repogen.mining.records import Candidate, read_candidates
from repogen.models.packaged import packaged
from repogen.poses.sampler import sampler_to_toml
from repogen.processes import map_tasks

_MOST_ELITE = 5000
"""People that a sampler is fitted to, at most."""

_REASONS = {
    "motion": "are beyond the range of motion (--max-excess)",
    "inside": "have skin inside the body (--max-inside)",
    "balance": "are not balanced (--max-overhang)",
    "hidden": "have too few visible keypoints (--least-visible)",
    "small": "are too small (--least-side)",
}


@dataclass(frozen=True)
class _Round:
    """One round: its candidates, and the options that draw them."""

    number: int
    first: int
    stop: int
    config: MineConfig
    sampler: str
    """SHA-256 of the config's sampler; empty without one."""

    def tasks(self) -> Iterator[tuple[int, ...]]:
        """The indices of the candidates of each task."""
        for first in range(self.first, self.stop, TASK):
            yield tuple(range(first, min(first + TASK, self.stop)))


@dataclass(frozen=True)
class _Files:
    """Paths in the folder `mining` of a dataset."""

    root: Path

    def candidates(self, number: int) -> Path:
        return self.root / f"candidates-{number}.jsonl"

    def part(self, number: int, first: int) -> Path:
        return self.root / f"round-{number}" / f"{first:09d}.jsonl"

    def sampler(self, number: int) -> Path:
        return self.root / f"sampler-{number}.toml"


@checked
def mine(
    out: Path | str,
    weights: Path | str,
    config: MineConfig | None = None,
    preset: str | None = None,
    **options: object,
) -> Path:
    """Write a dataset of people whom an estimator finds hard into the folder `out`; returns it.

    `weights` are as for `load_estimator`. The options are a `MineConfig` or its keywords:
    `mine("out", "lightning", images=200, views="sphere")`; keywords win over those of a preset.

    The folder `mining` in the dataset holds sampler-1.toml and so on, the distribution after each
    round, for `generate(sampler=…)`; candidates-1.jsonl and so on, the judged candidates; and
    mining.jsonl, a record of each image. The same call resumes an interrupted run.

    Raises `UserError` for weights that cannot be asked, for invalid options, where too few
    candidates are hard, plausible and seen, and as `generate` does.

    >>> repogen.mine("mined", "lightning", images=2, candidates=4, rounds=1, image_size=96,
    ...              ordinary=1.0, max_excess=1000, max_inside=1, least_visible=1,
    ...              least_side=1, workers=1)
    PosixPath('mined')
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise UserError(
            "a worker process imported your script and called mine() again; put the call under "
            '`if __name__ == "__main__":`'
        )
    if preset is not None:
        if preset not in PRESETS:
            raise unknown_choice("preset", preset, PRESETS)
        options = merged(PRESETS[preset], options)
    config = config_from_keywords(MineConfig, config, options)
    load_estimator(weights, threads=1)  # an error comes now
    folder = folder_of(Path(out), config)
    files = _Files(folder.root / MINING)
    _check_folder(folder, files)
    description = describe(config, str(weights))
    with exclusive(files.root / "lock", folder.root):
        _check_same(files, description)
        if folder.complete:
            say(f"{folder.root} is already finished: {config.images} images with these options")
            return folder.root
        rounds = _search(config, str(weights), files)
        chosen = _choose(config, files, rounds, str(weights))
        write_atomic(files.root / "mining.jsonl", "".join(_records(rounds, chosen)).encode())
        generate(folder.root, _output_config(config), scenes=_scenes(config, rounds, chosen))
    say(f"to make more of them: repogen generate OUT --sampler {files.sampler(len(rounds))}")
    return folder.root


def describe(config: MineConfig, weights: str) -> dict[str, Any]:
    """What the result depends on, as JSON: options, and the state of the weights."""
    table = config_to_json(config)
    return {
        "format": 1,
        "config": table | {"judging": asdict(config.judging), "search": asdict(config.search)},
        "sampler": _digest(config.pose.sampler),
        "weights": weights,
        "weights_sha256": weights_digest(weights),
        "repogen": _version.__version__,
    }


def weights_digest(weights: str) -> str:
    """SHA-256 of the weights' file, or of a folder's files of weights; empty for names."""
    path = Path(weights)
    if packaged(weights) or not path.exists():
        return ""
    try:
        if path.is_file():
            return sha256_of(path)
        kinds = (".safetensors", ".pth", ".bin", ".onnx")
        found = sorted(file for file in path.iterdir() if file.suffix in kinds and file.is_file())
        return sha256_of_bytes(json.dumps([(f.name, sha256_of(f)) for f in found]).encode())
    except OSError as error:
        raise cannot_read(path, error) from error


def _digest(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return sha256_of(path)
    except OSError as error:
        raise cannot_read(path, error) from error


def _check_folder(folder: DatasetFolder, files: _Files) -> None:
    """Raises `UserError` for a folder that another command or program wrote."""
    root = folder.root
    if root.exists() and not root.is_dir():
        raise UserError(f"{root} is a file; give the name of a folder")
    mark = files.root / MINING_MARK
    names = [path.name for path in root.iterdir()] if root.is_dir() else []
    inside = [path.name for path in files.root.iterdir()] if files.root.is_dir() else []
    if not mark.is_file() and ({*names} - {MINING} or {*inside} - {"lock"}):
        other = next(iter({*names} - {MINING}), MINING)
        raise UserError(f"{root} holds other files ({other}); choose a new folder")


def _check_same(files: _Files, description: dict[str, Any]) -> None:
    """Keep the description of a new run; raises `UserError` where an old one differs."""
    mark = files.root / MINING_MARK
    text = json.dumps(description, indent=1) + "\n"
    if not mark.exists():
        write_atomic(mark, text.encode())
        return
    before, now = _flat(read_json(mark)), _flat(json.loads(text))
    different = next((key for key in now if before.get(key) != now[key]), None)
    if different:
        raise UserError(
            f"{files.root.parent} was started with {different} = {before.get(different)}, not "
            f"{now[different]}; use the same options to resume, or another folder"
        )


def _flat(value: object, name: str = "") -> dict[str, Any]:
    """The values of nested tables by their names."""
    if not isinstance(value, dict):
        return {name: value}
    return {k: v for key, part in value.items() for k, v in _flat(part, str(key)).items()}


def _search(config: MineConfig, weights: str, files: _Files) -> list[_Round]:
    """Judge the candidates of all rounds, and write a sampler after each."""
    count, rounds = config.count, config.search.rounds
    bounds = [count * number // rounds for number in range(rounds + 1)]
    out: list[_Round] = []
    current, digest = config, _digest(config.pose.sampler)
    with tqdm(total=count, unit="candidate", smoothing=0.1, desc="mining") as bar:
        for number in range(1, rounds + 1):
            one = _Round(number, bounds[number - 1], bounds[number], current, digest)
            _judge(one, weights, files, bar)
            out.append(one)
            path = files.sampler(number)
            _write_sampler(config, files, number, weights)
            current = replace(config, pose=replace(config.pose, sampler=path))
            digest = _digest(path)
    return out


def _judge(one: _Round, weights: str, files: _Files, bar: "tqdm[Any]") -> None:
    """Judge a round's candidates; those of an earlier call are kept."""
    if files.candidates(one.number).exists():
        bar.update(one.stop - one.first)
        return
    tasks = [*one.tasks()]
    todo = [t for t in tasks if not _is_judged(files.part(one.number, t[0]), t)]
    bar.update(one.stop - one.first - sum(map(len, todo)))
    made = (Task(one.config, one.config.judging, (weights,), one.sampler, t) for t in todo)
    found = map_tasks(judge_task, made, one.config.worker_count)
    for indices, candidates in zip(todo, found, strict=True):
        lines = "".join(candidate.to_line() for candidate in candidates)
        write_atomic(files.part(one.number, indices[0]), lines.encode())
        bar.update(len(indices))
    parts = (read_candidates(files.part(one.number, task[0])) for task in tasks)
    with atomic_path(files.candidates(one.number)) as path, path.open("w") as out:
        out.writelines(candidate.to_line() for candidate in chain.from_iterable(parts))
    rmtree(files.root / f"round-{one.number}", ignore_errors=True)


def _is_judged(path: Path, indices: tuple[int, ...]) -> bool:
    """Whether a file holds these candidates, whole."""
    try:
        return [one.index for one in read_candidates(path)] == [*indices]
    except UserError:
        return False


def _write_sampler(config: MineConfig, files: _Files, number: int, weights: str) -> None:
    """Fit the sampler after a round to the hardest people of the rounds so far."""
    search, by = config.search, config.judging.difficulty
    refused: Counter[str] = Counter()
    for candidate in _candidates(files, number):
        refused[candidate.refused] += 1
    judged = refused[""]
    if not judged:
        reasons = "; ".join(f"{n} {_REASONS[why]}" for why, n in refused.most_common())
        raise UserError(
            f"nobody among {refused.total()} candidates is plausible and can be seen: {reasons}"
        )
    few = min(max(int(search.elite * judged), 1), _MOST_ELITE)
    hardest = Hardest(few, by)
    for candidate in _candidates(files, number):
        hardest.add(candidate)
    elite = [(h, one) for h, one in hardest.found() if h >= search.least_difficulty]
    if not elite:
        worst = hardest.found()[0][0]
        raise UserError(
            f"nothing is hard for {weights}: of {judged} people the hardest scores {worst:.3f}, "
            f"and --least-difficulty is {search.least_difficulty:g}; give rarer views and poses, "
            "or a lower --least-difficulty"
        )
    people = [one.person for _, one in elite if one.person is not None]
    fitted = fit(
        people, [h for h, _ in elite], search.components, search.explore, config.judging.max_excess
    )
    path, text = files.sampler(number), sampler_to_toml(fitted).encode()
    if not path.exists():
        write_atomic(path, text)
        return
    try:
        same = read_regular(path, MAX_OPTIONS) == text
    except OSError as error:
        raise cannot_read(path, error) from error
    if not same:
        raise UserError(f"{path} has changed since repogen mine wrote it; restore or remove it")


def _candidates(files: _Files, rounds: int) -> Iterator[Candidate]:
    """The candidates of the first rounds, by index."""
    for number in range(1, rounds + 1):
        yield from read_candidates(files.candidates(number))


def _choose(config: MineConfig, files: _Files, rounds: list[_Round], weights: str) -> list[Chosen]:
    search, by = config.search, config.judging.difficulty
    chosen = choose(
        _candidates(files, len(rounds)), config.images, search.ordinary, search.least_difficulty,
        search.diversity, by,
    )  # fmt: skip
    if len(chosen) < config.images:
        hard = sum(one.kind == "hard" for one in chosen)
        raise UserError(
            f"{len(chosen)} of {config.images} images: {len(chosen) - hard} ordinary ones, and "
            f"{hard} of {config.count} candidates that are plausible, seen, and as hard for "
            f"{weights} as --least-difficulty {search.least_difficulty:g}; give more --candidates, "
            "or fewer --images"
        )
    return chosen


def _records(rounds: list[_Round], chosen: list[Chosen]) -> Iterator[str]:
    """A line of mining.jsonl for each image."""
    for image_id, one in enumerate(chosen, start=1):
        person = one.candidate.person
        assert person is not None
        number = next(r.number for r in rounds if one.candidate.index < r.stop)
        record = {
            "image_id": image_id,
            "kind": one.kind,
            "round": number,
            "candidate": one.candidate.index,
            "person": person.number,
            "difficulty": round(one.hardness, 4),
            **asdict(Difficulty(*person.difficulty[0])),
        }
        yield json.dumps(record) + "\n"


def _scenes(config: MineConfig, rounds: list[_Round], chosen: list[Chosen]) -> Iterator[str]:
    """The scenes of the chosen candidates as lines, drawn again."""

    def tasks() -> Iterator[DrawTask]:
        start = 0
        for one in rounds:
            indices = [
                c.candidate.index for c in chosen if one.first <= c.candidate.index < one.stop
            ]
            for _, group in groupby(enumerate(indices), lambda pair: pair[0] // TASK):
                some = tuple(index for _, index in group)
                yield DrawTask(one.config, one.sampler, some, start)
                start += len(some)

    yield from chain.from_iterable(map_tasks(draw_lines, tasks(), config.worker_count))


def _output_config(config: MineConfig) -> GenerateConfig:
    """The options of the dataset that is made of given scenes."""
    people, environment = config.people, config.environment
    return GenerateConfig(
        people={
            "body": people.body, "body_path": people.body_path, "textures": people.textures,
        },
        environment={"backgrounds": environment.backgrounds, "cutouts": environment.cutouts},
        packs=config.packs,
        output=config.output,
        device=config.device,
        workers=config.workers,
        engine=config.engine,
        ray_address=config.ray_address,
    )  # fmt: skip
