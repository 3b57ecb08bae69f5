"""Read arrays from pickled body models without executing any of the pickle's code.

Every global that a body model may name is replaced by an inert stand-in that stores the pickle's
arguments and state; arrays are then built from the stand-ins and checked. Any other global is
refused, as are persistent ids and extension codes. It uses Python's unpickler written in Python:
the one in C allocates memory for as many memoized objects as the file claims to have.
"""

import io
import math
import pickle
import re
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from repogen.errors import UserError, first_line
from repogen.files import cannot_read, open_regular
from repogen.limits import MAX_ARRAYS

_NUMBER_TYPES = re.compile(r"[fiu][1248]|b1")
_MAX_DENSE = 10**7
"""Elements of a sparse array made dense; a joint regressor has 55 x 10,475."""


class Inert:
    """Stand-in for any class or function: stores arguments and state. All stand-ins are classes, so
    that a pickle cannot set attributes of an existing object."""

    def __new__(cls, *args: object, **_: object) -> "Inert":
        out = super().__new__(cls)
        out.args, out.state = args, None
        return out

    args: tuple[Any, ...]
    state: Any

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Array(Inert):
    """numpy.ndarray: state (version, shape, dtype, Fortran order, bytes)."""


class _Buffer(Inert):
    """numpy's `_frombuffer(bytes, dtype, shape, order)`, as pickles of protocol 5 have it."""


class _Dtype(Inert):
    """numpy.dtype: its code as first argument, state (version, byte order, ...)."""


class _Csc(Inert):
    """scipy.sparse.csc_matrix: state is the dict of its attributes."""


class _Csr(Inert):
    """scipy.sparse.csr_matrix, likewise."""


class _Chumpy(Inert):
    """Any class of chumpy: state is the dict of its attributes. `Ch` holds its values as `x`;
    `Select` picks the flat indices `idxs` of `a` and gives them `preferred_shape`."""


class _Reconstructor(Inert):
    """copyreg's `_reconstructor(class, base, state)`, for stand-ins only."""

    def __new__(cls, kind: Any, *_: Any) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, Inert)):
            raise pickle.UnpicklingError("an object whose class is not named")
        return kind()


class _Encoded(Inert):
    """`_codecs.encode(text, "latin1")`: Python 3's way to write bytes for Python 2."""

    def __new__(cls, text: str, encoding: str) -> Any:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"bytes in the encoding {encoding}")
        return text.encode("latin1")


_STAND_INS: dict[str, type] = {
    "copy_reg._reconstructor": _Reconstructor,
    "copyreg._reconstructor": _Reconstructor,
    "_codecs.encode": _Encoded,
    "numpy.ndarray": _Array,
    "numpy.dtype": _Dtype,
} | {
    f"{module}.{name}": Inert
    for module in ("__builtin__", "builtins")
    for name in ("object", "set", "frozenset", "slice")
}
for _core in ("numpy.core", "numpy._core"):
    _STAND_INS[f"{_core}.multiarray._reconstruct"] = _Array
    _STAND_INS[f"{_core}.multiarray.scalar"] = Inert
    _STAND_INS[f"{_core}.numeric._frombuffer"] = _Buffer
for _kind, _stand_in in (("csc", _Csc), ("csr", _Csr)):
    for _module in (f"scipy.sparse.{_kind}", f"scipy.sparse._{_kind}", "scipy.sparse"):
        _STAND_INS[f"{_module}.{_kind}_matrix"] = _stand_in
        _STAND_INS[f"{_module}.{_kind}_array"] = _stand_in


class PickleFile(io.BufferedReader):
    """A file whose last line must be complete, so that a truncated name is not read as another."""

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise EOFError("it ends in the middle of a line")
        return line


_PythonUnpickler: Any = pickle._Unpickler


class SafeUnpickler(_PythonUnpickler):
    """Unpickles stand-ins only. Set `path`, the file in errors; `stand_ins` are further ones."""

    path: Path
    stand_ins: ClassVar[dict[str, type]] = {}
    dispatch: ClassVar = dict(_PythonUnpickler.dispatch)

    def load_setitem(self) -> None:
        _check_keys(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        _check_keys(self.stack[0::2])
        super().load_setitems()

    def load_dict(self) -> None:
        _check_keys(self.stack[0::2])
        super().load_dict()

    def load_additems(self) -> None:
        _check_keys(self.stack)
        super().load_additems()

    def load_frozenset(self) -> None:
        _check_keys(self.stack)
        super().load_frozenset()

    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.DICT[0]] = load_dict
    dispatch[pickle.ADDITEMS[0]] = load_additems
    dispatch[pickle.FROZENSET[0]] = load_frozenset

    def get_extension(self, code: int) -> None:
        """Refuses: Python's would read a cache of this process, bypassing `find_class`."""
        raise pickle.UnpicklingError(f"extension code {code}")

    def find_class(self, module: str, name: str) -> type:
        if module.partition(".")[0] == "chumpy":
            return _Chumpy
        known = _STAND_INS | self.stand_ins
        if f"{module}.{name}" not in known:
            raise UserError(
                f"{self.path}: the pickle asks for {module}.{name}, which neither body "
                "models nor poses need; refused, and no code was executed"
            )
        return known[f"{module}.{name}"]


def _check_keys(keys: list[Any]) -> None:
    """Refuses tuples: hashing nested tuples, each twice in the next, takes exponential time."""
    if not all(isinstance(key, str | bytes | int | float | None) for key in keys):
        raise pickle.UnpicklingError("a key that is not a name")


def read_pickled_arrays(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays under `keys` that a pickled dict holds, sparse arrays made dense.

    Raises `UserError` for a broken file, a value that is not an array of numbers, and a global
    that body models do not have.
    """
    try:
        with PickleFile(open_regular(path, MAX_ARRAYS).detach()) as file:
            unpickler = SafeUnpickler(file, encoding="latin1")
            unpickler.path = path
            content = unpickler.load()
    except UserError:
        raise
    except OSError as error:
        raise cannot_read(path, error) from error
    except Exception as error:  # a broken pickle may raise anything
        raise UserError(
            f"{path}: truncated, or not a pickled body model ({first_line(error)})"
        ) from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a dict of arrays, so not a body model")
    arrays = {}
    for key in keys:
        if key in content:
            try:
                arrays[key] = to_array(content[key])
            except Exception as error:
                raise UserError(
                    f"{path}: {key} is not an array of numbers ({first_line(error)})"
                ) from error
    return arrays


def to_objects(value: object) -> list[object]:
    """The stand-ins in an array of objects; an empty list for anything else."""
    match value:
        case _Array(state=(_, _, _, _, list(objects))):
            return objects
    return []


def to_array(value: object) -> np.ndarray:
    """The array of numbers for which a stand-in stands. Raises `TypeError` for any other."""
    match value:
        case _Array(state=(_, shape, dtype, fortran, raw)):
            return array_from_bytes(raw, dtype, shape, "F" if fortran else "C")
        case _Buffer(args=(raw, dtype, shape, order)):
            return array_from_bytes(raw, dtype, shape, order)
        case _Csc() | _Csr():
            return _sparse_to_dense(value)
        case _Chumpy(state={"x": values}):
            return to_array(values)
        case _Chumpy(state={"a": values, "idxs": _Array() | _Buffer() as indices} as state):
            selected = to_array(values).ravel()[to_array(indices)]
            return selected.reshape(state.get("preferred_shape", selected.shape))
    raise TypeError(f"its type is {type(value).__name__.strip('_').lower()}")


def array_from_bytes(
    raw: bytes | str, dtype: object, shape: tuple[int, ...], order: Literal["C", "F"]
) -> np.ndarray:
    """An array from its bytes and the stand-in of its dtype."""
    if isinstance(raw, str):
        raw = raw.encode("latin1")
    code, state = (dtype.args[0], dtype.state) if isinstance(dtype, _Dtype) else ("", None)
    if not _NUMBER_TYPES.fullmatch(code):
        raise TypeError(f"its type is {code!r}")
    byte_order = state[1] if state and state[1] in "<>" else "="
    return np.frombuffer(raw, np.dtype(byte_order + code)).reshape(shape, order=order)


def _sparse_to_dense(value: _Csc | _Csr) -> np.ndarray:
    state = value.state
    shape = tuple(int(n) for n in state["_shape"])
    if math.prod(shape) > _MAX_DENSE:
        raise ValueError(f"its shape is {shape}")
    data, minor, starts = (to_array(state[name]) for name in ("data", "indices", "indptr"))
    lines, places = shape[::-1] if isinstance(value, _Csc) else shape
    counts = np.diff(starts)
    if (
        data.ndim != 1
        or data.shape != minor.shape
        or starts.shape != (lines + 1,)
        or (starts[0], starts[-1]) != (0, len(data))
        or (counts < 0).any()
        or (len(minor) and not 0 <= minor.min() <= minor.max() < places)
    ):
        raise ValueError("its indices do not fit its shape")
    out = np.zeros((lines, places), data.dtype)
    np.add.at(out, (np.repeat(np.arange(lines), counts), minor), data)
    return out.T if isinstance(value, _Csc) else out
