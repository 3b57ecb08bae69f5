"""The notebooks run, and print and show what is stored in them."""

from importlib import util
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install -e '.[dev]'")
ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"


@pytest.fixture(scope="module")
def executed():
    """The function of tools/run_notebooks.py that runs a notebook."""
    spec = util.spec_from_file_location("run_notebooks", ROOT / "tools" / "run_notebooks.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.executed


def kinds(notebook):
    """By cell: the kinds of its outputs, such as `stream` and `image/jpeg`."""
    return [
        [kind for o in cell.get("outputs", []) for kind in o.get("data", {o.output_type: None})]
        for cell in notebook.cells
    ]


def printed(notebook):
    return [o.text for cell in notebook.cells for o in cell.get("outputs", []) if "text" in o]


def test_one_image_prints_the_stored_labels(executed, tmp_path):
    stored = nbformat.read(NOTEBOOKS / "one-image.ipynb", as_version=4)
    again = executed(NOTEBOOKS / "one-image.ipynb", tmp_path)
    assert printed(again) == printed(stored)
    assert kinds(again) == kinds(stored)
    assert sum(kind == "image/jpeg" for cell in kinds(stored) for kind in cell) == 3


@pytest.mark.slow
def test_training_and_evaluation_run_to_the_report(executed, tmp_path):
    stored = nbformat.read(NOTEBOOKS / "train-evaluate.ipynb", as_version=4)
    again = executed(NOTEBOOKS / "train-evaluate.ipynb", tmp_path)
    assert kinds(again) == kinds(stored)
    assert (tmp_path / "run" / "blend.safetensors").is_file()
    assert "the loss falls: True" in "".join(printed(again))
    assert "<h1>before, after on held-out</h1>" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_stored_notebook_is_small_and_holds_no_counters_and_no_errors(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < 250_000
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) >= 5
    assert [cell.execution_count for cell in code] == [None] * len(code)
    outputs = [o for cell in code for o in cell.outputs]
    assert outputs
    assert {o.output_type for o in outputs} <= {"stream", "display_data", "execute_result"}
    assert notebook.cells[0].source.startswith("# ")
