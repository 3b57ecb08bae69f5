"""The public names, their examples, and what type checkers see of them."""

import ast
import doctest
import inspect
import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

import repogen

LAZY_PACKAGES = ("repogen", "repogen.labels", "repogen.scenes")


def test_the_public_names_are_these():
    names = (
        "Camera EvaluateConfig GenerateConfig MineConfig PRESETS Person PredictConfig ProbeConfig "
        "Rendering Scene SceneConfig TrainConfig UserError View __version__ chart_views convert "
        "evaluate export generate info label load_body load_estimator look_at mine predict preview "
        "probe recipe render rerender sample_scene source_of train validate"
    )
    assert sorted(repogen.__all__) == sorted(dir(repogen)) == sorted(names.split())


@pytest.mark.parametrize("package", LAZY_PACKAGES)
def test_each_name_of_the_stub_is_imported_from_the_module_that_it_names(package):
    module = import_module(package)
    tree = ast.parse(Path(module.__file__).with_suffix(".pyi").read_text())
    sources = {alias.asname: node.module for node in tree.body for alias in node.names}
    assert sorted(sources) == sorted(module.__all__)
    for name, source in sources.items():
        assert getattr(module, name) is getattr(import_module(f".{source}", package), name)


def test_a_config_shows_all_its_options_to_help_and_editors():
    options = inspect.signature(repogen.GenerateConfig).parameters
    assert {"images", "views", "people", "pose", "lights", "effects", "write"} <= options.keys()
    assert options["images"].default == 100
    for text in ("views (tuple[str, ...]): Named views", "roll (tuple[float, float]): Range of"):
        assert text in repogen.GenerateConfig.__doc__


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: repogen.generate(3), "out = 3 should be a path"),
        (lambda: repogen.validate(3), "dataset = 3 should be a path"),
        (lambda: repogen.info(3), "dataset = 3 should be a path or None"),
        (lambda: repogen.rerender(3, (1,), "out"), "dataset = 3 should be a path"),
        (lambda: repogen.preview(3), "dataset = 3 should be a path"),
        (lambda: repogen.convert(3, "out", "folder"), "source = 3 should be a path"),
        (lambda: repogen.train(3), "out = 3 should be a path"),
        (lambda: repogen.render("x"), "scene = 'x' should be a Scene"),
        (lambda: repogen.label("x"), "rendering = 'x' should be a Rendering"),
        (lambda: repogen.sample_scene({"views": "top"}), "config = .* should be a SceneConfig"),
        (lambda: repogen.sample_scene(seed="7"), "seed = '7' should be a whole number"),
        (lambda: repogen.sample_scene(seed=-1), "seed -1 must lie between 0 and"),
        (lambda: repogen.Scene.from_json(3), "not a scene: 3"),
        (lambda: repogen.load_body("smplx", path="/nope"), "--body-path /nope: no such folder"),
        (lambda: repogen.generate("out", preset="rare-vews"), "did you mean rare-views"),
    ],
)
def test_an_argument_of_another_type_is_one_line_with_its_name(call, says):
    with pytest.raises(
        repogen.UserError, match=f"^(unknown preset|){'.*' * ('did' in says)}{says}"
    ):
        call()


def test_keywords_win_over_a_preset(tmp_path, body):
    out = repogen.generate(
        tmp_path / "out",
        preset="rare-views",
        images=1,
        image_size=64,
        backgrounds="plain",
        workers=1,
    )
    config = json.loads((out / "run.json").read_text())["config"]
    assert config["camera"]["views"] == list(repogen.PRESETS["rare-views"]["camera"]["views"])
    assert (config["camera"]["image_size"], config["images"]) == (64, 1)


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No repogen attribute rendr"):
        repogen.rendr  # noqa: B018


def test_the_version_is_the_installed_one():
    assert repogen.__version__[0].isdigit()


def test_docstring_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    # The others read the dataset and the weights that the examples of these two write.
    for name in dict.fromkeys(("generate", "train", *repogen.__all__)):
        value = getattr(repogen, name)
        module = sys.modules.get(getattr(value, "__module__", ""))
        for example in finder.find(value, name, module, globs={"repogen": repogen}):
            runner.run(example)
    assert runner.tries > 0
    assert runner.failures == 0


def test_every_public_function_has_an_example():
    functions = [f for f in map(repogen.__getattr__, repogen.__all__) if inspect.isfunction(f)]
    assert [f.__name__ for f in functions if ">>>" not in f.__doc__] == []
