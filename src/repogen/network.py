"""Calls to servers, each with a time limit, and files at URLs."""

import io
import re
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from repogen import limits
from repogen.errors import UserError, first_line

_T = TypeVar("_T")

URL = re.compile(r"(?:[a-zA-Z][\w+.-]*::)*[a-zA-Z][\w+.-]*://")
"""How a URL for fsspec begins: http://…, zip::http://…"""


def is_url(where: str) -> bool:
    """Whether a text is a URL rather than a path."""
    return URL.match(where) is not None


def within_limit(
    call: Callable[[], _T], where: str, progress: Callable[[], int] | None = None
) -> _T:
    """What `call` returns. Raises `UserError`, naming the URL or address `where`, if it takes
    longer than `NETWORK_SECONDS`; with `progress` (the bytes received so far), if in so long it
    receives less than `NETWORK_BYTES`.

    Python cannot stop a call: it is left in a thread that ends with the process.
    """
    results: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    before = 0
    while True:
        thread.join(limits.NETWORK_SECONDS)
        if errors:
            raise errors[0]
        if results:
            return results[0]
        now = progress() if progress else 0
        if now - before < limits.NETWORK_BYTES:
            raise no_answer(where)
        before = now


def no_answer(where: str) -> UserError:
    """The error for a server that accepts connections and says nothing, or next to nothing."""
    return UserError(
        f"{where} does not answer: in {limits.NETWORK_SECONDS:g} s it sent less than "
        f"{limits.NETWORK_BYTES // 1024} KiB; check the address and the network, then run the same "
        "command again"
    )


def read_url(url: str, most: int = limits.DOWNLOAD_BYTES) -> bytes:
    """The bytes of the file at a URL. Raises `UserError` where it cannot be read, stops sending,
    or is larger than `most`."""

    def start() -> Any:
        files, path = _open(url)
        return files.open(path, "rb", block_size=limits.NETWORK_BYTES)

    file = _ask(start, url)
    data = io.BytesIO()
    while part := _ask(lambda: file.read(limits.NETWORK_BYTES), url):
        data.write(part)
        if data.tell() > most:
            raise UserError(f"{url} is larger than {most:,} bytes, the most that is read")
    _ask(file.close, url)
    return data.getvalue()


def list_url(url: str) -> list[str]:
    """The names in the folder at a URL. Raises `UserError` where it cannot be listed."""

    def names() -> list[str]:
        files, path = _open(url)
        return [str(found).rpartition("/")[2] for found in files.ls(path, detail=False)]

    return _ask(names, url)


def url_exists(url: str) -> bool:
    """Whether there is a file at a URL. Raises `UserError` where its server cannot be asked."""

    def exists() -> bool:
        files, path = _open(url)
        return bool(files.exists(path))

    return _ask(exists, url)


def _open(url: str) -> tuple[Any, str]:
    import fsspec

    return fsspec.core.url_to_fs(url)


def _ask(call: Callable[[], _T], url: str) -> _T:
    try:
        return within_limit(call, url)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"cannot read {url}: no such file") from error
    except Exception as error:  # fsspec's file systems raise errors of any class
        why = getattr(error, "strerror", None) or first_line(error)
        raise UserError(f"cannot read {url}: {why}") from error
