"""The Ray engine: the same bytes as the local one, even if a node dies."""

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

from helpers import contents
from repogen import GenerateConfig, UserError, generate
from repogen.datasets.folder import CHUNK_IMAGES

# Ray reads these when it is imported. The local cluster of these tests listens on loopback only.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_AUTH_TOKEN"] = "a token of these tests"
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
ray = pytest.importorskip("ray")
psutil = pytest.importorskip("psutil")

OPTIONS = {
    "image_size": 96, "backgrounds": "builtin", "seed": 3, "wardrobe": "painted",
    "images": 6 * CHUNK_IMAGES + 5,
}  # fmt: skip


@pytest.fixture(scope="module")
def local(body, tmp_path_factory):
    config = GenerateConfig(**OPTIONS, workers=1)
    return contents(generate(tmp_path_factory.mktemp("local") / "data", config))


class Node:
    """One node of a cluster: a session of processes that is killed as a whole."""

    def __init__(self, *words: str, **environment: str) -> None:
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--num-cpus=1",
                   "--disable-usage-stats", "--object-store-memory=100000000", *words]  # fmt: skip
        self.process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ
            | {"RAY_worker_niceness": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
            | environment,
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
    """A head and a second node; yields the address and both nodes."""
    port = 20_000 + os.getpid() % 10_000
    own = mkdtemp(prefix="ray", dir="/tmp")  # holds sockets, whose paths must be short
    head = Node("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={own}")
    address, nodes = f"127.0.0.1:{port}", [head]
    try:
        wait_for(lambda: cpus(head, address) == 1)  # a node without a head gives up
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
def test_the_dataset_is_complete_after_a_node_died(local, tmp_path, cluster):
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
def test_a_local_cluster_listens_on_loopback_and_writes_the_same_bytes(local, tmp_path):
    config = GenerateConfig(**OPTIONS, engine="ray", workers=2)
    out, seen, done = tmp_path / "data", set(), threading.Event()

    def watch():
        while not done.wait(0.5):
            seen.update(listening(psutil.Process()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        generate(out, config)
    finally:
        done.set()
        watcher.join()
    assert len(seen) > 2  # gcs_server, raylet, workers
    assert {address.removeprefix("::ffff:") for address, _ in seen} == {"127.0.0.1"}
    assert contents(out) == local


def listening(process):
    """Address and port of each socket that a process or its children listen on."""
    found = set()
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            found |= {c.laddr for c in one.net_connections("inet") if c.status == "LISTEN"}
    return found


@pytest.mark.slow
def test_a_cluster_without_authentication_is_refused(tmp_path):
    port = 30_000 + os.getpid() % 10_000
    own = mkdtemp(prefix="ray", dir="/tmp")
    words = ("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={own}")
    head = Node(*words, RAY_AUTH_MODE="disabled")
    try:
        wait_for(lambda: cpus(head, f"127.0.0.1:{port}") == 1)
        config = GenerateConfig(images=1, engine="ray", ray_address=f"127.0.0.1:{port}")
        with pytest.raises(UserError, match=r"runs code for whoever connects; set RAY_AUTH_MODE"):
            generate(tmp_path / "data", config)
        assert not ray.is_initialized()  # else this process ends with the cluster
    finally:
        head.kill()
        shutil.rmtree(own, ignore_errors=True)


def test_an_address_without_a_cluster_is_refused(tmp_path):
    config = GenerateConfig(images=1, image_size=32, engine="ray", ray_address="127.0.0.1:1")
    with pytest.raises(UserError, match=r"no Ray cluster at --ray-address 127\.0\.0\.1:1"):
        generate(tmp_path / "data", config)
