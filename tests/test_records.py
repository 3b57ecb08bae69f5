"""Records: JSON as dataclasses, with types, ranges and lengths; one line names the wrong value."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from repogen import UserError
from repogen.datasets.config import DatasetConfig
from repogen.limits import MAX_DEPTH, MAX_ELEMENTS, MAX_TEXT
from repogen.records import (
    Between,
    Color,
    Length,
    Point,
    Tagged,
    Unit,
    decode,
    decode_part,
    parse_json,
    parse_record,
)


@dataclass(frozen=True)
class Ball:
    radius: Annotated[float, Between(1, 9)]


@dataclass(frozen=True)
class Box:
    sides: Point

    def __post_init__(self):
        if self.sides == (0, 0, 0):
            raise UserError("a box needs a side")


@dataclass(frozen=True)
class Thing:
    shape: Annotated[Ball | Box, Tagged("kind", (("ball", Ball), ("box", Box)))]
    color: Color
    shares: Annotated[tuple[Unit, ...], Length(1, 3)]
    count: int
    on: bool
    named: dict[str, float]
    other: Any
    size: float | Literal["any"] | None = None


GOOD = {
    "shape": {"kind": "box", "sides": [1, 2.5, 3]}, "color": "#00ff00", "shares": [0, 0.5],
    "count": 3, "on": True, "named": {"a": 1}, "other": [{"x": None}], "size": "any",
}  # fmt: skip


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_record_is_read():
    thing = parse_record(json.dumps(GOOD), Thing, "a.json")
    assert thing == Thing(
        Box((1.0, 2.5, 3.0)), "#00ff00", (0.0, 0.5), 3, True, {"a": 1.0}, [{"x": None}], "any"
    )
    assert type(thing.shape.sides[0]) is float
    assert (
        parse_record(json.dumps({k: v for k, v in GOOD.items() if k != "size"}), Thing, "").size
        is None
    )
    assert decode(GOOD | {"size": 2}, Thing, "").size == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shape": 3}, "shape: 3 should be a table"),
        ({"shape": {"sides": [1, 2, 3]}}, "shape: lacks 'kind'"),
        ({"shape": {"kind": "cone"}}, "shape.kind: 'cone' should be one of ball, box"),
        ({"shape": {"kind": ["box"]}}, "shape.kind: ['box'] should be one of ball, box"),
        (
            {"shape": {"kind": "ball", "radius": 10}},
            "shape.radius: 10 should be a number between 1 and 9",
        ),
        (
            {"shape": {"kind": "box", "sides": [1, 2]}},
            "shape.sides: has 2 elements; it should have 3",
        ),
        ({"shape": {"kind": "box", "sides": [0, 0, 0]}}, "shape: a box needs a side"),
        (
            {"shape": {"kind": "box", "sides": [0, True, 0]}},
            "shape.sides[1]: True should be a number",
        ),
        ({"color": "green"}, "color: 'green' should be a colour as #rrggbb"),
        ({"color": "#00ff00\n"}, "should be a colour as #rrggbb"),
        ({"shares": 0.5}, "shares: 0.5 should be a list"),
        ({"shares": []}, "shares: has 0 elements; it should have 1 to 3"),
        ({"shares": [0.1] * 10_000}, "shares: has 10,000 elements"),
        ({"shares": [0.1, float("nan")]}, "shares[1]: nan should be a number between 0 and 1"),
        ({"count": 1.0}, "count: 1.0 should be a whole number"),
        ({"count": True}, "count: True should be a whole number"),
        ({"count": -1}, "count: -1 should be a whole number between 0 and"),
        ({"count": 2**63}, "count: 9223372036854775808 should be a whole number"),
        ({"on": 1}, "on: 1 should be true or false"),
        ({"named": []}, "named: [] should be a table"),
        (
            {"named": {"a": 1e300}},
            "named.a: 1e+300 should be a number between -1000000 and 1000000",
        ),
        ({"named": {"a": float("-inf")}}, "named.a: -inf should be"),
        ({"named": {"a": 10**400}}, "named.a: 1000"),
        (
            {"named": dict.fromkeys(map(str, range(MAX_ELEMENTS + 1)), 1)},
            "named: has 1,001 elements",
        ),
        ({"named": {"x" * (MAX_TEXT + 1): 1}}, "has 5,001 characters; at most 5,000 are read"),
        ({"other": [float("nan")]}, "other[0]: nan should be a finite number"),
        ({"other": deep(MAX_DEPTH + 1)}, "is nested deeper than 20 levels"),
        ({"size": "all"}, "size: 'all' should be any"),
        ({"colour": 1}, "has the unknown key 'colour'; did you mean 'color'?"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(change, says):
    with pytest.raises(UserError) as caught:
        parse_record(json.dumps(GOOD | change), Thing, "a.json:3")
    assert str(caught.value).startswith("a.json:3: ")
    assert says in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", [name for name in GOOD if name != "size"])
def test_a_missing_key_is_named(name):
    with pytest.raises(UserError, match=f"^it: lacks '{name}'$"):
        decode({k: v for k, v in GOOD.items() if k != name}, Thing, "it")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1,]", "[" * 100_000, '"' + "x" * 100, "9" * 5000, b"\xff\xfe\x00", "\x00", 7, None],
)
def test_other_text_is_one_line(text):
    with pytest.raises(UserError, match=r"^it: .{1,200}$"):
        parse_json(text, "it")


@pytest.mark.parametrize("kind", [str, str.encode])
def test_too_many_lists_and_tables_are_not_read(kind):
    """Python would take a gigabyte and ten seconds for 20 MB of brackets."""
    with pytest.raises(UserError, match=r"^it: has more than 2,000,000 lists and tables$"):
        parse_json(kind("[" + "{}," * 1_000_000 + "[" * 1_000_000), "it")


def test_a_part_of_a_table_may_have_other_keys():
    table = {"shape": {"sides": [1, 2, 3], "mine": 1}, "yours": 2}

    @dataclass(frozen=True)
    class Part:
        shape: Box

    assert decode_part(table, Part, "") == Part(Box((1.0, 2.0, 3.0)))
    with pytest.raises(UserError, match=r"^it: shape: 5 should be a table$"):
        decode_part({"shape": 5}, Part, "it")


def test_options_are_checked_and_their_files_are_not_opened(tmp_path):
    from repogen.generation.run_info import config_to_json

    table = config_to_json(DatasetConfig())
    for group, names in (("pose", ("bounds", "poses")), ("people", ("textures", "body_path"))):
        table[group] |= dict.fromkeys(names, str(tmp_path / "gone"))
    assert decode(table, DatasetConfig, "").pose.bounds == tmp_path / "gone"
    table["camera"]["image_size"] = 10**6
    with pytest.raises(UserError, match=r"^run\.json: camera: --image-size 1000000 must lie"):
        decode(table, DatasetConfig, "run.json")
