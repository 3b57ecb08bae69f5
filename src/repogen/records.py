"""Records, the JSON files of datasets and packs, read as dataclasses: types, ranges and lengths.

A record may be a stranger's. The annotations of the fields say what it may hold: `Between`,
`Length`, `Matching` and `Tagged` inside `typing.Annotated`, and without them the limits of
`repogen.limits`.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from itertools import repeat
from pathlib import Path
from reprlib import repr as shortened
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from repogen.config import Config
from repogen.errors import UserError, closest, plain_number
from repogen.limits import (
    MAX_CONTAINERS,
    MAX_COUNT,
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_INDEX,
    MAX_NUMBER,
    MAX_TEXT,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Between:
    """The range of a number, both ends included."""

    low: float
    high: float


@dataclass(frozen=True)
class Length:
    """The number of elements of a list or table, both ends included."""

    least: int
    most: int


@dataclass(frozen=True)
class Matching:
    """A regular expression for the whole of a text, and its meaning in errors."""

    pattern: str
    wanted: str


@dataclass(frozen=True)
class Tagged:
    """The key that says which class of a union a table is, and the classes by its values."""

    key: str
    kinds: tuple[tuple[str, type], ...]


Unit = Annotated[float, Between(0, 1)]
Angle = Annotated[float, Between(-1e4, 1e4)]
"""Degrees."""
Position = Annotated[float, Between(-1e5, 1e5)]
"""Metres."""
Distance = Annotated[float, Between(1e-3, 1e5)]
"""Metres, above 0."""
Color = Annotated[str, Matching("#[0-9a-fA-F]{6}", "a colour as #rrggbb")]
Sha256 = Annotated[str, Matching("[0-9a-f]{64}", "a SHA-256, 64 hexadecimal digits")]
FileName = Annotated[str, Matching(r"[\w-][\w.-]{0,99}", "a plain file name")]
Component = Annotated[float, Between(-1.001, 1.001)]
"""One of a unit vector's."""
Point = tuple[Position, Position, Position]
Rotation = Annotated[tuple[tuple[Component, Component, Component], ...], Length(3, 3)]
"""A matrix, row by row."""


def parse_record(text: str | bytes, kind: type[T], where: str) -> T:
    """The JSON text as an instance of a dataclass; see `decode`. `where` names it in errors."""
    return decode(parse_json(text, where), kind, where)


def parse_json(text: str | bytes, where: str) -> object:
    """The value of a JSON text. Raises `UserError` for any other text, one of more than `MAX_INDEX`
    bytes, or one of more than `MAX_CONTAINERS` lists and tables."""
    if not isinstance(text, str | bytes):
        raise UserError(f"{where}: {shortened(text)} should be JSON text")
    if len(text) > MAX_INDEX:
        raise UserError(f"{where}: has more than {MAX_INDEX:,} bytes")
    if _brackets(text) > MAX_CONTAINERS:
        raise UserError(f"{where}: has more than {MAX_CONTAINERS:,} lists and tables")
    try:
        return json.loads(text)
    except RecursionError:
        raise UserError(f"{where}: is not JSON that can be read: nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{where}: is not JSON: {error}") from error


def _brackets(text: str | bytes) -> int:
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def decode(value: object, kind: type[T], where: str) -> T:
    """A JSON value as an instance of the dataclass `kind`.

    Every key must be a field, and every field without a default must be there. Numbers must be
    finite and in range, texts, lists and tables not longer than allowed. The class's own checks
    apply too; a `Config` opens no file. Raises `UserError`, one line that begins with `where` and
    the way to the wrong value, as people[2].position[0].
    """
    try:
        return cast("T", _decoder(kind)(value))
    except _Wrong as wrong:
        way = "".join(reversed(wrong.way)).removeprefix(".")
        raise UserError(": ".join(filter(None, (where, way, wrong.text)))) from None


def decode_part(value: object, kind: type[T], where: str) -> T:
    """`decode` of a table that may have more keys than `kind` has fields, at any depth."""
    return decode(_part(value, kind), kind, where)


def _part(value: Any, kind: type) -> Any:
    if not isinstance(value, dict):
        return value
    hints = get_type_hints(kind)
    return {
        name: _part(value[name], cast("type", hint)) if is_dataclass(hint) else value[name]
        for name, hint in hints.items()
        if name in value
    }


class _Wrong(Exception):
    """What is wrong with a value, and the way to it, the last step first."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.way: list[str] = []


def _should(value: object, wanted: str) -> _Wrong:
    return _Wrong(f"{shortened(value)} should be {wanted}")


Decoder = Callable[[Any], Any]


def _decoder(hint: Any, *marks: Any) -> Decoder:
    """The function that turns a JSON value into a value of the type; it raises `_Wrong`."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _decoder(parts[0], *parts[1:], *marks)
    tagged = next((mark for mark in marks if isinstance(mark, Tagged)), None)
    if tagged:
        return _union_decoder(tagged)
    if origin in (Union, UnionType):
        return _choice_decoder(parts, marks)
    if origin is Literal:
        return _literal_decoder(parts)
    length = next((mark for mark in marks if isinstance(mark, Length)), Length(0, MAX_ELEMENTS))
    if origin is tuple and parts[-1] is ...:
        return _list_decoder(repeat(_decoder(parts[0])), length)
    if origin is tuple:
        exactly = Length(len(parts), len(parts))
        return _list_decoder([_decoder(part) for part in parts], exactly)
    if origin is dict:
        return _table_decoder(_decoder(parts[0]), _decoder(parts[1]), length)
    if hint is Any:
        return _plain
    if is_dataclass(hint):
        return _record_decoder(cast("type", hint))
    return _leaf_decoder(hint, marks)


def _leaf_decoder(hint: Any, marks: tuple[Any, ...]) -> Decoder:
    matching = next((mark for mark in marks if isinstance(mark, Matching)), None)
    between = next((mark for mark in marks if isinstance(mark, Between)), None)
    if hint is bool:
        return _bool
    if hint in (int, float):
        default = (0, MAX_COUNT) if hint is int else (-MAX_NUMBER, MAX_NUMBER)
        return _number_decoder(hint, *((between.low, between.high) if between else default))
    assert hint in (str, Path), f"records hold no {hint}"
    return _text_decoder(hint, matching)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _should(value, "true or false")
    return value


def _number_decoder(kind: type, low: float, high: float) -> Decoder:
    kinds = (int,) if kind is int else (int, float)
    name = "a whole number" if kind is int else "a number"
    ends = [f"{end:,}" if isinstance(end, int) else plain_number(end) for end in (low, high)]

    def number(value: Any) -> Any:
        if type(value) not in kinds or not low <= value <= high:
            raise _should(value, f"{name} between {ends[0]} and {ends[1]}")
        return kind(value)

    return number


def _text_decoder(kind: type, matching: Matching | None) -> Decoder:
    pattern = re.compile(matching.pattern) if matching else None
    wanted = matching.wanted if matching else "text"

    def text(value: Any) -> Any:
        if not isinstance(value, str):
            raise _should(value, wanted)
        if len(value) > MAX_TEXT:
            raise _Wrong(f"has {len(value):,} characters; at most {MAX_TEXT:,} are read")
        if "\0" in value or (pattern and not pattern.fullmatch(value)):
            raise _should(value, wanted if pattern else "text without a null character")
        return kind(value)

    return text


def _literal_decoder(choices: tuple[Any, ...]) -> Decoder:
    def literal(value: Any) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise _should(value, f"one of {', '.join(choices)}" if choices[1:] else choices[0])
        return value

    return literal


def _choice_decoder(parts: tuple[Any, ...], marks: tuple[Any, ...]) -> Decoder:
    """One of several types: None, or the first that accepts the value."""
    optional = NoneType in parts
    decoders = [_decoder(part, *marks) for part in parts if part is not NoneType]

    def choice(value: Any) -> Any:
        if value is None and optional:
            return None
        for one in decoders[:-1]:
            try:
                return one(value)
            except _Wrong:
                pass
        return decoders[-1](value)

    return choice


def _elements(values: list[Any], decoders: Iterable[Decoder]) -> tuple[Any, ...]:
    out = []
    for number, (element, one) in enumerate(zip(values, decoders, strict=False)):
        try:
            out.append(one(element))
        except _Wrong as wrong:
            wrong.way.append(f"[{number}]")
            raise
    return tuple(out)


def _check_length(value: Any, length: Length) -> None:
    if not length.least <= len(value) <= length.most:
        ends = sorted({length.least, length.most})
        counts = " to ".join(f"{end:,}" for end in ends)
        raise _Wrong(f"has {len(value):,} elements; it should have {counts}")


def _list_decoder(decoders: Iterable[Decoder], length: Length) -> Decoder:
    def several(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _should(value, "a list")
        _check_length(value, length)
        return _elements(value, decoders)

    return several


def _table_decoder(key: Decoder, one: Decoder, length: Length) -> Decoder:
    def table(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise _should(value, "a table")
        _check_length(value, length)
        out = {}
        for name, element in value.items():
            try:
                out[key(name)] = one(element)
            except _Wrong as wrong:
                wrong.way.append(f".{_shown(name)}")
                raise
        return out

    return table


def _union_decoder(tagged: Tagged) -> Decoder:
    decoders = {name: _record_decoder(kind) for name, kind in tagged.kinds}
    kind_of = _literal_decoder(tuple(decoders))

    def union(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _should(value, "a table")
        if tagged.key not in value:
            raise _Wrong(f"lacks {tagged.key!r}")
        try:
            name = kind_of(value[tagged.key])
        except _Wrong as wrong:
            wrong.way.append(f".{tagged.key}")
            raise
        return decoders[name]({k: v for k, v in value.items() if k != tagged.key})

    return union


@cache
def _record_decoder(kind: type) -> Decoder:
    """The decoder of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)
    decoders = {field.name: _decoder(hints[field.name]) for field in fields(kind)}
    is_config = issubclass(kind, Config)
    # All options stand in a record of options.
    required = [f.name for f in fields(kind) if is_config or f.default is MISSING]

    def record(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _should(value, "a table")
        for name in required:
            if name not in value:
                raise _Wrong(f"lacks {name!r}")
        out = {}
        for name, element in value.items():
            if name not in decoders:
                near = closest(name[:100], decoders)
                advice = f"; did you mean {near!r}?" if near else ""
                raise _Wrong(f"has the unknown key {shortened(name)}{advice}")
            try:
                out[name] = decoders[name](element)
            except _Wrong as wrong:
                wrong.way.append(f".{name}")
                raise
        try:
            return kind.of_values(out) if is_config else kind(**out)  # type: ignore[attr-defined]
        except UserError as error:
            raise _Wrong(str(error)) from error

    return record


def _plain(value: Any, depth: int = 0) -> Any:
    """A value of any form, if it is not nested too deeply and its numbers are finite."""
    if depth > MAX_DEPTH:
        raise _Wrong(f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, float) and not math.isfinite(value):
        raise _should(value, "a finite number")
    if isinstance(value, list):
        return list(_elements(value, repeat(lambda element: _plain(element, depth + 1))))
    if isinstance(value, Mapping):
        for name, element in value.items():
            try:
                _plain(element, depth + 1)
            except _Wrong as wrong:
                wrong.way.append(f".{_shown(name)}")
                raise
    return value


def _shown(name: str) -> str:
    return name if len(name) <= 40 and name.isprintable() else shortened(name)
