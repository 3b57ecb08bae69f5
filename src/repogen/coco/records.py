"""Fields of records in other people's JSON files; errors name record, field and value."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from reprlib import repr as shortened
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.errors import UserError


@contextmanager
def naming_record(where: str, table: str, index: int, record: object) -> Iterator[None]:
    """Turn errors of the block, which reads a record, into a `UserError` that names the record."""
    entry = f"{where}: {table}[{index}]"
    if not isinstance(record, Mapping):
        raise UserError(f"{entry} is {shortened(record)}, not a record with fields")
    try:
        yield
    except KeyError as error:
        raise UserError(f"{entry} lacks {error}") from error
    except (OverflowError, RecursionError, TypeError, ValueError) as error:
        raise UserError(f"{entry}: {error}") from error


def number(record: Mapping[str, Any], key: str, unknown: float = 0.0) -> float:
    """A field that holds a number, or `unknown` where it is absent, null or empty.

    Raises `ValueError` for anything else.
    """
    value = record.get(key)
    if value is None or value == "":
        return unknown
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f"{key} {shortened(value)} is not a number") from None


def numbers(value: object, name: str) -> Float[np.ndarray, " n"]:
    """The numbers in a list, and NaN for null. Raises `ValueError` for anything else."""
    try:
        return np.array(value, dtype=np.float64).ravel()
    except (OverflowError, RecursionError, TypeError, ValueError):
        raise ValueError(f"{name} {shortened(value)} is not a list of numbers") from None


def box_score(record: Mapping[str, Any], unknown: float | None) -> float:
    """The score of a detection, or `unknown` where it has none.

    Raises `ValueError` for one that is not finite, and `KeyError` where it must have one.
    """
    if record.get("score") is None and unknown is None:
        raise KeyError("score")
    score = number(record, "score", unknown or 0.0)
    if not np.isfinite(score):
        raise ValueError(f"score {score} must be finite")
    return score
