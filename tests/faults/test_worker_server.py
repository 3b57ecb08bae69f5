"""The server of worker processes that the command line starts early."""

import os
import signal
import subprocess
import sys
import time

import pytest
from faulty import descendants, wait_for

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or (os.cpu_count() or 1) < 2, reason="needs fork and two processors"
)

WORDS = ["--images", "1", "--image-size", "64", "--backgrounds", "plain", "--packs"]


def run(code, *words, **env):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | env,
    )


AND_ASK = """
import sys
from repogen.cli import main
if __name__ == "__main__":
    code = main()
    from repogen.worker_server import has_early_server
    slow = [name for name in ("warp", "jaxtyping") if name in sys.modules]
    print("early", has_early_server(), "imported", *slow, "code", code)
"""


def test_one_picture_is_made_by_a_worker_and_not_by_the_command_line(tmp_path):
    done = run(AND_ASK, "generate", tmp_path / "one", *WORDS)
    assert done.stdout.splitlines()[-1] == "early True imported code 0", done.stderr
    assert (tmp_path / "one" / "images" / "00000001.jpg").exists()


@pytest.mark.parametrize(
    "words",
    [["generate", "out", "--engine", "ray"], ["generate", "--help"], ["info"], ["generate"]],
)
def test_other_commands_start_no_server(words, monkeypatch):
    from repogen import cli, worker_server

    started = []
    monkeypatch.setattr(worker_server, "start_early", lambda: started.append(1))
    cli._start_workers_early(["generate", "out"])
    assert started == [1]
    cli._start_workers_early(words)
    assert started == [1]


def test_what_a_worker_cannot_load_is_one_line(tmp_path):
    """With so little address space the renderer refuses to load, in the server and in workers."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
    done = run(limit + AND_ASK, "generate", tmp_path / "one", *WORDS)
    assert done.stdout.splitlines()[-1] == "early True imported code 2", done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("repogen: error: out of memory: drawing takes")


def test_without_a_working_directory_the_command_line_makes_the_picture(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    leave = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\n"
    done = run(leave + AND_ASK, "generate", tmp_path / "one", *WORDS)
    assert done.stdout.splitlines()[-1] == "early False imported warp code 0", done.stderr


@pytest.mark.parametrize("seconds", [0, 0.4])
def test_ctrl_c_while_the_server_imports_is_one_line(tmp_path, seconds):
    out = tmp_path / "one"
    process = subprocess.Popen(
        [sys.executable, "-m", "repogen", "generate", str(out), *WORDS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_for(lambda: descendants(process.pid))
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the server, too
    _, said = process.communicate(timeout=300)
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "repogen: stopped; run the same command again to resume"
    assert process.returncode in (130, -signal.SIGINT)  # Python's own: a signal in an import
