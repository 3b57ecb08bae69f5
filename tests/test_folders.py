"""Imports point the way that CONTRIBUTING's table of folders says."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "repogen"


def test_folders_import_only_what_stands_above_them():
    order = re.findall(r"^\| `(\w+)/` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert set(order) == {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    for place, folder in enumerate(order):
        for module in (SOURCE / folder).rglob("*.py"):
            used = set(re.findall(r"^\s*from repogen\.(\w+)", module.read_text(), re.MULTILINE))
            assert used & set(order) <= set(order[: place + 1]), module
