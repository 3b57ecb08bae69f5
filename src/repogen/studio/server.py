"""The web server of the page: viser's, on loopback only unless asked otherwise.

viser answers whoever connects. Here every request and every websocket is checked first: its Host,
so that no name of another site leads here; its Origin, so that no other site's page does; and,
beyond loopback, a token.
"""

import contextlib
import hmac
import http
import io
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import viser
from websockets.asyncio import server as websocket_server
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from repogen.errors import UserError

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_COOKIE = "repogen-studio"
_REFUSED = http.HTTPStatus.FORBIDDEN


class _Server(viser.ViserServer):
    """viser's server without its tunnel to a server on the internet, which any page could ask
    for."""

    def request_share_url(self, verbose: bool = True) -> str | None:
        return None


@contextmanager
def serving(host: str, port: int, title: str) -> Iterator[tuple[viser.ViserServer, str]]:
    """A running server and the address of its page; it is stopped at the end of the block.

    `port` 0 is a free one. Beyond loopback the address has a token, without which nothing is
    answered. Raises `UserError` for a port that is taken and a host that is not this machine's.
    """
    port = _free_port(host, port)
    token = None if host in LOOPBACK else secrets.token_urlsafe(24)
    with _quiet(), _checked_requests(lambda request: refusal(request, host, token)):
        server = _Server(host=host, port=port, label=title, verbose=False)
    try:
        if server.get_port() != port:
            raise UserError(f"--port {port} was taken just now; give another, or 0 for any")
        _check_refuses(host, port)
        shown = f"[{host}]" if ":" in host else host
        yield server, f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
    finally:
        with _quiet():
            server.stop()


def refusal(request: Request, host: str, token: str | None) -> tuple[int, str, str] | None:
    """Status, text and cookie of the answer to a request that is not passed on to viser; None for
    one that is. A page that is opened with the right token gets it as a cookie."""
    own = request.headers.get("Host", "")
    name = urlsplit(f"//{own}").hostname
    if token is None and name not in LOOPBACK:
        return _REFUSED, "open this page by the address that repogen studio printed\n", ""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != own:
        return _REFUSED, "another site's page may not connect\n", ""
    if token is None:
        return None
    address = urlsplit(request.path)
    given = parse_qs(address.query).get("token", [""])[0]
    if hmac.compare_digest(given.encode(), token.encode()):
        # The address without the token stays in the browser's bar and history.
        return http.HTTPStatus.SEE_OTHER, "", token
    kept = _cookies(request).get(_COOKIE, "")
    if hmac.compare_digest(kept.encode(), token.encode()):
        return None
    return (
        _REFUSED,
        "open this page by the address that repogen studio printed, with its token\n",
        "",
    )


def _cookies(request: Request) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in request.headers.get("Cookie", "").split(";"))
    return {name: value for name, _, value in pairs}


@contextmanager
def _checked_requests(check: Callable[[Request], tuple[int, str, str] | None]) -> Iterator[None]:
    """While the block runs, servers of websockets check requests before they answer them: viser
    starts its own so, and has no option for it."""
    serve = websocket_server.serve

    def checked_serve(*args: Any, process_request: Any = None, **keywords: Any) -> Any:
        def process(connection: ServerConnection, request: Request) -> Response | None:
            refused = check(request)
            if refused is None:
                return None if process_request is None else process_request(connection, request)
            status, text, cookie = refused
            response = connection.respond(http.HTTPStatus(status), text)
            if cookie:
                kept = f"{_COOKIE}={cookie}; HttpOnly; SameSite=Lax; Path=/"
                response.headers["Set-Cookie"], response.headers["Location"] = kept, "/"
            return response

        return serve(*args, process_request=process, **keywords)

    websocket_server.serve = checked_serve  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        websocket_server.serve = serve  # type: ignore[misc]


def _check_refuses(host: str, port: int) -> None:
    """Raises `UserError` where a request of another site is answered: this viser starts its server
    in another way."""
    connected = "127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host
    shown = f"[{connected}]" if ":" in connected else connected
    request = UrlRequest(f"http://{shown}:{port}/", headers={"Host": "elsewhere.invalid"})
    with contextlib.suppress(OSError), urlopen(request, timeout=10):
        raise UserError(
            f"viser {viser.__version__} answers requests that repogen cannot check; install "
            "another version of viser"
        )


def _free_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises `UserError` where it cannot be listened on."""
    if not 0 <= port < 65536:
        raise UserError(f"--port {port} must lie between 0 and 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except socket.gaierror as error:
        raise UserError(f"--host {host} is no address of this machine: {error.strerror}") from error
    except PermissionError as error:
        raise UserError(f"--port {port} is not allowed; give one from 1024 on") from error
    except OSError as error:
        if family in (socket.AF_INET, socket.AF_INET6) and "in use" in str(error):
            raise UserError(f"--port {port} is taken; give another, or 0 for any") from error
        raise UserError(f"--host {host}: {error.strerror}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without viser's own messages on stdout."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
