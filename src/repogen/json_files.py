"""Reading JSON files that people and other programs write."""

import json
from pathlib import Path
from typing import Any

from repogen.errors import UserError


def read_json(path: Path, name: str = "") -> Any:
    """What a file holds; errors put `name`, an option for instance, before its path.

    Raises `UserError` for one that cannot be read, is no JSON, or is nested too deeply.
    """
    where = f"{name} {path}".strip()
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {where}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not a JSON file: {error}") from error
