"""`repogen rerender`: render single images of a dataset again."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands, Flat
from repogen.datasets.sources import SourcesConfig


def commands(_words: list[str]) -> Commands:
    return command


def command(
    dataset: Positional[Path],
    ids: tuple[int, ...],
    out: Path = Path("rerendered"),
    sources: Flat[SourcesConfig] = SourcesConfig(),  # noqa: B008
) -> int:
    """Render single images and their labels again, from their lines of scenes.jsonl only.

    Args:
        dataset: A finished dataset.
        ids: Image ids, from 1.
        out: Folder to write to.
    """
    from repogen.datasets.rerender import rerender

    print("\n".join(map(str, rerender(dataset, ids, out, sources))))
    return 0
