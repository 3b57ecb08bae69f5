"""`repogen assets`: install packs of clothes, hair and panoramas."""

import sys

from tyro.conf import Positional

from repogen import assets
from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return {"list": list_, "add": add, "remove": remove, "check": check}


def list_() -> int:
    """What is installed, and under which licences."""
    print(assets.packs_text(assets.installed()))
    return 0


def add(name: Positional[str], licence: str | None = None) -> int:
    """Install a pack, in the place of an older one of the same name.

    Args:
        name: makehuman, environments, or a folder or .zip of MakeHuman clothes or panoramas.
        licence: Take items of makehuman under other licences than CC0, too: how the licence
            begins, or any.
    """
    added = assets.add(name, licence)
    for line in added.left_out:
        print(f"repogen: left out: {line}", file=sys.stderr)
    print(assets.packs_text({added.pack.name: added.pack}))
    return 0


def remove(name: Positional[str]) -> int:
    """Delete a pack.

    Args:
        name: A pack that list names.
    """
    assets.remove(name)
    return 0


def check() -> int:
    """Look for files that are missing or have changed; exit code 1 and a list of them."""
    problems = assets.check()
    print("\n".join(problems) or "every file is as it was installed")
    return 1 if problems else 0
