"""`repogen validate`: check a dataset against everything it promises."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return command


def command(dataset: Positional[Path], rerender: int = 3) -> int:
    """Check a dataset; exit code 1 and a list of what is broken.

    Args:
        dataset: A finished dataset.
        rerender: How many images to make again and compare byte for byte.
    """
    from repogen.generation.rerender import validate

    problems = validate(dataset, rerender)
    print("\n".join(problems) or "every promise holds")
    return 1 if problems else 0
