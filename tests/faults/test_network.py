"""Servers that accept connections and say nothing, slow servers, and URLs of any protocol."""

import io
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import contextmanager

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from repogen import limits
from repogen.cli import main
from repogen.datasets.foreign_shards import open_shards
from repogen.datasets.shards import read_bytes
from repogen.errors import UserError
from repogen.network import read_url

SAYS = r"does not answer: in 0\.5 s it sent less than 1024 KiB"
PROTOCOLS = (
    "webhdfs://{address}/data", "ftp://{address}/data", "http://{address}/data",
    "simplecache::ftp://{address}/data", "zip::webhdfs://{address}/data.zip",
)  # fmt: skip
NEEDS = {"http": "aiohttp", "webhdfs": "requests"}


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(limits, "NETWORK_SECONDS", 0.5)


@contextmanager
def serving(answer):
    """The address of a server that calls `answer` with each connection, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_sockets = []

        def accept():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                open_sockets.append(connection)
                threading.Thread(target=answer, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for connection in open_sockets:
            connection.close()


@pytest.fixture
def silent():
    with serving(lambda connection: None) as address:
        yield address


def dribble(connection):
    """A byte a tenth of a second, of an answer without end."""
    try:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)
    except OSError:
        return


@pytest.fixture(params=PROTOCOLS)
def silent_url(request, silent):
    for protocol, library in NEEDS.items():
        if f"{protocol}:" in request.param:
            pytest.importorskip(library)
    return request.param.format(address=silent)


@pytest.mark.parametrize("read", [lambda url: read_bytes(f"{url}/run.json"), open_shards])
def test_a_silent_server_is_one_line(short, silent_url, read):
    start = time.monotonic()
    with pytest.raises(UserError, match=SAYS) as caught:
        read(silent_url)
    assert silent_url in str(caught.value)
    assert time.monotonic() - start < 5


def test_a_server_that_sends_a_byte_at_a_time_is_one_line(short):
    pytest.importorskip("requests")
    with serving(dribble) as address, pytest.raises(UserError, match=SAYS):
        read_bytes(f"webhdfs://{address}/data")


@pytest.mark.parametrize(
    "words",
    ["convert {url} {out}", "train --out {out} --train s={url} --model tiny --workers 0"],
)
def test_a_verb_that_takes_a_url_ends_in_one_line(short, silent, tmp_path, capsys, words):
    url = f"ftp://{silent}/data"
    assert main(words.format(url=url, out=tmp_path / "out").split()) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1, said
    assert url in said
    assert "does not answer" in said
    assert not (tmp_path / "out").exists()


def test_the_process_ends_although_a_call_is_left(silent):
    code = (
        "from repogen import limits; limits.NETWORK_SECONDS = 0.5; from repogen.cli import main;"
        f"import sys; sys.exit(main(['convert', 'ftp://{silent}/data', '/nowhere']))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1, run.stderr


@pytest.mark.parametrize("words", ["predict {dir}", "evaluate --data s={dir}/a.json:{dir}/2017"])
def test_a_silent_hub_is_one_line(short, silent, monkeypatch, coco, capsys, words):
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "ENDPOINT", f"http://{silent}")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(coco.parent / "cache"))
    assert main([*words.format(dir=coco.parent).split(), "--weights", "no/model"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert re.search(rf"no/model is neither a run.*, and http://{silent}/no/model {SAYS}", said)


def test_a_silent_ray_cluster_is_one_line(short, silent, tmp_path, capsys):
    pytest.importorskip("ray")
    words = f"generate {tmp_path}/out --images 1 --engine ray --ray-address {silent}"
    assert main([*words.split(), "--backgrounds", "plain", "--wardrobe", "painted"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"--ray-address {silent} does not answer" in last


ODD = (
    "github://a/b", "foo://x", "reference://x", "dir://x", "cached://x", "generic://x",
    "jupyter://x", "zip://x::memory://nothing", "tar://", "ftp://[bad", "file:///nothing",
    "memory://nothing", "hdfs://x", "s3://b/x", "data:,abc", "local://x", "dbfs://x",
    "blockcache::memory://x", "zip::zip::memory://x", "://x",
)  # fmt: skip


@pytest.mark.parametrize("url", ODD)
def test_odd_protocols_are_one_line(short, url, tmp_path, capsys):
    for words in (["convert", url], ["train", "--train", f"s={url}", "--model", "tiny", "--out"]):
        assert main([*words, str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1, said
        assert len(said) < 700


def test_a_file_in_a_zip_at_a_url_is_read():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("run.json", "{}")
    with fsspec.open("memory://archive.zip", "wb") as file:
        file.write(data.getvalue())
    assert read_bytes("zip://run.json::memory://archive.zip") == b"{}"


def test_a_file_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "NETWORK_BYTES", 1000)

    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return b"x" * size

    monkeypatch.setattr(MemoryFileSystem, "_open", lambda *_args, **_options: Endless())
    with pytest.raises(UserError, match=r"memory://endless is larger than 5,000 bytes"):
        read_url("memory://endless", 5000)


def test_a_name_with_colons_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x::y", "a:b"):
        (tmp_path / name).write_text("here")
        assert read_bytes(f"./{name}") == read_bytes(name) == b"here"
    assert os.listdir(tmp_path)
