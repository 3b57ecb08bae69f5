"""A process that has imported everything, and forks one command after the other.

Each line on stdin is JSON: [words, seconds]. The command `repogen WORDS` runs in a fork that is a
process group of its own. After `seconds` (null: never) the group is killed by SIGKILL. The answer,
one line of JSON, is [seconds it ran, how it ended: the exit code, or minus the signal].

The command `merge FOLDER` finishes the dataset in FOLDER, whose chunk files are there.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import repogen.commands.evaluate
import repogen.evaluation.report
import repogen.inference.network
import repogen.inference.predict
import repogen.mining.mine
import repogen.training.loop
import repogen.visualization.plots  # noqa: F401
from repogen.cli import main
from repogen.datasets.folder import DatasetFolder


def merge(root: Path) -> int:
    DatasetFolder(root).finish(len([*root.glob(".parts/*.jsonl")]), {"info": {}})
    return 0


def run(words: list[str]) -> int:
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    return merge(Path(words[1])) if words[0] == "merge" else main(words)


def serve() -> None:
    for line in sys.stdin:
        words, seconds = json.loads(line)
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            code = 99
            try:
                os.setpgid(0, 0)
                code = run(words)
            finally:
                os._exit(code)
        with suppress(OSError):
            os.setpgid(child, child)
        status = 0
        if seconds is None:
            _, status = os.waitpid(child, 0)
        else:
            done = 0
            while not done and time.monotonic() < start + seconds:
                time.sleep(0.002)
                done, status = os.waitpid(child, os.WNOHANG)
            if not done:
                os.killpg(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)
        print(json.dumps([time.monotonic() - start, os.waitstatus_to_exitcode(status)]), flush=True)


if __name__ == "__main__":
    serve()
