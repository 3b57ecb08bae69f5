"""`repogen rerender`: render single images of a dataset again."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return command


def command(dataset: Positional[Path], ids: tuple[int, ...], out: Path = Path("rerendered")) -> int:
    """Render single images and their labels again, from their lines of scenes.jsonl only.

    Args:
        dataset: A finished dataset.
        ids: Image ids, from 1.
        out: Folder to write to.
    """
    from repogen.datasets.rerender import rerender

    print("\n".join(map(str, rerender(dataset, ids, out))))
    return 0
