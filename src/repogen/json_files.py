"""Reading JSON files written by users and other programs."""

import json
from pathlib import Path

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
