"""Imports point down CONTRIBUTING's table of folders, and no files import each other in a circle.

Everything is read from the syntax tree: imports inside functions and under TYPE_CHECKING count.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "repogen"
ENTRIES = ("repogen", "repogen.__main__", "repogen.cli", "repogen.torch")
"""Files beside the folders that stand above them; the other files beside them stand below."""


def module_name(path, source):
    """`repogen.scenes` of scenes/__init__.py, `repogen.scenes.rng` of scenes/rng.py."""
    name = ".".join(("repogen", *path.relative_to(source).with_suffix("").parts))
    return name.removesuffix(".__init__")


def imported_names(tree, package):
    """Dotted names that a file of `package` imports: `repogen.a.b` or `repogen.a.b.Something`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join((start if node.level else []) + [node.module] * bool(node.module))
            names |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and node.args:
            function, first = ast.unparse(node.func).rpartition(".")[2], node.args[0]
            if function in ("import_module", "__import__") and isinstance(first, ast.Constant):
                relative = first.value.startswith(".")
                names.add(package + first.value if relative else first.value)
    return {name for name in names if name.split(".")[0] == "repogen"}


def import_graph(source):
    """Each module's imports from the package, as names of modules that are files.

    A name that a package's `__init__` hands on counts as an import of that `__init__`; importing a
    submodule does not count as an import of the packages around it.
    """
    paths = {module_name(path, source): path for path in source.rglob("*.py")}
    graph = {}
    for module, path in paths.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = imported_names(ast.parse(path.read_text()), package)
        graph[module] = {n if n in paths else n.rpartition(".")[0] for n in names} - {module}
    return graph


def rank(module, order):
    """How high a module stands: 0 for helpers beside the folders, then the table's rows."""
    folder = module.split(".")[1] if "." in module else ""
    if module in ENTRIES:
        return len(order) + 1
    return order.index(folder) + 1 if folder in order else 0


def upward_imports(graph, order):
    return [
        f"{module} imports {used}"
        for module in sorted(graph)
        for used in sorted(graph[module])
        if rank(used, order) > rank(module, order)
    ]


def circles(graph):
    """Groups of modules that all import each other, through others or at once."""

    def reached(start):
        seen, waiting = set(), [start]
        while waiting:
            new = graph.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return seen

    reach = {module: reached(module) for module in graph}
    groups = {
        tuple(sorted(other for other in reach[module] if module in reach[other]))
        for module in graph
        if module in reach[module]
    }
    return sorted(groups)


def table_of_folders():
    """The folders from the lowest, which imports no other, to the highest."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)[::-1]


def test_the_table_names_every_folder():
    order = table_of_folders()
    assert sorted(order) == sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))


def test_imports_point_down_the_table():
    assert upward_imports(import_graph(SOURCE), table_of_folders()) == []


def test_no_files_import_each_other_in_a_circle():
    assert circles(import_graph(SOURCE)) == []


@pytest.fixture
def package(tmp_path):
    """Makes a package of the folders low/ and high/, of a helper and of cli.py, with changed files;
    returns its upward imports and its circles."""

    def make(**files):
        sources = {
            "__init__": "from repogen.high.a import f", "__main__": "import repogen.cli",
            "cli": "import repogen.high", "helper": "import os",
            "low/__init__": "from repogen.low.a import f", "low/a": "from repogen.helper import f",
            "low/b": "from repogen.low.a import f", "low/deep/__init__": "", "low/deep/c": "",
            "high/__init__": "", "high/a": "from repogen.low import a, f\nimport numpy.low",
        }  # fmt: skip
        for name, text in (sources | files).items():
            path = tmp_path / "repogen" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        graph = import_graph(tmp_path / "repogen")
        return upward_imports(graph, ["low", "high"]), circles(graph)

    return make


def test_a_package_that_keeps_the_rules_passes(package):
    assert package() == ([], [])
    assert package(**{"low/deep/c": "from ..a import f\nfrom ...helper import g"}) == ([], [])
    assert package(**{"low/a": "# import repogen.high\n'from repogen import high'"}) == ([], [])


@pytest.mark.parametrize(
    "text",
    [
        "from repogen.high.a import f",
        "from repogen.high import a",
        "from repogen import high",
        "import repogen.high.a",
        "import os, repogen.high.a as a",
        "def f():\n    from repogen import high",
        "if TYPE_CHECKING:\n    import repogen.high.a",
        "try:\n    pass\nexcept ImportError:\n    from repogen.high.a import f",
        "from importlib import import_module\nimport_module('repogen.high.a')",
        "import importlib\ndef f():\n    return importlib.import_module('repogen.high').a",
        "__import__('repogen.high.a')",
        "from ..high.a import f",
        "from .. import high",
        "from ..high import *",
        "from repogen.cli import main",
        "from repogen import f",
        "import repogen",
    ],
)
def test_an_upward_import_is_found(package, text):
    upward, _ = package(**{"low/b": text})
    assert len(upward) == 1
    assert upward[0].startswith("repogen.low.b imports repogen")


def test_a_file_beside_the_folders_imports_no_folder(package):
    assert package(helper="from repogen.low.a import f")[0] == [
        "repogen.helper imports repogen.low.a"
    ]


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"low/a": "import repogen.low.b"}, ["low.a", "low.b"]),
        ({"low/a": "def f():\n    from repogen.low import b"}, ["low.a", "low.b"]),
        ({"low/a": "if TYPE_CHECKING:\n    from .b import f"}, ["low.a", "low.b"]),
        ({"low/a": "from repogen.low import f"}, ["low", "low.a"]),
        (
            {"low/a": "from .deep import c", "low/deep/c": "import repogen.low.b"},
            ["low.a", "low.b", "low.deep.c"],
        ),
    ],
)
def test_a_circle_is_found(package, files, circle):
    assert package(**files) == ([], [tuple(f"repogen.{name}" for name in circle)])
