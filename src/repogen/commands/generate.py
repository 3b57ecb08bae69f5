"""`repogen generate`: write a dataset of synthetic people."""

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from repogen.commands.parsing import run_command
from repogen.errors import unknown_choice
from repogen.generation.config import PRESETS, GenerateConfig
from repogen.generation.options import config_from_table, read_config


def run(words: list[str]) -> int:
    table: dict[str, Any] = {}
    preset, file = _value_of(words, "--preset"), _value_of(words, "--config")
    if preset is not None:
        if preset not in PRESETS:
            raise unknown_choice("preset", preset, PRESETS)
        table |= PRESETS[preset]
    if file is not None:
        table |= read_config(Path(file))
    default = config_from_table(table, f"--config {file}")

    def command(
        out: Annotated[
            Positional[Path], arg(help="The dataset's folder; a half-made one is finished.")
        ],
        options: Annotated[GenerateConfig, OmitArgPrefixes] = default,
        preset: Annotated[str | None, arg(help="Options by name: " + ", ".join(PRESETS))] = None,
        config: Annotated[Path | None, arg(help="A TOML file with any of these options.")] = None,
    ) -> int:
        """Write a dataset of synthetic people. Options given here win over --config, that over
        --preset."""
        from repogen.generation.loop import generate

        print(generate(out, options))
        return 0

    return run_command("generate", command, words)


def _value_of(words: list[str], flag: str) -> str | None:
    for place, word in enumerate(words):
        if word == flag and place + 1 < len(words):
            return words[place + 1]
        if word.startswith(flag + "="):
            return word.split("=", 1)[1]
    return None
