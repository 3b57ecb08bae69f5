"""From words to calls: each verb has its module, and what a command says is heard."""

import io
import pkgutil
import sys
from importlib import import_module

import pytest

from repogen import UserError, commands
from repogen.cli import VERBS, main
from repogen.commands.parsing import run_command


def test_every_verb_has_its_module():
    modules = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    assert modules == set(VERBS) | {"parsing"}
    assert all(callable(import_module(f"repogen.commands.{verb}").commands) for verb in VERBS)


def half(number: int, quietly: bool = False) -> int:
    """Halve a number."""
    if not quietly:
        print("halving", file=sys.stderr)
    return number // 2


def test_a_command_is_called_with_what_the_words_say(capsys):
    assert run_command("half", half, ["--number", "8"]) == 4
    assert capsys.readouterr().err == "halving\n", "only the parser's own words are folded"
    assert run_command("half", half, ["--number", "6", "--quietly"]) == 3
    assert capsys.readouterr().err == ""


def test_the_first_word_chooses_among_several():
    several = {"half": half, "same": lambda: 7}
    assert run_command("number", several, ["half", "--number", "2"]) == 1
    assert run_command("number", several, ["same"]) == 7
    with pytest.raises(UserError, match=r"Expected one of \{half, same\}; see repogen number"):
        run_command("number", several, [])


@pytest.mark.parametrize("words", [[], ["--number", "x"], ["--numbr", "1"], ["--number", "1", "2"]])
def test_words_that_are_not_taken_are_one_line(words):
    with pytest.raises(UserError, match=r"^[^\n]+; see repogen half --help$"):
        run_command("half", half, words)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("generate", "OUT"),
        ("preview", "DATASET"),
        ("validate", "DATASET"),
        ("convert", "SOURCE, OUT"),
        ("rerender", "DATASET, --ids"),
        ("mine", "OUT, --weights"),
        ("probe map", "--weights"),
        ("train", "--out"),
        ("evaluate", "--weights, --data"),
        ("weights convert", "SOURCE, OUT"),
        ("assets add", "NAME"),
        ("views", "ANNOTATIONS"),
    ],
)
def test_what_is_missing_is_named(words, missing, encoding, monkeypatch, capsys):
    """The parser's frames depend on the output's encoding."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    assert main(words.split()) == 2
    verb = words.removesuffix(" map")
    assert capsys.readouterr().err == (
        f"repogen: error: missing: {missing}; see repogen {verb} --help\n"
    )
