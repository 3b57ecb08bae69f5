"""Reading YAML files of calibration tools: tables, lists, numbers and text.

The part of YAML that OpenCV's FileStorage, ROS, Kalibr and PyYAML write. No anchors, no block text.
"""

import re
from pathlib import Path
from typing import Any

from repogen.errors import UserError
from repogen.files import read_regular
from repogen.limits import MAX_DEPTH, MAX_OPTIONS

_TOKEN = re.compile(r"""\s*([\[\]{},]|:(?=\s)|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s\[\]{},"']"""
                    r"""(?:[^\[\]{},:]|:(?!\s))*)""")  # fmt: skip
_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:#\[\]{},"'][^:]*?)\s*:(?:\s+|$)""")
_WORDS = {"": None, "null": None, "~": None, "true": True, "false": False}


def read_yaml(path: Path) -> object:
    """The content of a YAML file. Raises `UserError` for a file that cannot be read, or has more
    than the part of YAML that is supported."""
    try:
        text = read_regular(path, MAX_OPTIONS).decode()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a YAML file: not UTF-8") from error
    try:
        return parse_yaml(text)
    except ValueError as error:
        raise UserError(f"{path} is not a YAML file that can be read: {error}") from error


def parse_yaml(text: str) -> object:
    """The value of a YAML text. Raises `ValueError` for any other text."""
    lines = _logical_lines(text)
    value, end = _block(lines, 0, -1, 0)
    if end < len(lines):
        raise ValueError(f"line {lines[end][2]} is indented unlike the lines before it")
    return value


def _logical_lines(text: str) -> list[tuple[int, str, int]]:
    """(indentation, text, number) of the lines that say something; what is in brackets is one."""
    out: list[tuple[int, str, int]] = []
    is_open = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).rstrip()
        if not line.strip() or line.startswith(("%", "---", "...")):
            continue
        if is_open > 0:
            indent, before, first = out[-1]
            out[-1] = (indent, f"{before} {line.strip()}", first)
        else:
            if "\t" in line[: len(line) - len(line.lstrip())]:
                raise ValueError(f"line {number} begins with a tab")
            out.append((len(line) - len(line.lstrip(" ")), line.strip(), number))
        is_open += sum(line.count(c) for c in "[{") - sum(line.count(c) for c in "]}")
    return out


def _block(lines: list[tuple[int, str, int]], at: int, above: int, depth: int) -> tuple[Any, int]:
    """The table, list or value whose first line is `at`, indented more than `above`, and the index
    of the line after it."""
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    if at == len(lines) or lines[at][0] <= above:
        return None, at
    indent, first, _ = lines[at]
    table: dict[str, Any] = {}
    several: list[Any] = []
    is_list = first == "-" or first.startswith("- ")
    while at < len(lines) and lines[at][0] == indent:
        _, text, number = lines[at]
        if is_list:
            if text != "-" and not text.startswith("- "):
                break
            rest = text[1:].strip()
            if _KEY.match(rest) or rest.startswith("- "):  # a table that begins on this line
                lines[at] = (indent + len(text) - len(rest), rest, number)
                value, at = _block(lines, at, indent, depth + 1)
            else:
                value, at = _value(lines, at, rest, indent, depth)
            several.append(value)
            continue
        key = _KEY.match(text)
        if key is None:
            if at + 1 < len(lines) or table:
                raise ValueError(f"line {number} has no key: {text[:60]!r}")
            return _flow(text), at + 1
        name = str(_scalar(key[1]))
        if name in table:
            raise ValueError(f"line {number} gives {name!r} for the second time")
        table[name], at = _value(lines, at, text[key.end() :], indent, depth)
    return (several if is_list else table), at


def _value(
    lines: list[tuple[int, str, int]], at: int, text: str, indent: int, depth: int
) -> tuple[Any, int]:
    """The value behind a key or a dash, on its line or on the next ones."""
    text = re.sub(r"^!\S*\s*", "", text.strip())
    if text:
        return _flow(text), at + 1
    at += 1
    # The dashes of a table's list may stand below its key.
    dashes = at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("-")
    return _block(lines, at, indent - 1 if dashes else indent, depth + 1)


def _flow(text: str) -> Any:
    """A value on one line: a number, a text, or a list or table in brackets."""
    if text[0] not in "[{":
        return _scalar(text)
    tokens = _TOKEN.findall(text)
    if "".join(tokens).replace(" ", "") != re.sub(r"\s", "", text):
        raise ValueError(f"{text[:60]!r} has quotes or brackets that do not match")
    tokens.reverse()
    value = _flow_value(tokens, 0)
    if tokens:
        raise ValueError(f"{text[:60]!r} goes on after its last bracket")
    return value


def _flow_value(tokens: list[str], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    if not tokens:
        raise ValueError("a bracket is not closed")
    token = tokens.pop()
    if token not in "[{":
        if token in "]},:":
            raise ValueError(f"{token!r} stands where a value should be")
        return _scalar(token)
    end = "]" if token == "[" else "}"
    several: list[Any] = []
    table: dict[str, Any] = {}
    while True:
        if not tokens:
            raise ValueError("a bracket is not closed")
        if tokens[-1] == end:
            tokens.pop()
            return several if end == "]" else table
        value = _flow_value(tokens, depth + 1)
        if end == "]":
            several.append(value)
        else:
            if not tokens or tokens.pop() != ":":
                raise ValueError(f"{value!r} in braces has no value")
            table[str(value)] = _flow_value(tokens, depth + 1)
        if tokens and tokens[-1] == ",":
            tokens.pop()
        elif not tokens or tokens[-1] != end:
            raise ValueError("values in brackets need commas between them")


def _scalar(text: str) -> Any:
    text = text.strip()
    if text[:1] in "\"'" and len(text) > 1 and text[-1] == text[0]:
        return text[1:-1]
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text.replace(".nan", "nan").replace(".inf", "inf").replace(".NaN", "nan"))
        except ValueError:
            continue
    return text
