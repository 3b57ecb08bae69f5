"""`repogen assets`: install packs of clothes, hair and panoramas."""

from tyro.conf import Positional

from repogen import assets
from repogen.commands.parsing import Commands
from repogen.messages import say


def commands(_words: list[str]) -> Commands:
    return {"list": list_, "add": add, "remove": remove, "check": check}


def list_() -> int:
    """List the packs, repogen's own first, and their licences."""
    print(assets.packs_text(assets.installed()))
    return 0


def add(name: Positional[str], licence: str | None = None) -> int:
    """Install a pack; it replaces an older one of the same name.

    Args:
        name: makehuman, environments, or a folder or .zip of MakeHuman assets or of
            panoramas.
        licence: Also take items of makehuman that are not CC0: the beginning of the licence's
            name, or any.
    """
    added = assets.add(name, licence)
    for line in added.left_out:
        say(f"left out: {line}")
    print(assets.packs_text({added.pack.name: added.pack}))
    return 0


def remove(name: Positional[str]) -> int:
    """Delete a pack.

    Args:
        name: Name of an installed pack.
    """
    assets.remove(name)
    return 0


def check() -> int:
    """List files that are missing or have changed; exit code 1 if there are any."""
    problems = assets.check()
    print("\n".join(problems) or "no file is missing or changed")
    return 1 if problems else 0
