"""Hooks of mkdocs.yml: the site's pages that are not in docs/.

The site has the repository's paths, so a link between two files works on the forge and in the site.
The references of the commands and of Python are made from the command line and from
`repogen/__init__.pyi` while the site is built.
"""

import base64
import contextlib
import io
import mimetypes
import os
import re
from pathlib import Path

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter

import repogen
from repogen.cli import VERBS, main

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**/*.md", "benchmarks/README.md",
    "examples/README.md", "experiments/**/*.md", "tests/f*/README.md",
)  # fmt: skip
FILES = (
    "notebooks/*.ipynb",
    "docs/**/*.jpg", "docs/**/*.svg", "experiments/results/*.png", "examples/*.py", "configs/*.*",
    "src/repogen/assets/data/NOTICE",
)  # fmt: skip
"""What pages show and link."""

NOTEBOOK_LINK = re.compile(r"(notebooks/[\w-]+)\.ipynb\)")
SUBCOMMAND = re.compile(r"^│   • (\w+)", re.MULTILINE)
PUBLIC = re.compile(r"^from \.(\S*) import (\w+) as \2$", re.MULTILINE)
TORCH = ("PoseDataset", "LiveDataset", "collate_images")
"""What `repogen.torch` adds; shown from where it is defined."""
COLUMNS = "78"
"""Width of the help texts."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The theme's files, the repository's pages under their own paths instead of docs/ alone, and
    the references."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = sorted(path for pattern in PAGES + FILES for path in ROOT.glob(pattern))
    site = [
        File(
            path.relative_to(ROOT).as_posix(), str(ROOT), config.site_dir, config.use_directory_urls
        )
        for path in paths
    ]
    notebooks = {
        path.relative_to(ROOT).with_suffix(".md").as_posix(): notebook_page(path)
        for path in sorted(ROOT.glob("notebooks/*.ipynb"))
    }
    references = {"docs/commands.md": commands_page(), "docs/api.md": api_page()}
    made = references | notebooks
    site += [File.generated(config, name, content=text) for name, text in made.items()]
    return Files(theme + site)


def on_page_markdown(markdown: str, **_: object) -> str:
    """A link to a notebook leads to its page."""
    return NOTEBOOK_LINK.sub(r"\1.md)", markdown)


def notebook_page(path: Path) -> str:
    """A notebook with its stored outputs as Markdown; pictures are inside the page."""
    notebook = nbformat.read(path, as_version=4)
    body, resources = MarkdownExporter().from_notebook_node(notebook)
    for name, data in resources["outputs"].items():
        kind = mimetypes.guess_type(name)[0]
        coded = base64.b64encode(data).decode()
        body = body.replace(f"]({name})", f"](data:{kind};base64,{coded})")
    title, rest = body.split("\n", 1)
    return f"{title}\n\n[Download the notebook]({path.name})\n{rest}"


def commands_page() -> str:
    """What `repogen COMMAND --help` prints, for each command, as Markdown."""
    lines = ["# Commands", "", "Look up every option: this is what `--help` prints.", ""]
    for verb in VERBS:
        lines += [f"## {verb}", "", *_fenced(help_of(verb))]
        for name in SUBCOMMAND.findall(help_of(verb)):
            lines += [f"### {verb} {name}", "", *_fenced(help_of(verb, name))]
    return "\n".join(lines)


def help_of(*words: str) -> str:
    """What `repogen WORDS --help` prints."""
    printed = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = COLUMNS
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main([*words, "--help"])
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before
    return printed.getvalue()


def api_page() -> str:
    """The public names of `repogen`, functions before classes, for mkdocstrings."""
    lines = [
        "# Python reference",
        "",
        "Look up every public name. [Python](python-api.md) shows how to use them. The options in",
        "the groups of a config are those of its [command](commands.md).",
        "",
    ]
    for title, names in public_names().items():
        lines += [f"## {title}", ""] + [f"::: repogen.{where}\n" for where in names]
    lines += ["## Datasets of PyTorch", ""]
    lines += [f"::: repogen.training.torch_datasets.{name}\n" for name in TORCH]
    return "\n".join(lines)


def public_names() -> dict[str, list[str]]:
    """`module.name` of the public functions, and of the public classes and presets."""
    found = PUBLIC.findall((ROOT / "src" / "repogen" / "__init__.pyi").read_text())
    where = {}
    for module, name in sorted(found, key=lambda f: f[1]):
        # A function may have the name of its module, which `repogen.module` would show.
        defined = getattr(getattr(repogen, name), "__module__", f"repogen.{module}")
        where[name] = f"{defined.removeprefix('repogen.')}.{name}"
    where.pop("__version__")
    return {
        "Functions": [path for name, path in where.items() if name[0].islower()],
        "Classes and presets": [path for name, path in where.items() if name[0].isupper()],
    }


def _fenced(text: str) -> list[str]:
    return ["```text", text.rstrip(), "```", ""]
