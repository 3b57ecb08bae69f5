"""Optional libraries."""

import tomllib
from pathlib import Path

from repogen import extras

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_every_extra_exists_and_installs_its_library():
    offered = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    for library, extra in extras.EXTRAS.items():
        assert any(wanted.startswith(library) for wanted in offered[extra]), library


def test_without_matplotlib_there_are_no_figures_and_one_line(monkeypatch, capsys):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert not extras.can_draw_figures("the preview")
    assert capsys.readouterr().err == (
        "repogen: the preview is without figures, which need matplotlib; "
        "in a clone of repogen: pip install '.[plots]'\n"
    )
