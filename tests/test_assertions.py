"""Tests can fail: each asserts something, and no assertion may be passed by unnoticed."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKS = ("pytest.raises", "pytest.warns", "pytest.fail", "np.testing")


def is_assertion(node):
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).startswith(CHECKS)
    return isinstance(node, ast.Assert)


def has_assertion(node):
    return any(is_assertion(part) for part in ast.walk(node))


def conditional_assertions(source):
    """Lines of an `if`, `match` or `except` with an assertion, which may be one that never runs.

    Collect what is to be looked at, assert that there is some, then assert in a loop over it.
    """
    branches = ast.If | ast.Match | ast.ExceptHandler
    tree = ast.parse(source)
    return [n.lineno for n in ast.walk(tree) if isinstance(n, branches) and has_assertion(n)]


def idle_tests(sources):
    """Names of the tests that assert nothing, neither themselves nor through a function of these
    sources."""
    trees = [ast.parse(source) for source in sources]
    functions = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    helpers = {f.name for f in functions if has_assertion(f)}
    return [
        f.name
        for f in functions
        if f.name.startswith("test_") and not has_assertion(f) and not called(f) & helpers
    ]


def called(function):
    return {
        ast.unparse(n.func).rpartition(".")[2]
        for n in ast.walk(function)
        if isinstance(n, ast.Call)
    }


@pytest.mark.parametrize(
    "path", sorted(HERE.rglob("*.py")), ids=lambda path: path.relative_to(HERE).as_posix()
)
def test_no_assertion_stands_in_a_branch(path):
    assert conditional_assertions(path.read_text()) == []


def test_every_test_asserts_something():
    assert idle_tests(path.read_text() for path in HERE.rglob("*.py")) == []


@pytest.mark.parametrize(
    "source",
    [
        "if x:\n    assert x",
        "if x:\n    pass\nelse:\n    assert x",
        "if x:\n    for y in x:\n        assert y",
        "if x:\n    with pytest.raises(E):\n        f()",
        "match x:\n    case 1:\n        assert x",
        "try:\n    f()\nexcept E as error:\n    assert error",
    ],
)
def test_a_conditional_assertion_is_found(source):
    assert len(conditional_assertions(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "for y in x:\n    assert y",
        "if x:\n    y = 1\nassert y",
        "try:\n    assert x\nfinally:\n    f()",
        "while not done():\n    assert time() < end",
        "assert (y if x else z)",
    ],
)
def test_other_assertions_are_allowed(source):
    assert conditional_assertions(source) == []


def test_a_test_without_an_assertion_is_found():
    helper = "def check():\n    assert 1\n"
    tests = "def test_a():\n    f()\ndef test_b():\n    check()\ndef test_c():\n    assert f()\n"
    assert idle_tests([helper, tests]) == ["test_a"]
    assert idle_tests([tests]) == ["test_a", "test_b"]
