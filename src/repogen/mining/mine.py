"""Mining: rounds of candidates, a sampler fitted after each, and a dataset of those chosen."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain, groupby
from pathlib import Path

from tqdm import tqdm

from repogen.config import checked, config_from_keywords
from repogen.datasets.folder import MINING, MINING_MARK
from repogen.errors import UserError
from repogen.files import (
    cannot_read,
    exclusive,
    read_regular,
    write_atomic,
)
from repogen.generation.config import GenerateConfig, options_of_preset
from repogen.generation.engines import ray_cluster
from repogen.generation.loop import folder_of, generate
from repogen.limits import MAX_OPTIONS
from repogen.messages import say
from repogen.mining.candidates import TASK, DrawTask, draw_lines
from repogen.mining.choice import Chosen, Hardest, choose
from repogen.mining.config import MineConfig
from repogen.mining.difficulty import Difficulty, check_can_be_asked
from repogen.mining.fitting import fit
from repogen.mining.judging import (
    Judging,
    check_folder,
    check_same,
    describe,
    judge_all,
    on_any_node,
    with_teacher,
)
from repogen.mining.records import IMAGES, Candidate, read_candidates
from repogen.mining.spread import absolute, file_digest, map_spread
from repogen.poses.sampler import sampler_to_toml
from repogen.processes import check_not_in_worker

_LEAST_ELITE, _MOST_ELITE = 16, 5000
"""People that a sampler is fitted to, at least where there are so many, and at most."""

_REASONS = {
    "motion": "are beyond the range of motion (--max-excess)",
    "inside": "have skin inside the body (--max-inside)",
    "balance": "are not balanced (--max-overhang)",
    "hidden": "have too few visible keypoints (--least-visible)",
    "small": "are too small (--least-side)",
    "unknown": "have too few keypoints that --teacher finds (--least-visible)",
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


@dataclass(frozen=True)
class _Files:
    """Paths in the folder `mining` of a dataset."""

    root: Path

    def candidates(self, number: int) -> Path:
        return self.root / f"candidates-{number}.jsonl"

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
    check_not_in_worker("mine")
    options = options_of_preset(preset, options)
    config = config_from_keywords(MineConfig, config, options)
    check_can_be_asked(str(weights))
    if config.judging.teacher is not None:
        check_can_be_asked(config.judging.teacher, "--teacher")
    folder = folder_of(Path(out), config)
    files = _Files(folder.root / MINING)
    mark = files.root / MINING_MARK
    check_folder(folder.root, mark)
    options_of_run = {"judging": asdict(config.judging), "search": asdict(config.search)}
    with exclusive(files.root / "lock", folder.root):
        asked = with_teacher((str(weights),), config.judging)
        check_same(folder.root, mark, describe(config, options_of_run, asked))
        if folder.complete:
            say(f"{folder.root} is already finished: {config.images} images with these options")
            return folder.root
        with ray_cluster(config):
            rounds = _search(config, str(weights), files)
            chosen = _choose(config, files, rounds, str(weights))
            write_atomic(files.root / IMAGES, "".join(_records(rounds, chosen)).encode())
            scenes = _scenes(folder.root, rounds, chosen)
            generate(folder.root, _output_config(config), scenes=scenes)
    say(f"to make more of them: repogen generate OUT --sampler {files.sampler(len(rounds))}")
    return folder.root


def _search(config: MineConfig, weights: str, files: _Files) -> list[_Round]:
    """Judge the candidates of all rounds, and write a sampler after each."""
    count, rounds = config.count, config.search.rounds
    bounds = [count * number // rounds for number in range(rounds + 1)]
    out: list[_Round] = []
    current, digest = config, file_digest(config.pose.sampler)
    with tqdm(total=count, unit="candidate", smoothing=0.1, desc="mining") as bar:
        for number in range(1, rounds + 1):
            one = _Round(number, bounds[number - 1], bounds[number], current, digest)
            judge_all(
                Judging(one.config, on_any_node(config.judging), absolute((weights,)), one.sampler),
                range(one.first, one.stop),
                files.candidates(number),
                bar,
            )
            out.append(one)
            path = files.sampler(number).absolute()  # for nodes of a cluster
            _write_sampler(config, files, number, weights)
            current = replace(config, pose=replace(config.pose, sampler=path))
            digest = file_digest(path)
    return out


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
    few = min(max(int(search.elite * judged), _LEAST_ELITE), _MOST_ELITE)
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


def _scenes(root: Path, rounds: list[_Round], chosen: list[Chosen]) -> Iterator[str]:
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

    yield from chain.from_iterable(map_spread(draw_lines, tasks(), root, rounds[-1].config))


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
