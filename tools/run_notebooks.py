"""Run the notebooks and store what they print and show: `python tools/run_notebooks.py [NAME …]`.

Each runs in an empty folder. Stderr (progress, warnings of libraries), times and counters are not
stored, so that the file of a notebook whose numbers do not change does not change either.
"""

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"


def executed(path: Path, folder: Path, timeout: int = 1800) -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in `folder`, ready to be stored.

    Raises nbclient's `CellExecutionError` for a cell that fails or takes longer than `timeout`
    seconds.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=timeout, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [_stored(o) for o in cell.outputs if o.get("name") != "stderr"]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def _stored(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    if "execution_count" in output:
        output.execution_count = None
    return output


def main(names: list[str]) -> None:
    """Run the notebooks of these names, or all, and replace the stored ones."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(executed(path, Path(folder)), path)
        print(path, path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main(sys.argv[1:])
