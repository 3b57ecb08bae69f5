"""The site: built strictly, the same bytes each time, no request to another host, and no page
whose commands do not run."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module, util
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
import tyro
import yaml

from helpers import contents
from repogen.cli import VERBS
from repogen.cli import _run as run_words
from repogen.errors import UserError

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [DOCS / "start.md", *sorted((DOCS / "tutorials").glob("*-*.md"))]
PAGES += [DOCS / "tutorials" / name for name in ("ages.md", "cluster.md", "sports.md")]

ASKED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=.?(?:https?:)?//"
    r"|<link\b[^>]*rel=.?(?:stylesheet|preload|preconnect|icon)[^>]*href=.?(?:https?:)?//"
    r"|(?:url\(|@import)\s*.?(?:https?:)?//"
)
"""What makes a browser ask another host when it opens a page."""

UNINSTALLED = "no asset pack 'dress01' is installed; choose from core"
"""What a command says that names an asset pack of the reader's."""


def script(path):
    """The module of a script that lies outside the packages."""
    spec = util.spec_from_file_location(path.stem, path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tutorials = script(DOCS / "tutorials" / "run.py")


def words_of(block):
    """The words after `repogen` of each command in a block of shell."""
    lines = block.replace("\\\n", " ").splitlines()
    commands = [shlex.split(line.split("#")[0]) for line in lines]
    return [words[words.index("repogen") + 1 :] for words in commands if "repogen" in words]


def refusal(words):
    """What the command line refuses of a command, which is not run; empty if nothing."""
    parse = tyro.cli

    def parse_only(*args, **keywords):
        parse(*args, **keywords)
        return lambda: 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tyro, "cli", parse_only)
        try:
            run_words(words)
        except UserError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_that_need_what_only_a_reader_has_are_taken_by_the_command_line(
    page, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ceiling.yaml").write_text(
        "image_width: 640\nimage_height: 400\ndistortion_model: plumb_bob\n"
        "camera_matrix: {data: [310, 0, 322, 0, 310, 196, 0, 0, 1]}\n"
    )
    for name in ("annotations", "models", "textures"):
        (tmp_path / name).mkdir()
    for name in ("SMPLX_NEUTRAL.npz", "SMPL_NEUTRAL.pkl"):
        (tmp_path / "models" / name).write_bytes(b"")
    cv2.imwrite(str(tmp_path / "textures" / "skin.png"), np.zeros((8, 8, 3), np.uint8))
    for name in ("train", "val"):
        path = tmp_path / "annotations" / f"person_keypoints_{name}2017.json"
        path.write_text('{"images": [], "annotations": [], "categories": []}')
        (tmp_path / f"{name}2017").mkdir()
    commands = [words for block in tutorials.blocks(page, "bash") for words in words_of(block)]
    assert {refusal(words) for words in commands} <= {"", UNINSTALLED}


def test_a_command_that_is_not_taken_is_found():
    assert words_of("cd x\ntorchrun -m repogen train --lr 1 \\\n  --out a  # b") == [
        ["train", "--lr", "1", "--out", "a"]
    ]
    assert "--imges" in refusal(["generate", "out", "--imges", "3"])


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page, tmp_path):
    tutorials.run(page, tmp_path)
    shown = [source for _, source in tutorials.PICTURE.findall(page.read_text())]
    assert [source for source in shown if not (tmp_path / source).is_file()] == []


def test_every_tutorial_is_run_and_every_picture_is_small():
    tutorial_pages = {*(DOCS / "tutorials").glob("*.md")} - {DOCS / "tutorials" / "README.md"}
    assert tutorial_pages == {*PAGES} - {DOCS / "start.md"}
    sizes = {p.name: p.stat().st_size for p in (DOCS / "tutorials").glob("*.jpg")}
    assert len(sizes) >= 8
    assert max(sizes.values()) <= tutorials.LARGEST


def test_the_gallery_is_what_its_script_writes():
    gallery = script(DOCS / "gallery.py")
    assert (DOCS / "gallery.md").read_text() == gallery.page()
    names = {f"{name}.jpg" for rows in gallery.OPTIONS.values() for name in rows}
    assert {path.name for path in (DOCS / "gallery").iterdir()} == names
    assert sum(path.stat().st_size for path in (DOCS / "gallery").iterdir()) < 1_500_000


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert citation["preferred-citation"]["title"] in (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built twice into two folders: the first and the second."""
    pytest.importorskip("mkdocs", reason="needs mkdocs: pip install -e '.[docs]'")
    folders = [tmp_path_factory.mktemp(name) for name in ("site", "again")]
    for seed, folder in enumerate(folders):
        # Not with -q: a warning that is not shown does not end a strict build.
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
            cwd=ROOT,
            env=os.environ | {"SOURCE_DATE_EPOCH": "0", "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return folders


def test_two_builds_have_the_same_bytes(site):
    first, second = map(contents, site)
    assert first == second
    assert "index.html" in first


def test_no_page_asks_another_host(site):
    paths = [p for p in site[0].rglob("*") if p.suffix in (".html", ".css")]
    assert len(paths) > 40
    assert [p.name for p in paths if ASKED.search(p.read_text())] == []


def test_the_style_and_the_pictures_of_every_page_are_there(site):
    """The link checker of mkdocs does not look at what the theme names."""
    pages, missing = sorted(site[0].rglob("*.html")), set()
    named = re.compile(r"<(?:link|script|img)\b[^>]*?\b(?:href|src)=\"?([^\"\s>]+)")
    assert len(pages) > 40
    for page in pages:
        wanted = [name for name in named.findall(page.read_text()) if ":" not in name]
        assert any(name.endswith(".css") for name in wanted), page
        paths = {page.parent / unquote(name.split("#")[0].split("?")[0]) for name in wanted}
        missing |= {path for path in paths if not path.exists() and page.name != "404.html"}
    assert missing == set()


@pytest.mark.parametrize(
    "text",
    ['<script src="https://a.b/c.js">', "<img alt=x src=//a.b/c>", "a { b: url('http://c.d') }",
     '<link rel="stylesheet" href="https://a.b/c.css">'],
)  # fmt: skip
def test_a_request_to_another_host_is_found(text):
    assert ASKED.search(text)


def test_the_references_hold_every_command_and_public_name(site):
    commands = (site[0] / "docs" / "commands.html").read_text()
    assert [verb for verb in VERBS if f'id="{verb}"' not in commands] == []
    assert "--person-share" in commands
    names = set(import_module("repogen").__all__) - {"__version__"}
    reference = (site[0] / "docs" / "api.html").read_text()
    documented = set(re.findall(r'id="repogen\.[\w.]+\.(\w+)"', reference))
    assert len(names) > 30
    assert names <= documented
