"""Damage to valid files, and files made of the parts of valid ones."""

import copy
import io
import json
import random
import re
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

MAX_BYTES = 200_000
"""Approximate limit on the bytes of a damaged file."""

NUMBERS = (
    b"0", b"-1", b"-0.0", b"1e308", b"-1e308", b"1e999", b"nan", b"NaN", b"-Infinity", b"inf",
    b"2147483648", b"4294967295", b"9223372036854775808", b"99999999999999999999", b"1e5",
    b"1000000000", b"9" * 400, b"9" * 5000, b"0x10", b"1_0", b"1.5.5", b"",
)  # fmt: skip
TOKENS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b"\t", b" ", b"[", b"{", b"]", b"}", b'"',
    b"'", b",", b":", b"/", b"\\", b"../../../../etc/passwd", b"/etc/passwd", b"#", b"<script>",
    b"null", b"true", "\u2028\u202e\U0001f600".encode(), b"\\ud800", b"%s{0}", b"=", b"-", b".",
)  # fmt: skip
BINARY = (
    b"\x00" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff" * 8,
    b"\x00\x00\x00\x00\x00\x00\x00\x10", b"\x7f\xff\xff\xff",
)  # fmt: skip
VALUES = (
    None, True, False, 0, -1, 1, 2, 1.5, 1e308, -1e308, float("nan"), float("inf"), 2**31, 2**63,
    2**64, 10**30, "", "1", "person", "../../etc/passwd", "/etc/passwd", "a\x00b", "\ud800",
    "x" * 3000, [], {}, [[]], [None], {"a": 1}, [1, 2, 3], [1e9] * 8, [float("nan")] * 51, "@deep",
    "@deeper", "@digits", "@infinite", "@long",
)  # fmt: skip
_MARKS = {
    '"@deep"': "[" * 900 + "]" * 900,
    '"@deeper"': '{"a":' * 30_000 + "1" + "}" * 30_000,
    '"@digits"': "9" * 5000,
    '"@infinite"': "1e999",
    '"@long"': "[" + "0," * 50_000 + "0]",
}
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e-?\d+)?")


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """Flip bits, delete, move, repeat or insert bytes, or replace numbers: one to three times."""
    data = seed
    for _ in range(draw(st.integers(1, 3))):
        how = draw(st.sampled_from(_WAYS))
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        end = min(at + draw(st.sampled_from((1, 2, 4, 8, 30, 200))), len(data))
        if how == "cut":
            data = data[:at]
        elif how == "flip":
            data = data[:at] + bytes([data[at] ^ 1 << at % 8] if data else []) + data[at + 1 :]
        elif how == "lose":
            data = data[:at] + data[end:]
        elif how == "repeat":
            times = draw(st.sampled_from((2, 10, MAX_BYTES // max(end - at, 1))))
            data = data[:at] + data[at:end] * times + data[end:]
        elif how == "many":
            token = draw(st.sampled_from(TOKENS))
            data = data[:at] + token * (MAX_BYTES // len(token)) + data[at:]
        elif how == "token":
            data = data[:at] + draw(st.sampled_from(TOKENS)) + data[at:]
        elif how == "binary":
            word = draw(st.sampled_from(BINARY))
            data = data[:at] + word + data[at + len(word) :]
        elif how == "move":
            to = draw(st.integers(0, len(data)))
            data = data[:to] + data[at:end] + data[to:]
        elif found := [*_NUMBER.finditer(data)]:
            number = draw(st.sampled_from(found))
            word = draw(st.sampled_from(NUMBERS))
            data = data[: number.start()] + word + data[number.end() :]
        data = data[: 2 * MAX_BYTES + len(seed)]
    return data


_WAYS = ("flip", "cut", "lose", "repeat", "many", "token", "binary", "move", "number", "number")


@st.composite
def damaged_json(draw: st.DrawFn, seed: Any) -> bytes:
    """Replace, delete, duplicate or move one to three values."""
    tree = [copy.deepcopy(seed)]
    for _ in range(draw(st.integers(1, 3))):
        slots = [*_slots(tree)]
        holder, key = draw(st.sampled_from(slots))
        how = draw(st.sampled_from(("replace", "replace", "replace", "lose", "double", "move")))
        if how == "replace" or holder is tree:
            holder[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif how == "lose":
            del holder[key]
        elif how == "double" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            other, name = draw(st.sampled_from(slots))
            holder[key] = copy.deepcopy(other[name])
    return _with_marks(tree[0])


def _with_marks(tree: Any) -> bytes:
    text = json.dumps(tree)
    for mark, meant in _MARKS.items():
        text = text.replace(mark, meant)
    return text.encode()


@dataclass(frozen=True)
class Edit:
    """One change of a JSON tree: `way` leads to a value, which is lost, doubled (10,000 times in a
    list; in a table under an unknown key), or replaced by `VALUES[how]`."""

    way: tuple[str | int, ...]
    how: str | int


HOWS = ("lose", "double", *range(len(VALUES)))


def edits(tree: Any) -> list[Edit]:
    """Every single change of every value; of lists and tables with like elements the first two."""
    return [Edit(way, how) for way in _ways(tree) for how in HOWS]


def some_edits(tree: Any, rng: random.Random) -> list[Edit]:
    """One to three random changes, each of the tree that the earlier ones leave."""
    chosen: list[Edit] = []
    for _ in range(rng.randint(1, 3)):
        ways = [*_ways(_changed(tree, chosen))]
        if ways:
            chosen.append(Edit(rng.choice(ways), rng.choice(HOWS)))
    return chosen


def edited(tree: Any, chosen: Sequence[Edit]) -> bytes:
    """The JSON text of a tree after changes."""
    return _with_marks(_changed(tree, chosen))


def _ways(tree: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
    alike = len({repr(type(value)) for _, value in items}) == 1
    for key, value in items[:2] if len(items) > 6 and alike else items:
        yield (*way, key)
        if isinstance(value, list | dict):
            yield from _ways(value, (*way, key))


def _changed(tree: Any, chosen: Sequence[Edit]) -> Any:
    tree = copy.deepcopy(tree)
    for edit in chosen:
        holder = tree
        for key in edit.way[:-1]:
            holder = holder[key]
        key = edit.way[-1]
        if edit.how == "lose":
            del holder[key]
        elif edit.how != "double":
            holder[key] = copy.deepcopy(VALUES[edit.how])
        elif isinstance(holder, list):
            holder[key:key] = [holder[key]] * 10_000
        else:
            holder[f"{key}2"] = holder[key]
    return tree


def _slots(holder: Any, depth: int = 0) -> Any:
    """(container, key) of the values of a tree; of long lists only the first eight."""
    keys = range(min(len(holder), 8)) if isinstance(holder, list) else list(holder)
    for key in keys:
        yield holder, key
        if isinstance(holder[key], list | dict) and depth < 12:
            yield from _slots(holder[key], depth + 1)


@st.composite
def damaged_zip(draw: st.DrawFn, seed: bytes) -> bytes:
    """Damage, rename, duplicate or delete a member and pack the archive again."""
    with zipfile.ZipFile(io.BytesIO(seed)) as file:
        members = [(name, file.read(name)) for name in file.namelist()]
    at = draw(st.integers(0, len(members) - 1))
    name, data = members[at]
    how = draw(st.sampled_from(("damage", "damage", "damage", "rename", "double", "lose")))
    if how == "damage":
        members[at] = name, draw(damaged(data))
    elif how == "rename":
        names = ["../" + name, "/" + name, "", "x" * 300, members[0][0], "a.npy", name.upper()]
        members[at] = draw(st.sampled_from(names)), data
    elif how == "double":
        members.append((name, draw(damaged(data))))
    else:
        del members[at]
    return packed_zip(members, draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))))


def packed_zip(members: list[tuple[str, bytes]], how: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP archive; names may occur twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as file:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = how
            file.writestr(info, data)
    return out.getvalue()


_TYPES = [
    "<f8",
    "<f4",
    "<i8",
    ">f8",
    "|b1",
    "|u1",
    "|O",
    "<U5",
    "<U99999999",
    "|S0",
    "<M8[s]",
    "|V8",
    "<c16",
    "f8,i4",
    "x",
]
_SHAPES = (
    "()", "(1,)", "(2, 156)", "(2, 165)", "(1, 63)", "(0, 156)", "(1000000000000, 156)",
    "(1000000, 156)", "(-1, 156)", "(2, 10000000000)", "(True, 156)", "(1.5, 156)", "('2', 156)",
    f"({'(' * 150}1{')' * 150},)", "(9223372036854775807, 156)", "[2, 156]", "None",
)  # fmt: skip


@st.composite
def odd_npz(draw: st.DrawFn, names: tuple[str, ...]) -> bytes:
    """Arrays whose headers do not match their data."""
    members = []
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=4)):
        kind, shape = draw(st.sampled_from(_TYPES)), draw(st.sampled_from(_SHAPES))
        text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        data = bytes(draw(st.sampled_from((0, 8, 2 * 156 * 8, MAX_BYTES))))
        magic = b"\x93NUMPY" + draw(
            st.sampled_from((b"\1\0", b"\2\0", b"\3\0", b"\0\0", b"\xff\0"))
        )
        size = len(text).to_bytes(2 if magic[6] == 1 else 4, "little")
        members.append((f"{name}.npy", magic + size + text + data))
    return packed_zip(members, draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))))


@st.composite
def damaged_tar(draw: st.DrawFn, seed: bytes) -> bytes:
    """Damage or rename a member or change its type, and pack the archive again."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(seed)) as old:
        members = [(m, old.extractfile(m).read()) for m in old]  # type: ignore[union-attr]
    at = draw(st.integers(0, len(members) - 1))
    info, data = members[at]
    how = draw(st.sampled_from(("json", "damage", "rename", "kind", "size", "double")))
    if how == "json" and info.name.endswith(".json"):
        data = draw(damaged_json(json.loads(data)))
    elif how == "damage":
        data = draw(damaged(data))
    elif how == "rename":
        info.name = draw(
            st.sampled_from(("../a.jpg", "/etc/a.json", "00000001.a.b.c.d", "", "00000009.json"))
        )
    elif how == "kind":
        info.type = draw(st.sampled_from([bytes([c]) for c in b"01234567gxLKS"]))
        info.linkname = "/etc/passwd"
    elif how == "double":
        members.append((info, data))
    info.size = len(data)
    members[at] = info, data
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as new:
        for info, data in members:
            new.addfile(info, io.BytesIO(data))
    return out.getvalue()


_OPCODES = (
    b"\x80\x02", b"\x80\x04", b"(", b"t", b"}", b"]", b"l", b"d", b"s", b"u", b"a", b"e", b"b",
    b"R", b"o", b"0", b"1", b"2", b"N", b"\x85", b"\x86", b"\x87", b"\x81", b"\x92", b"\x93",
    b"I1\n", b"L9999999999L\n", b"K\x01", b"J\xff\xff\xff\x7f", b"X\x01\0\0\0f", b"S'f'\n",
    b"cos\nsystem\n", b"cbuiltins\neval\n", b"c__builtin__\nexec\n", b"cposix\nsystem\n",
    b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n", b"cnumpy\ndtype\n",
    b"cscipy.sparse.csc\ncsc_matrix\n", b"cchumpy.ch\nCh\n", b"ccopy_reg\n_reconstructor\n",
    b"c__builtin__\nobject\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n",
    b"ccollections\nOrderedDict\n", b"q\x00", b"h\x00", b"r\xff\xff\xff\x7f", b"j\xff\xff\xff\x7f",
    b"Q", b"P1\n", b"\x82\x01", b"\x94", b"\x8a\x04\xff\xff\xff\x7f", b"\x8b\xff\xff\xff\x7f",
    b"B\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 7 + b"\x00", b"\x95" + b"\xff" * 8,
    b"X\x07\0\0\0weights",
    b"S'touch /tmp/repogen-was-here'\n", b".", b"\x8d" + b"\xff" * 8,
    b"\x97", b"\x96" + b"\xff" * 8, b"2\x86" * 60, b"h\x00h\x00\x86q\x00" * 60,
)  # fmt: skip


def odd_pickle() -> st.SearchStrategy[bytes]:
    """Opcodes in any order, including calls and large allocations."""
    codes = st.lists(st.sampled_from(_OPCODES), min_size=1, max_size=25)
    return codes.map(lambda parts: b"".join(parts) + b".")


@st.composite
def damaged_safetensors(draw: st.DrawFn, seed: bytes) -> bytes:
    """Change values of the header, with or without its length."""
    size = int.from_bytes(seed[:8], "little")
    header = draw(damaged_json(json.loads(seed[8 : 8 + size])))
    length = draw(st.sampled_from((len(header), len(header), size, 0, 2**40, 2**64 - 1)))
    return length.to_bytes(8, "little") + header + seed[8 + size :]
