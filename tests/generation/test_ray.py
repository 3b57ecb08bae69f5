"""Ray's engine: the bytes of the local one, though a node dies."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import mkdtemp

import pytest

from dataset_files import contents
from repogen import GenerateConfig, UserError, generate
from repogen.datasets.folder import CHUNK

# Where a machine has a token, Ray's heads ask for it, but nodes that join do not offer it.
os.environ["RAY_AUTH_MODE"] = "disabled"
ray = pytest.importorskip("ray")

OPTIONS = {
    "image_size": 96, "backgrounds": "builtin", "seed": 3, "wardrobe": "painted",
    "images": 6 * CHUNK + 5,
}  # fmt: skip


@pytest.fixture(scope="module")
def local(body, tmp_path_factory):
    config = GenerateConfig(**OPTIONS, workers=1)
    return contents(generate(tmp_path_factory.mktemp("local") / "data", config))


class Node:
    """One node of a cluster: a session of processes of its own, that dies as a whole."""

    def __init__(self, *words: str) -> None:
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--num-cpus=1",
                   "--disable-usage-stats", "--object-store-memory=100000000", *words]  # fmt: skip
        self.process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"RAY_worker_niceness": "0"},
        )  # fmt: skip

    def children(self) -> list[int]:
        listing = subprocess.run(
            ["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True
        ).stdout.split()[2:]
        parents = dict(zip(map(int, listing[::2]), map(int, listing[1::2]), strict=True))
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def kill(self) -> None:
        for pid in self.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def cluster(tmp_path):
    """A head and a second node; yields the address and the second."""
    port = 20_000 + os.getpid() % 10_000
    own = mkdtemp(prefix="ray", dir="/tmp")  # sockets lie in it, whose names must be short
    head = Node("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={own}")
    address, nodes = f"127.0.0.1:{port}", [head]
    try:
        wait_for(lambda: cpus(head, address) == 1)  # a node that finds no head gives up
        nodes.append(Node(f"--address={address}"))
        yield address, nodes
    finally:
        for node in reversed(nodes):
            node.kill()
        shutil.rmtree(own, ignore_errors=True)


def wait_for(condition, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "too slow"
        time.sleep(0.1)


def cpus(head, address):
    assert head.process.poll() is None, "ray start --head has ended"
    try:
        ray.init(address=address, logging_level="ERROR", log_to_driver=False)
        return ray.cluster_resources().get("CPU", 0)
    except ConnectionError:
        return 0
    finally:
        ray.shutdown()


@pytest.mark.slow
def test_a_node_that_dies_half_way_costs_nothing(local, tmp_path, cluster):
    address, (head, second) = cluster
    wait_for(lambda: cpus(head, address) == 2)
    out = tmp_path / "data"
    failed = []

    def watch():
        try:
            wait_for(lambda: len(list(out.glob(".parts/*.jsonl"))) >= 2)
            second.kill()
        except AssertionError as error:
            failed.append(error)

    killer = threading.Thread(target=watch)
    killer.start()
    generate(out, GenerateConfig(**OPTIONS, engine="ray", ray_address=address))
    killer.join()
    assert not failed
    assert second.process.returncode is not None
    assert contents(out) == local


@pytest.mark.slow
def test_a_cluster_of_its_own(local, tmp_path):
    config = GenerateConfig(**OPTIONS, engine="ray", workers=2)
    assert contents(generate(tmp_path / "data", config)) == local


def test_no_cluster_is_one_line(tmp_path):
    config = GenerateConfig(images=1, image_size=32, engine="ray", ray_address="127.0.0.1:1")
    with pytest.raises(UserError, match=r"no Ray cluster at --ray-address 127\.0\.0\.1:1"):
        generate(tmp_path / "data", config)
