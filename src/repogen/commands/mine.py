"""`repogen mine`: write a dataset of people whom an estimator finds hard."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from repogen.commands.parsing import Commands, Flat, options_of
from repogen.generation.config import PRESETS
from repogen.mining.config import MineConfig


def commands(words: list[str]) -> Commands:
    """The command, whose defaults are those of the --preset and the --config in the words."""
    default = options_of(MineConfig, words)

    def command(
        out: Annotated[
            Positional[Path], arg(help="Folder of the dataset; an unfinished one is resumed.")
        ],
        weights: Annotated[
            Path,
            arg(help="thunder, lightning, a run, a folder, .safetensors, .pth, .onnx or a name."),
        ],
        options: Flat[MineConfig] = default,
        preset: Annotated[
            Literal[tuple(PRESETS)] | None,  # type: ignore[valid-type]
            arg(help="Options by name; repogen info lists them."),
        ] = None,
        config: Annotated[
            Path | None, arg(help="TOML file of options, a table for each group ([search] …).")
        ] = None,
    ) -> int:
        """Write a dataset of people whom an estimator finds hard, and who are plausible, seen and
        unlike each other. Candidates are drawn as repogen generate would with these options."""
        from repogen.mining.mine import mine

        print(mine(out, weights, options))
        return 0

    return command
