"""Recipes of `repogen train`: published options, and flags that win over them."""

from itertools import pairwise

import pytest

from repogen import TrainConfig, UserError, recipe
from repogen.training.optimizer import learning_rate_factor
from repogen.training.recipes import RECIPES

WORDS = ("train", "--out", "run", "--train", "a=set")

OURS = {
    "rotation": 120, "half_body": 0.3, "color_jitter": 0.2, "degrade": True, "drop_path": None,
    "epochs": 20, "batch_size": 128, "lr": None, "weight_decay": 0.1, "layer_decay": 0.8,
    "grad_clip": 1, "warmup": 300, "steps": (14, 18),
}  # fmt: skip
PLAIN = OURS | {"color_jitter": 0, "degrade": False}
REPOGEN = PLAIN | {"epochs": 1000, "lr": 5e-5, "steps": (350, 900)}
REPOGEN_HUGE = PLAIN | {
    "epochs": 100, "batch_size": 16, "lr": 1e-5, "layer_decay": 0.85, "drop_path": 0.55,
    "warmup": 100, "steps": (70, 95),
}  # fmt: skip
VITPOSE = PLAIN | {
    "rotation": 40, "epochs": 210, "batch_size": 512, "lr": 5e-4, "warmup": 500,
    "steps": (170, 200),
}  # fmt: skip

PUBLISHED = {
    ("short", "vitpose-s"): OURS,
    ("short", "tiny"): OURS,
    ("vitpose", "vitpose-s"): VITPOSE | {"drop_path": 0.1},
    ("vitpose", "vitpose-b"): VITPOSE | {"drop_path": 0.3, "layer_decay": 0.75},
    ("vitpose", "vitpose-l"): VITPOSE | {"drop_path": 0.5},
    ("vitpose", "vitpose-h"): VITPOSE | {"drop_path": 0.55, "layer_decay": 0.85},
    ("repogen", "vitpose-s"): REPOGEN,
    ("repogen", "vitpose-b"): REPOGEN,
    ("repogen", "vitpose-h"): REPOGEN_HUGE,
    ("repogen-500", "vitpose-s"): REPOGEN | {"epochs": 500, "steps": (400, 480)},
    ("repogen-500", "vitpose-h"): REPOGEN_HUGE,
}


def options_in(config):
    """The options that recipes set, by name; steps are the epochs at which the rate falls."""
    flat = vars(config.network) | vars(config.optimizer) | vars(config.augmentation)
    rates = [
        learning_rate_factor(epoch * 7, flat["epochs"] * 7, 0, flat["milestones"])
        for epoch in range(flat["epochs"])
    ]
    steps = tuple(k + 1 for k, (a, b) in enumerate(pairwise(rates)) if b < a)
    return {name: value for name, value in (flat | {"steps": steps}).items() if name in OURS}


@pytest.mark.parametrize(("name", "model"), PUBLISHED)
def test_a_recipe_holds_the_published_options(options_of, name, model):
    assert {name for name, _ in PUBLISHED} == set(RECIPES)
    config = options_of(*WORDS, "--recipe", name, "--model", model)
    assert config.network.model == model
    assert options_in(config) == PUBLISHED[name, model]
    assert config == TrainConfig(train="a=set", **recipe(name, model))


def test_the_default_recipe_is_short(options_of):
    assert options_of(*WORDS) == options_of(*WORDS, "--recipe=short") == TrainConfig(train="a=set")


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("--rotation 80", {"rotation": 80}),
        ("--half-body 0.1", {"half_body": 0.1}),
        ("--color-jitter 0.4", {"color_jitter": 0.4}),
        ("--degrade", {"degrade": True}),
        ("--no-degrade", {"degrade": False}),
        ("--drop-path 0.2", {"drop_path": 0.2}),
        ("--batch-size 8 --lr 0.01", {"batch_size": 8, "lr": 0.01}),
        ("--weight-decay 0.2 --layer-decay 0.7", {"weight_decay": 0.2, "layer_decay": 0.7}),
        ("--grad-clip 2 --warmup 7", {"grad_clip": 2, "warmup": 7}),
        ("--epochs 40 --milestones 0.5 0.75", {"epochs": 40, "steps": (20, 30)}),
    ],
)
def test_a_flag_wins_over_the_recipe_before_and_after_it(options_of, name, words, changed):
    wanted = options_in(options_of(*WORDS, "--recipe", name)) | changed
    assert options_in(options_of(*WORDS, "--recipe", name, *words.split())) == wanted
    assert options_in(options_of(*WORDS, *words.split(), "--recipe", name)) == wanted


def test_a_simple_decoder_is_trained_as_the_classic_one():
    simple, classic = (recipe("repogen", f"vitpose-h{end}") for end in ("-simple", ""))
    assert simple.pop("network")["drop_path"] == classic.pop("network")["drop_path"] == 0.55
    assert simple == classic


def test_fewer_epochs_keep_the_shape_of_the_schedule(options_of):
    config = options_of(*WORDS, "--recipe", "vitpose", "--epochs", 21)
    assert options_in(config)["steps"] == (17, 20)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--recipe vitpos", "unknown recipe 'vitpos'; choose from short, vitpose, repogen"),
        ("--model vitpose-x", "unknown model 'vitpose-x'; choose from vitpose-s"),
        ("--model tiny --drop-path 0.1", "--drop-path 0.1 is for the layers of a ViTPose"),
        ("--drop-path 1", "--drop-path 1 must lie between 0 and 0.9"),
        ("--half-body 2", "--half-body 2 must lie between 0 and 1"),
        ("--color-jitter -1", "--color-jitter -1 must lie between 0 and 1"),
        ("--milestones 170 200", "they are shares of the run"),
    ],
)
def test_a_wrong_option_is_one_line(options_of, words, message):
    with pytest.raises(UserError, match=message) as caught:
        options_of(*WORDS, *words.split())
    assert "\n" not in str(caught.value)


def test_the_help_shows_the_options_of_the_recipe(capsys):
    from repogen.cli import main

    with pytest.raises(SystemExit):
        main(["train", "--recipe", "repogen", "--model", "vitpose-h", "--help"])
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for words in ("(default: 1e-05)", "(default: 0.55)", "(default: 0.7 0.95)", "(default: False)"):
        assert words in text
    assert "ViTPose's recipe" not in text
