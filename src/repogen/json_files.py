"""Reading JSON files written by users and other programs."""

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from repogen.errors import UserError, check_not_empty
from repogen.files import read_regular
from repogen.limits import MAX_JSON


def read_json(path: Path, name: str = "") -> object:
    """The content of a JSON file; `name`, such as an option, stands before the path in errors.

    Raises `UserError` for a file that cannot be read, is not JSON, or is nested too deeply.
    """
    where = f"{name} {path}".strip()
    try:
        return json.loads(read_regular(path, MAX_JSON))
    except OSError as error:
        raise UserError(f"cannot read {where}: {error.strerror}") from error
    except RecursionError as error:
        raise UserError(f"{where} holds lists or objects nested too deeply") from error
    except ValueError as error:
        check_not_empty(path)
        raise UserError(f"{where} is not a JSON file: {error}") from error


def strict_json(text: str) -> dict[str, Any]:
    """The object of a JSON text in which no key stands twice and no number is NaN or infinite.

    Raises `ValueError` for any other text.
    """
    try:
        value = json.loads(text, parse_constant=_no_number)
        if json.dumps(value, separators=(",", ":")) != text:  # not as repogen writes it
            value = json.loads(
                text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_unique
            )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _no_number(text)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return out
