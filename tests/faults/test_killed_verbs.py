"""Commands that are killed at random moments, and given again, write what undisturbed ones do.

REPOGEN_KILLS says how often each is killed; 200 take an hour.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from faulty import config_of

from helpers import contents
from repogen import generate
from repogen.generation import loop

KILLS = int(os.environ.get("REPOGEN_KILLS", "3"))
IMAGES = 4
COMMANDS = {
    "preview": "preview {data} --out {out} --images 2",
    "evaluate": "evaluate --weights {run} --data s={data} --out {out}/report.json "
    "--bootstrap-samples 10",
    "train": "train --out {out} --train s={data} --model tiny --epochs 2 --batch-size 4 "
    "--workers 0",
    "predict": "predict {data}/images --weights {run} --out {out} "
    "--write drawn people cvat label-studio",
    "convert": "convert {data} {out} --to yolo-pose --images copy",
    "mine": "mine {out} --weights lightning --images 3 --candidates 40 --rounds 2 --workers 1 "
    "--image-size 96 --judge-size 64 --least-side 8 --max-excess 1000 --max-inside 1 "
    "--least-visible 1 --wardrobe painted --backgrounds plain --views sphere",
    "merge": "merge {out}",
}


class Zygote:
    """A warm process that runs commands and kills them."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    def __call__(self, words, seconds=None):
        """The seconds that the command ran, and its exit code, or minus the signal."""
        self.process.stdin.write(json.dumps([words.split(), seconds]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def zygote():
    started = Zygote()
    yield started
    started.process.stdin.close()
    started.process.wait(60)


@pytest.fixture(scope="module")
def inputs(body, zygote, tmp_path_factory):
    """A dataset, its unfinished copy (all chunks, not merged), and trained weights."""
    root = tmp_path_factory.mktemp("inputs")
    config = config_of("coco", images=IMAGES, write=(), pose="tpose")
    generate(root / "data", config)
    with pytest.MonkeyPatch.context() as patch, suppress(InterruptedError):
        patch.setattr(loop.DatasetFolder, "finish", interrupt)
        generate(root / "unmerged", config)
    words = COMMANDS["train"].format(out=root / "run", data=root / "data")
    assert zygote(words)[1] == 0
    return root


def interrupt(*_args):
    raise InterruptedError


def written(out):
    """What a command wrote, without the times that a training run records."""
    files = {
        name: data
        for name, data in contents(out).items()
        if not name.startswith(("tensorboard/", ".parts/"))
    }
    if "last.pt" in files:
        state = torch.load(out / "last.pt", weights_only=False)
        files["last.pt"] = repr(state["model"] | {"losses": state["losses"]}).encode()
        log = [json.loads(line) for line in files["log.jsonl"].splitlines()]
        files["log.jsonl"] = json.dumps([[e["epoch"], e["loss"]] for e in log]).encode()
        del files["curve.png"]
    return files


SLOW = ("evaluate", "train", "predict", "mine")


@pytest.mark.parametrize(
    "verb", [pytest.param(v, marks=pytest.mark.slow if v in SLOW else ()) for v in COMMANDS]
)
def test_a_killed_command_given_again_writes_the_same(verb, zygote, inputs, tmp_path):
    out = tmp_path / "out"
    words = COMMANDS[verb].format(data=inputs / "data", run=inputs / "run", out=out)

    def fresh():
        shutil.rmtree(out, ignore_errors=True)
        if verb == "merge":
            shutil.copytree(inputs / "unmerged", out)

    fresh()
    assert zygote(words)[1] == 0
    expected = written(out)
    assert len(expected) >= 3
    rng, killed, durations = random.Random(verb), 0, []
    for _ in range(10 * KILLS):
        fresh()
        longest = max(durations, default=30.0)
        _, code = zygote(words, rng.uniform(0, longest) if durations else None)
        killed += code == -9
        assert code in (-9, 0)
        seconds, code = zygote(words)
        assert code == 0
        assert written(out) == expected
        durations = [*durations, seconds][-5:]
        if killed == KILLS:
            break
    assert killed == KILLS
