"""No code of repogen executes the content of a file."""

import ast
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[1] / "src" / "repogen").rglob("*.py"))
FORBIDDEN = {
    "eval", "exec", "os.system", "os.popen", "pickle.load", "pickle.loads", "yaml.load",
    "joblib.load", "marshal.load", "marshal.loads", "shelve.open",
}  # fmt: skip


def calls(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}, node


UNPACKS = ("extract", "extractall", "unpack_archive")
"""Methods that write to paths from an archive."""


def imported(path):
    """Imports under other names, which `calls` would not recognise."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{a.name}", node) for a in node.names)
        if isinstance(node, ast.Import):
            yield from ((a.name, node) for a in node.names if a.asname)


def problems(path):
    for name, node in imported(path):
        if name in FORBIDDEN or name in ("pickle", "marshal", "shelve", "os", "subprocess"):
            yield f"{path.name}:{node.lineno}: {name} imported under another name"
    for name, options, node in calls(path):
        if name.rpartition(".")[2] in UNPACKS:
            yield f"{path.name}:{node.lineno}: {name}"
        where = f"{path.name}:{node.lineno}: {name}"
        if name in FORBIDDEN or options.get("shell") == "True":
            yield where
        if name == "torch.load" and options.get("weights_only") != "True":
            yield f"{where} of more than weights"
        if name == "np.load" and options.get("allow_pickle") != "False":
            yield f"{where} of pickles"
        if name.startswith("subprocess.") and node.args and isinstance(node.args[0], ast.Constant):
            yield f"{where} of a string"
        if name in ("cv2.imread", "cv2.imdecode") and path.name != "pictures.py":
            yield f"{where} without a limit's error"


OURS = ("rendering/textures.py", "coco/augmentation.py")
"""Modules that decode only our own files, or files checked before."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_module_has_no_call_that_executes_file_content(path):
    found = [p for p in problems(path) if not ("cv2." in p and str(path).endswith(OURS))]
    assert not found, found


def test_the_check_finds_each_forbidden_call(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(
        "eval(x)\nsubprocess.run('ls', shell=True)\ntorch.load(p)\nnp.load(p)\ncv2.imread(p)\n"
        "from pickle import load\nimport os as o\narchive.extractall(p)\n"
    )
    assert len([*problems(path)]) == 9
