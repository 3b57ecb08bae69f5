"""The page is served to this machine alone, or to those who have the token; starting it fails in
one line."""

import http.client
import socket
import threading

import pytest

from repogen.cli import main
from repogen.errors import UserError

server = pytest.importorskip("repogen.studio.server", reason="needs viser: pip install '.[studio]'")


def ask(address, path="/", **headers):
    """Status and headers of the answer to a request."""
    host, port = address.removeprefix("http://").split("/")[0].rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders())


UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


@pytest.fixture(scope="module")
def local():
    with server.serving("127.0.0.1", 0, "title") as (_, address):
        yield address


def test_the_page_is_served(local):
    assert "token" not in local
    assert ask(local)[0] == 200


@pytest.mark.parametrize("path", ["/", "/index.html"])
@pytest.mark.parametrize("headers", [{}, UPGRADE], ids=["page", "websocket"])
def test_a_name_of_another_site_leads_nowhere(local, path, headers):
    assert ask(local, path, Host="elsewhere.example", **headers)[0] == 403


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_does_not_connect(local, origin):
    assert ask(local, "/", Origin=origin, **UPGRADE)[0] == 403


def test_the_page_itself_connects(local):
    assert ask(local, "/", Origin=local.rstrip("/"), **UPGRADE)[0] == 101


def test_a_tunnel_to_the_internet_is_not_made(local):
    with server.serving("127.0.0.1", 0, "title") as (running, _):
        assert running.request_share_url() is None


@pytest.fixture(scope="module")
def remote():
    with server.serving("0.0.0.0", 0, "title") as (_, address):
        yield address.replace("0.0.0.0", "127.0.0.1")


def test_beyond_loopback_nothing_is_answered_without_the_token(remote):
    page, _, token = remote.partition("/?token=")
    assert len(token) > 20
    for path in ("/", "/index.html", "/?token=", "/?token=x", f"/?token={token[:-1]}"):
        for headers in ({}, UPGRADE, {"Cookie": "repogen-studio=x"}):
            assert ask(page, path, **headers)[0] == 403, (path, headers)


def test_the_token_opens_the_page_and_its_websocket(remote):
    page, _, token = remote.partition("/?token=")
    status, headers = ask(page, f"/?token={token}")
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly" in headers["Set-Cookie"]
    cookie = headers["Set-Cookie"].split(";")[0]
    assert ask(page, Cookie=f"other=1; {cookie}")[0] == 200
    assert ask(page, Cookie=cookie, Origin=page, **UPGRADE)[0] == 101
    assert ask(page, Cookie=cookie, Origin="http://elsewhere.example", **UPGRADE)[0] == 403


def test_a_server_that_checks_nothing_is_refused(monkeypatch):
    """Another version of viser may start its server in another way."""
    serve = server.websocket_server.serve

    def unchecked(check):
        from contextlib import nullcontext

        assert server.websocket_server.serve is serve
        return nullcontext()

    monkeypatch.setattr(server, "_checked_requests", unchecked)
    with (
        pytest.raises(UserError, match="requests that repogen cannot check"),
        server.serving("127.0.0.1", 0, "title"),
    ):
        raise AssertionError("it serves")


def test_a_port_that_is_taken_is_one_line(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["studio", "--port", str(port)]) == 2
    out, err = capsys.readouterr()
    assert err == f"repogen: error: --port {port} is taken; give another, or 0 for any\n"
    assert out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "70000"], "--port 70000 must lie between 0 and 65535"),
        (["--host", "192.0.2.1"], "--host 192.0.2.1: "),
        (["--host", "no-such-host.invalid"], "--host no-such-host.invalid is no address of this"),
        (["gone"], "cannot read gone: No such file"),
        (["gone.toml"], "cannot read the options file gone.toml: No such file"),
        (["--weights", "gone"], "gone"),
        (["empty.json"], "empty.json"),
        (["list.json"], "list.json"),
        (["bad.toml"], "bad.toml: GenerateConfig has no option 'imges'; did you mean images?"),
        (["folder"], "folder is not a repogen dataset: it has no readable run.json"),
    ],
)
def test_what_cannot_be_opened_is_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.json").touch()
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "bad.toml").write_text("imges = 3\n")
    (tmp_path / "folder").mkdir()
    threads = threading.active_count()
    assert main(["studio", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("repogen: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert threading.active_count() <= threads


def test_without_viser_one_line_says_what_to_install(monkeypatch, capsys):
    import sys

    for name in [name for name in sys.modules if name.startswith("repogen.studio")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "viser", None)
    assert main(["studio"]) == 2
    assert capsys.readouterr().err == (
        "repogen: error: studio needs viser; in a clone of repogen: pip install '.[studio]'\n"
    )
