"""The public names, their examples, and what type checkers see of them."""

import ast
import doctest
import inspect
import sys
from importlib import import_module
from pathlib import Path

import pytest

import repogen

LAZY_PACKAGES = ("repogen", "repogen.labels", "repogen.scenes")


def test_the_public_names_are_these():
    names = (
        "Camera EvaluateConfig GenerateConfig PRESETS Person PredictConfig Rendering Scene "
        "SceneConfig TrainConfig UserError View __version__ chart_views convert evaluate export "
        "generate info label load_body load_estimator look_at predict preview recipe render "
        "rerender sample_scene train validate"
    )
    assert repogen.__all__ == dir(repogen) == sorted(names.split())


@pytest.mark.parametrize("package", LAZY_PACKAGES)
def test_type_checkers_see_the_names_that_python_imports(package):
    module = import_module(package)
    tree = ast.parse(Path(module.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    sources = {alias.asname: node.module for node in imports for alias in node.names}
    assert sorted(sources) == module.__all__
    for name, source in sources.items():
        assert getattr(module, name) is getattr(import_module(source), name)


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'repogen' has no attribute 'rendr'") as caught:
        repogen.rendr  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("rendr", repogen)


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
