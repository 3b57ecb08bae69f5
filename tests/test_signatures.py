"""No public function takes or returns a bare `Any`; `dict[str, Any]` of JSON is allowed."""

import ast
from pathlib import Path

import pytest

import repogen

SOURCES = sorted(Path(repogen.__file__).parent.rglob("*.py"))


def is_bare_any(annotation):
    if isinstance(annotation, ast.BinOp):  # Any | None
        return is_bare_any(annotation.left) or is_bare_any(annotation.right)
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return is_bare_any(ast.parse(annotation.value, mode="eval").body)
    return annotation is not None and ast.unparse(annotation) in ("Any", "typing.Any")


def bare_anys(source):
    """FUNCTION(PARAMETER) and FUNCTION() of each bare `Any` in the signatures of a source's public
    functions and of the public methods of its public classes."""
    found = []
    places = [("", ast.parse(source).body)]
    while places:
        prefix, body = places.pop(0)
        for node in body:
            name = getattr(node, "name", "_")
            if name.startswith("_") and not name.startswith("__"):
                continue
            if isinstance(node, ast.ClassDef):
                places.append((f"{prefix}{name}.", node.body))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = node.args
                every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs]
                taken = [a for a in [*every, given.kwarg] if a and is_bare_any(a.annotation)]
                found += [f"{prefix}{name}({argument.arg})" for argument in taken]
                found += [f"{prefix}{name}()"] * is_bare_any(node.returns)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(SOURCES[0].parent).as_posix())
def test_public_signatures_say_what_they_take(path):
    assert bare_anys(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(x: Any): ...", ["f(x)"]),
        ("def f(x: int) -> Any: ...", ["f()"]),
        ("def f(x: 'Any', y: typing.Any | None): ...", ["f(x)", "f(y)"]),
        ("def f(*args: Any, k: Any = 3, **kwargs: Any): ...", ["f(args)", "f(k)", "f(kwargs)"]),
        ("async def f(x: Any, /): ...", ["f(x)"]),
        ("class A:\n    def __init__(self, x: Any): ...", ["A.__init__(x)"]),
        ("class A:\n    class B:\n        def f(self) -> Any: ...", ["A.B.f()"]),
    ],
)
def test_a_bare_any_is_found(source, found):
    assert bare_anys(source) == found


@pytest.mark.parametrize(
    "source",
    [
        "def f(x: dict[str, Any]) -> list[Any]: ...",
        "def f(x: object, y: Anything, z='Any'): ...",
        "def _f(x: Any): ...",
        "class _A:\n    def f(self, x: Any): ...",
        "class A:\n    def _f(self, x: Any): ...",
        "def f():\n    x: Any = 3\n    def g(y: Any): ...",
    ],
)
def test_other_annotations_are_allowed(source):
    assert bare_anys(source) == []
