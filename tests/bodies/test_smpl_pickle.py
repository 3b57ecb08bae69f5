"""Pickled body models give their arrays, and none of their code is executed."""

import copyreg
import os
import pickle
import sys
import types

import numpy as np
import pytest
from scipy import sparse

from repogen.bodies.smpl_pickle import read_pickled_arrays
from repogen.errors import UserError

KEYS = ("v_template", "J_regressor", "f")


def arrays():
    rng = np.random.default_rng(0)
    return {
        "v_template": rng.normal(size=(7, 3)),
        "f": rng.integers(0, 7, (5, 3)).astype(np.uint32),
        "J_regressor": np.where(rng.random((2, 7)) < 0.4, rng.random((2, 7)), 0),
    }


def write(path, content, protocol=2):
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "kind", [np.asarray, sparse.csc_matrix, sparse.csr_matrix, sparse.csc_array]
)
def test_arrays_of_every_pickle_protocol_are_read(tmp_path, protocol, kind):
    given = arrays()
    content = given | {
        "J_regressor": kind(given["J_regressor"]),
        "v_template": np.asfortranarray(given["v_template"]),
        "f": given["f"].astype(">u4"),
        "bs_type": "lrotmin",
        "gender": np.float64(1.0),
    }
    read = read_pickled_arrays(write(tmp_path / "m.pkl", content, protocol), KEYS)
    assert set(read) == set(KEYS)
    for key in KEYS:
        assert (read[key] == given[key]).all()


def test_a_pickle_of_python_2_is_read(tmp_path):
    """As Python 2 wrote it: bytes as str, NumPy and SciPy where they were then."""
    array = np.arange(6, dtype="<f8").reshape(2, 3)
    raw = array.tobytes()
    dtype = (
        b"cnumpy\ndtype\n(U\x02f8K\x00K\x01tR"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    rebuilt = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    state = b"(K\x01K\x02K\x03\x86" + dtype + b"\x89U" + bytes([len(raw)]) + raw + b"tb"
    path = tmp_path / "m.pkl"
    path.write_bytes(b"\x80\x02}U\x0av_template" + rebuilt + state + b"s.")
    assert (read_pickled_arrays(path, KEYS)["v_template"] == array).all()
    old = b"\x80\x02}U\x01fcscipy.sparse.csc\ncsc_matrix\n)\x81}bs."
    path.write_bytes(old)
    with pytest.raises(UserError, match="f is not an array of numbers"):
        read_pickled_arrays(path, KEYS)


@pytest.fixture
def chumpy(monkeypatch):
    """A module that pickles as chumpy does, there while the test writes."""
    for name in ("chumpy", "chumpy.ch", "chumpy.reordering"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    ch = type("Ch", (), {"__module__": "chumpy.ch"})
    select = type("Select", (), {"__module__": "chumpy.reordering"})
    monkeypatch.setattr(sys.modules["chumpy.ch"], "Ch", ch, raising=False)
    monkeypatch.setattr(sys.modules["chumpy.reordering"], "Select", select, raising=False)
    return ch, select


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_chumpy_arrays_are_read(tmp_path, chumpy, protocol):
    ch, select = (kind() for kind in chumpy)
    values = np.random.default_rng(1).normal(size=(7, 3, 4))
    ch.x, ch._dirty_vars, ch._itr = values, {"x"}, None
    picked = np.arange(values.size).reshape(values.shape)[..., :2]
    select.a, select.idxs, select.preferred_shape = ch, picked.ravel(), picked.shape
    path = write(tmp_path / "m.pkl", {"v_template": ch, "f": select}, protocol)
    for name in [name for name in sys.modules if name.startswith("chumpy")]:
        del sys.modules[name]
    read = read_pickled_arrays(path, KEYS)
    assert (read["v_template"] == values).all()
    assert (read["f"] == values[..., :2]).all()


class Evil:
    def __init__(self, call, *args):
        self.call = call, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize(
    ("call", "name"),
    [
        (os.system, "os.system|posix.system|nt.system"),
        (eval, "eval"),
        (exec, "exec"),
        (getattr, "getattr"),
        (__import__, "__import__"),
        (np.load, "numpy.*load"),
        (sparse.load_npz, "load_npz"),
    ],
)
def test_other_globals_are_refused_by_name_and_not_executed(tmp_path, call, name, protocol):
    trace = tmp_path / "ran"
    code = f"open({str(trace)!r}, 'w')"
    evil = Evil(call, f"touch {trace}" if call is os.system else code)
    for content in ({"v_template": evil}, {"unused": evil} | arrays(), [evil]):
        path = write(tmp_path / "m.pkl", content, protocol)
        with pytest.raises(UserError, match=f"asks for .*({name}).*refused") as error:
            read_pickled_arrays(path, KEYS)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)
    assert not trace.exists()


def test_reconstructors_build_only_stand_ins(tmp_path):
    path = tmp_path / "m.pkl"
    path.write_bytes(b"ccopy_reg\n_reconstructor\n(cbuiltins\nint\nc__builtin__\nobject\nNtR.")
    with pytest.raises(UserError, match=r"builtins\.int"):
        read_pickled_arrays(path, KEYS)
    path.write_bytes(b"ccopy_reg\n_reconstructor\n(I3\nc__builtin__\nobject\nNtR.")
    with pytest.raises(UserError, match="class is not named"):
        read_pickled_arrays(path, KEYS)
    path.write_bytes(b"cnumpy\nndarray\n}(U\x05statesb.")  # would set attributes of the class
    with pytest.raises(UserError, match="truncated, or not a pickle"):
        read_pickled_arrays(path, KEYS)


def named(module, name):
    """The opcodes of protocol 4 that put a global on the stack."""
    return (
        b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)) + b"\x93"
    )


OBJECT = named("builtins", "object")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (named("chumpy.os", "system") + b"\x8c\x02id\x85R.", "not a dict"),  # a stand-in, not run
        (named("numpy", "ndarray.__class__") + b".", "asks for numpy.ndarray.__class__"),
        (named("numpy", "ndarray") + b"N}\x8c\x04argsK\x01s\x86b.", "truncated"),
        (named("_codecs", "encode") + b"\x8c\x01a\x8c\x04zlib\x86R.", "encoding zlib"),
        (b"(S'id'\nios\nsystem\n.", "asks for os.system"),
        (b"(cos\nsystem\nS'id'\no.", "asks for os.system"),
        (b"cos\nsystem\n)\x81.", "asks for os.system"),
        (OBJECT + b")R)R.", "not callable"),
        (OBJECT + b")\x81)\x81.", "truncated"),
        (OBJECT + b")RK\x01a.", "append"),
        (b"Pos.system\n.", "persistent id"),
        (b"\x8c\x01a\x51.", "persistent id"),
        (b"\x82\x07.", "extension code 7"),
        (b"\x97.", "truncated"),
        (named("os\n", "sys\ntem") + b".", "asks for os sys tem|asks for os .sys tem"),
        (b"\x8c\x03\xed\xb0\x80\x8c\x01a\x93.", r"asks for \\udc00.a"),
        (b"\x8e" + (2**62).to_bytes(8, "little") + b".", "MemoryError|truncated"),
        (b"\x95" + (2**40).to_bytes(8, "little") + b"}.", "truncated"),
    ],
)
def test_malicious_opcodes_are_refused(tmp_path, code, says):
    path = tmp_path / "m.pkl"
    path.write_bytes(b"\x80\x04" + code)
    with pytest.raises(UserError, match=says) as caught:
        read_pickled_arrays(path, KEYS)
    assert str(caught.value).isprintable()


def test_extension_codes_are_refused_even_if_cached(tmp_path):
    path = tmp_path / "m.pkl"
    path.write_bytes(b"\x80\x02\x82\x07(S'id'\ntR.")
    copyreg.add_extension("os", "system", 7)
    try:
        copyreg._extension_cache[7] = os.system  # as an unpickling before would leave it
        with pytest.raises(UserError, match="extension code 7"):
            read_pickled_arrays(path, KEYS)
    finally:
        copyreg.remove_extension("os", "system", 7)


def test_a_large_memo_index_allocates_no_memory(tmp_path):
    """C's unpickler would fill 64 GiB with zeros."""
    path = tmp_path / "m.pkl"
    path.write_bytes(b"\x80\x02}r\xff\xff\xff\xff.")
    assert read_pickled_arrays(path, KEYS) == {}


def test_chumpy_arrays_that_contain_themselves_are_refused(tmp_path, chumpy):
    ch, select = (kind() for kind in chumpy)
    ch.x = ch
    select.a, select.idxs, select.preferred_shape = select, select, (1,)
    for value in (ch, select):
        path = write(tmp_path / "m.pkl", {"f": value})
        with pytest.raises(UserError, match="f is not an array of numbers"):
            read_pickled_arrays(path, KEYS)


def test_sparse_indices_out_of_range_are_refused(tmp_path):
    for column, shape in ((99, (2, 7)), (1, (2, 10**12))):
        matrix = sparse.csr_matrix(arrays()["J_regressor"])
        matrix.indices[0] = column
        matrix._shape = shape
        path = write(tmp_path / "m.pkl", {"J_regressor": matrix})
        with pytest.raises(UserError, match="J_regressor is not an array of numbers"):
            read_pickled_arrays(path, KEYS)


@pytest.mark.parametrize(
    "value", [np.array([None, "x"]), np.array(["a"]), "text", None, [1.0], np.array([1j])]
)
def test_values_without_numbers_are_refused(tmp_path, value):
    path = write(tmp_path / "m.pkl", {"f": value})
    with pytest.raises(UserError, match="f is not an array of numbers"):
        read_pickled_arrays(path, KEYS)


def test_truncated_and_damaged_files_are_user_errors(tmp_path):
    whole = pickle.dumps(arrays(), 2)
    path = tmp_path / "m.pkl"
    for size in (*range(60), *range(60, len(whole), 37)):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match="truncated, or not a pickle"):
            read_pickled_arrays(path, KEYS)
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(UserError, match="not a dict"):
        read_pickled_arrays(path, KEYS)
    rng = np.random.default_rng(0)
    for _ in range(300):  # any damage is named or harmless
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            damaged[at] = int(rng.integers(256))
        path.write_bytes(damaged)
        try:
            read = read_pickled_arrays(path, KEYS)
        except UserError:
            continue
        assert all(isinstance(array, np.ndarray) for array in read.values())
