"""The command line: one verb for each public function that writes or reads files."""

import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING

from repogen.errors import UserError, exhausted, unknown_choice
from repogen.extras import EXTRAS, how_to_install
from repogen.garbage import collect_seldom
from repogen.messages import say
from repogen.processors import usable_processors
from repogen.streams import STDOUT, drop_stdout, open_streams

if TYPE_CHECKING:
    from repogen.commands.parsing import Commands

VERBS = {
    "generate": "write a dataset of synthetic people",
    "preview": "draw a contact sheet and figures of a dataset",
    "validate": "check that a dataset is complete and consistent",
    "convert": "write labelled people in another format",
    "rerender": "render single images of a dataset again",
    "mine": "write a dataset of people whom an estimator finds hard",
    "probe": "map which people and views an estimator finds hard",
    "train": "fine-tune a pose estimator on real and synthetic people",
    "evaluate": "score weights on sets of labelled people",
    "predict": "find poses in images and videos",
    "weights": "convert, export to ONNX or blend weights",
    "assets": "install packs of clothes, hair and panoramas",
    "studio": "look at scenes, change them by hand and save them, on a page",
    "views": "camera views in a COCO-keypoints file",
    "info": "options of this installation, or a summary of a dataset",
}
"""Each verb, a module of `commands/`, and what it does."""

SHELLS = ("bash", "zsh", "fish")
"""Shells that --print-completion writes a script for."""

_RESUMABLE = ("generate", "mine", "probe", "train", "convert")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 a check failed, 2 bad input, 130 Ctrl-C,
    141 a closed output (`| head`). SIGTERM ends the process with 143."""
    if arguments is None:
        open_streams()
        collect_seldom()
        # At exit Python searches all objects for garbage, which takes up to half a second.
        atexit.register(gc.freeze)
        _start_workers_early(sys.argv[1:])
    words = sys.argv[1:] if arguments is None else arguments
    again = "; run the same command again to resume" if {*words[:1]} & {*_RESUMABLE} else ""
    try:
        with _terminable(f"repogen: stopped{again}\n"):
            try:
                code = _run(words)
            finally:
                sys.stdout.flush()
        return code
    except UserError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        return _refuse(f"{words[0]} needs {error.name}; {how_to_install(error.name)}")
    except KeyboardInterrupt:
        say(f"stopped{again}")
        return 130
    except OSError as error:
        if error.filename == STDOUT:
            drop_stdout()
            if isinstance(error, BrokenPipeError):
                return 141
            return _refuse(f"cannot write {STDOUT}: {error.strerror}; all files are written")
        if exhausted(error) is None and error.filename is not None:
            return _refuse(str(UserError(f"cannot open {error.filename}: {error.strerror}")))
        return _refuse_exhausted(error)
    except Exception as error:
        return _refuse_exhausted(error)


def _start_workers_early(words: list[str]) -> None:
    """Let the workers' server import the renderer while this process reads its options, if there
    are a second processor and images to make on this machine's processors."""
    elsewhere = {"-h", "--help", "--device", "--engine"} & {word.split("=")[0] for word in words}
    if words[:1] == ["generate"] and words[1:] and not elsewhere and usable_processors() > 1:
        from repogen.worker_server import start_early

        start_early()


@contextmanager
def _terminable(last_words: str) -> Iterator[None]:
    """While the block runs, SIGTERM prints `last_words` and ends this process with code 143; its
    workers end with it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own = os.getpid()

    def end(number: int, _frame: FrameType | None) -> None:
        if os.getpid() == own:  # and not a fork that a library ends by SIGTERM
            with suppress(OSError):
                os.write(2, last_words.encode())
        os._exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"repogen {version('repogen')}")
        return 0
    if words[0] == "--print-completion":
        if words[1:] not in [[shell] for shell in SHELLS]:
            raise UserError(f"--print-completion takes the name of a shell: {', '.join(SHELLS)}")
        from repogen.commands.parsing import print_completion

        print_completion(words[1], {verb: _commands(verb, []) for verb in VERBS})
        return 0
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        raise unknown_choice("command", verb, VERBS)
    # Imported only now: `repogen --help` need not wait for the renderer.
    from repogen.commands.parsing import run_command

    return run_command(verb, _commands(verb, rest), rest)


def _commands(verb: str, words: list[str]) -> "Commands":
    return import_module(f"repogen.commands.{verb}").commands(words)


def _refuse_exhausted(error: Exception) -> int:
    """Refuse in one line where memory or open files ran out; raises the error where not."""
    why = exhausted(error)
    if why is None:
        raise error
    return _refuse(why)


def _refuse(why: str) -> int:
    say(f"error: {why}")
    return 2


def _usage() -> str:
    verbs = "\n".join(f"  {verb:<10} {text}" for verb, text in VERBS.items())
    return (
        "usage: repogen COMMAND …\n\nSynthetic people in rare poses and from rare views, with "
        f"exact COCO keypoints.\n\n{verbs}\n\nrepogen COMMAND --help lists a command's options.\n"
        "repogen --print-completion bash (zsh, fish) prints a script for the shell's completion."
    )
