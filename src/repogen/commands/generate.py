"""`repogen generate`: write a dataset of synthetic people."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from repogen.commands.parsing import Commands, Flat, options_of
from repogen.generation.config import PRESETS, GenerateConfig


def commands(words: list[str]) -> Commands:
    """The command, whose defaults are those of the --preset and the --config in the words."""
    default = options_of(GenerateConfig, words)

    def command(
        out: Annotated[
            Positional[Path], arg(help="Folder of the dataset; an unfinished one is resumed.")
        ],
        options: Flat[GenerateConfig] = default,
        preset: Annotated[
            Literal[tuple(PRESETS)] | None,  # type: ignore[valid-type]
            arg(help="Options by name; repogen info lists them."),
        ] = None,
        config: Annotated[
            Path | None, arg(help="TOML file of options, a table for each group ([camera] …).")
        ] = None,
        scenes: Annotated[
            Path | None,
            arg(help="File of scenes of your own, lines as in scenes.jsonl; none is drawn then."),
        ] = None,
    ) -> int:
        """Write a dataset of synthetic people. Options given here win over those of --config, and
        those over --preset."""
        from repogen.generation.loop import generate

        print(generate(out, options, scenes=scenes))
        return 0

    return command
