"""Standard streams that are closed, full or read by nobody, and processes with few resources."""

import re
import subprocess
import sys

import pytest
from faulty import config_of

from helpers import contents
from repogen import generate
from repogen.cli import main
from repogen.datasets.convert import convert

FULL = "repogen: error: cannot write standard output: No space left on device"
GENERATE = (
    "generate {out} --images 2 --image-size 64 --backgrounds plain --wardrobe painted --packs "
    "--seed 7"
)


def run(words, shell="", before=""):
    """Run a command in a shell, with redirections after it and commands before it."""
    return subprocess.run(
        ["bash", "-c", f"{before} {sys.executable} -m repogen {words} {shell}"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def dataset(body, tmp_path_factory):
    config = config_of("coco", images=2, write=())
    return generate(tmp_path_factory.mktemp("streams") / "data", config)


@pytest.fixture(scope="module")
def shards(dataset):
    return convert(dataset, dataset.parent / "shards")


@pytest.mark.parametrize(
    ("shell", "code", "says"),
    [
        (">&-", 0, ""), ("2>&-", 0, ""), ("<&- >&- 2>&-", 0, ""), (">/dev/full", 2, FULL),
        ("2>/dev/full", 0, ""), (">/dev/full 2>/dev/full", 2, ""),
        ("2> >(true) | true; exit ${PIPESTATUS[0]}", 141, ""),
    ],
)  # fmt: skip
def test_a_command_finishes_whatever_its_streams_are(shards, dataset, tmp_path, shell, code, says):
    done = run(f"convert {shards} {tmp_path}/out", shell)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith(f"{says}; all files are written\n" if says else "")
    assert contents(tmp_path / "out") == contents(dataset)


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["<&- >&- 2>&-", "2> >(true) | true; exit ${PIPESTATUS[0]}"])
def test_workers_finish_whatever_the_streams_are(dataset, tmp_path, shell):
    done = run(f"{GENERATE.format(out=tmp_path / 'out')} --workers 2", shell)
    assert done.returncode == (141 if "|" in shell else 0)
    assert contents(tmp_path / "out") == contents(dataset)


@pytest.mark.parametrize(
    "words",
    ["--help", "--version", "generate --help", "info {data}", "validate {data} --rerender 0",
     "convert {data} {out}", "assets list"],
)  # fmt: skip
def test_a_full_output_is_one_line(dataset, tmp_path, words):
    done = run(words.format(data=dataset, out=tmp_path / "out"), ">/dev/full")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(FULL)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_no_file_gets_the_number_of_a_closed_stream():
    code = (
        "import os, sys; from repogen.streams import open_streams; open_streams();"
        "file = open('/dev/zero'); print('x', file=sys.stderr); os._exit(file.fileno())"
    )
    done = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "{code}" <&- >&- 2>&-'], check=False, timeout=60
    )
    assert done.returncode >= 3


def test_sigterm_with_a_closed_stderr_still_ends_the_run():
    code = (
        "import os, signal; from repogen import cli; os.close(2)\n"
        "with cli._terminable('bye'): os.kill(os.getpid(), signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == 143


def test_too_little_address_space_is_one_line(tmp_path):
    done = run(f"generate {tmp_path / 'out'} --images 1", before="ulimit -v 800000;")
    assert done.returncode == 2, done.stderr
    assert re.match(
        r"repogen: error: out of memory: drawing takes 1,073 MB of address space, and this process "
        r"may have \d+ MB more; allow more \(ulimit -v\)$",
        done.stderr.splitlines()[-1],
    )
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("files", [8, 20])
def test_few_open_files_are_one_line_or_enough(dataset, tmp_path, files):
    words = f"{GENERATE.format(out=tmp_path / 'out')} --workers 2"
    done = run(words, before=f"ulimit -n {files};")
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)
    whole = done.returncode == 0 and contents(tmp_path / "out") == contents(dataset)
    assert whole or "open" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(24, "Too many open files"), "too many open files; allow more (ulimit -n)"),
        (OSError(12, "Cannot allocate memory"), "out of memory"),
        (ImportError("libx.so: failed to map segment from shared object"), "out of memory"),
        (RuntimeError("can't start new thread"), "out of memory"), (MemoryError(), "out of memory"),
    ],
)  # fmt: skip
def test_what_runs_out_is_named_in_one_line(capsys, monkeypatch, error, says):
    def fail(*_args):
        raise RuntimeError("cannot load") from error

    monkeypatch.setattr("repogen.cli._run", fail)
    assert main(["info"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_other_errors_keep_their_traceback(monkeypatch):
    def fail(*_args):
        raise RuntimeError("a defect")

    monkeypatch.setattr("repogen.cli._run", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        main(["info"])
