"""`repogen train`: fine-tune a pose estimator on real and synthetic people."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from repogen.commands.parsing import Commands, Flat, value_of
from repogen.training.config import NetworkConfig, TrainConfig
from repogen.training.recipes import RECIPES
from repogen.training.recipes import recipe as options_of_recipe


def commands(words: list[str]) -> Commands:
    """The command, whose defaults are those of the --recipe for the --model in the words."""
    name, model = value_of(words, "--recipe"), value_of(words, "--model")
    default = TrainConfig(**options_of_recipe(name or "short", model or NetworkConfig.model))

    def command(
        out: Annotated[
            Path, arg(help="Folder of the run; an unfinished one of the same options is resumed.")
        ],
        options: Flat[TrainConfig] = default,
        recipe: Annotated[
            Literal[tuple(RECIPES)],  # type: ignore[valid-type]
            arg(
                help="Defaults of the other options. vitpose: ViTPose's training on COCO. repogen, "
                "repogen-500: the RePoGen paper's fine-tuning, 1,000 or 500 epochs, 100 of "
                "vitpose-h. short: 20 epochs, with changed colours and degraded renderings."
            ),
        ] = "short",
    ) -> int:
        """Fine-tune a pose estimator, or train a tiny one, on real and synthetic people. Options
        given here win over those of --recipe; the defaults below are the recipe's."""
        options.check_sets()  # an error comes now, not after seconds of imports
        from repogen.training.loop import train

        print(train(out, options))
        return 0

    return command
