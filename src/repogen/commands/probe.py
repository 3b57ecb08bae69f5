"""`repogen probe`: map which people and views an estimator finds hard."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from repogen.commands.parsing import Commands, Flat, options_of
from repogen.generation.config import PRESETS
from repogen.mining.config import ProbeConfig


def commands(words: list[str]) -> Commands:
    """The command, whose defaults are those of the --preset and the --config in the words."""
    default = options_of(ProbeConfig, words)

    def command(
        out: Annotated[Positional[Path], arg(help="Folder to write index.html to.")],
        weights: Annotated[
            Path,
            arg(help="thunder, lightning, a run, a folder, .safetensors, .pth, .onnx or a name."),
        ],
        options: Flat[ProbeConfig] = default,
        against: Annotated[
            Path | None, arg(help="Other weights, to be compared on the same people.")
        ] = None,
        preset: Annotated[
            Literal[tuple(PRESETS)] | None,  # type: ignore[valid-type]
            arg(help="Options by name; repogen info lists them."),
        ] = None,
        config: Annotated[
            Path | None, arg(help="TOML file of options, a table for each group ([judging] …).")
        ] = None,
    ) -> int:
        """Map which people and views an estimator finds hard: a page of regions with intervals and
        their worst pictures. People are drawn as repogen generate would with these options."""
        from repogen.mining.probe import probe

        print(probe(out, weights, against, options))
        return 0

    return command
