"""Extras, recipe, image and workflows agree with pyproject.toml, and with each other."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from repogen.extras import EXTRAS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

CONDA_NAMES = {"opencv-python-headless": "py-opencv", "openexr": "openexr-python"}
"""Names of conda-forge that differ from PyPI's."""


def bounds(requirement):
    """Name, in small letters, and versions of a requirement of PyPI or conda."""
    name, versions = re.fullmatch(r"([\w-]+)\s*(.*)", requirement).groups()
    return name.lower(), versions


def recipe():
    return yaml.safe_load((ROOT / "packaging" / "conda" / "recipe.yaml").read_text())


def instructions():
    """Keyword and arguments of each instruction of the Dockerfile."""
    text = re.sub(r"^#.*\n|\\\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def test_all_has_every_extra_for_users():
    (everything,) = PROJECT["optional-dependencies"]["all"]
    names = re.fullmatch(r"repogen\[([\w,]+)\]", everything)[1].split(",")
    assert sorted(names) == sorted({*EXTRAS.values()})


def test_the_recipe_has_the_dependencies_of_the_project():
    run = dict(map(bounds, recipe()["requirements"]["run"]))
    wanted = dict(map(bounds, PROJECT["dependencies"]))
    assert len(wanted) > 10
    named = {CONDA_NAMES.get(name, name): versions for name, versions in wanted.items()}
    assert run == named | {"python": PROJECT["requires-python"]}


def test_the_recipe_describes_the_project():
    found = recipe()
    assert found["context"]["version"] == PROJECT["version"]
    assert found["about"]["summary"] == PROJECT["description"]
    assert found["about"]["license"] == PROJECT["license"]
    assert found["about"]["license_file"] == PROJECT["license-files"]
    ((name, function),) = PROJECT["scripts"].items()
    assert found["build"]["python"]["entry_points"] == [f"{name} = {function}"]
    assert (ROOT / "packaging" / "conda" / found["source"]["path"]).resolve() == ROOT


def test_the_image_installs_as_the_readme_says():
    keywords = [keyword for keyword, _ in instructions()]
    assert keywords[0] == "FROM"
    assert keywords[-2:] == ["ENTRYPOINT", "CMD"]
    readme = " ".join((ROOT / "README.md").read_text().split())
    (run,) = (text for keyword, text in instructions() if keyword == "RUN")
    cpu, cuda = re.findall(r"pip install (.*?);", run)
    (index,) = re.findall(r"--extra-index-url \S+", cpu)
    assert f"-c constraints.txt {index}" in readme
    assert cpu.replace(index, "").split() == cuda.split()
    (extras,) = (text for keyword, text in instructions() if text.startswith("EXTRAS="))
    names = extras.removeprefix("EXTRAS=").split(",")
    assert {*names} <= {*PROJECT["optional-dependencies"]}
    ((name, _),) = PROJECT["scripts"].items()
    assert dict(instructions())["ENTRYPOINT"] == f'["{name}"]'


def test_the_image_gets_what_it_copies():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    copied = [text.split() for keyword, text in instructions() if keyword == "COPY"]
    sources = [source for *many, _ in copied for source in many]
    assert {f"!{source}" for source in sources} == {line for line in ignored if line[0] == "!"}
    needed = {PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml", "src"}
    assert {path.split("/")[0] for path in needed} <= {*sources}
    assert all((ROOT / source).exists() for source in sources)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_exists_with_the_least_rights(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    jobs = workflow["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    assert all(job["timeout-minutes"] <= 120 for job in jobs)
    assert all(("uses" in step) != ("run" in step) for step in steps)
    assert all(re.search(r"@(v\d+|release/v\d+)$", step.get("uses", "@v1")) for step in steps)
    scripts = re.findall(r"bash (\S+)", " ".join(step.get("run", "") for step in steps))
    assert all((ROOT / script).is_file() for script in scripts)
    assert "secrets." not in path.read_text()


def test_one_workflow_runs_ci_and_one_publishes_what_was_checked():
    ci, publish = (yaml.safe_load(path.read_text()) for path in WORKFLOWS)
    assert {*ci[True]} == {"push", "pull_request"}  # YAML 1.1 reads `on` as true
    (job,) = ci["jobs"].values()
    assert job["steps"][-1]["run"] == "bash .ci/run"
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert oldest in job["strategy"]["matrix"]["python"]
    commands = [step["run"] for step in publish["jobs"]["build"]["steps"] if "run" in step]
    assert commands[-2:] == ["python -m build", "python -m twine check --strict dist/*"]
    last = publish["jobs"]["publish"]
    assert (last["needs"], last["permissions"]) == ("build", {"id-token": "write"})
    assert last["steps"][-1]["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert "twine check --strict" in (ROOT / ".ci" / "run").read_text()
