"""Only a pack is ever replaced or deleted: by its index, never by its name."""

import json
import os
import shutil
from functools import partial

import pytest

from helpers import contents
from repogen.assets import add, installed, remove
from repogen.assets.staging import check_source
from repogen.cli import main
from repogen.errors import UserError

everything = partial(contents, without=(".lock",))


@pytest.mark.parametrize("index", [None, "", "{}", '{"name": "my_hats"}', "[1]", "folder"])
def test_a_users_folder_in_the_folder_of_packs_stays(hat, assets, capsys, index):
    folder = assets / "my_hats"
    folder.mkdir(parents=True)
    (folder / "novel.txt").write_text("mine")
    if index == "folder":
        (folder / "pack.json").mkdir()
    elif index is not None:
        (folder / "pack.json").write_text(index)
    before = everything(assets)
    for words in (["remove", "my_hats"], ["add", str(hat.parent)]):
        assert main(["assets", *words]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert f"{folder} is not an asset pack" in said
        assert everything(assets) == before
    assert [p.name for p in assets.iterdir() if p.name != ".lock"] == ["my_hats"]


@pytest.mark.parametrize("name", ["notes.txt", "clothes/mine.png", "link"])
def test_a_users_file_in_a_pack_is_not_deleted(hat, assets, name):
    add(hat.parent)
    file = assets / "my_hats" / name
    if name == "link":
        file.symlink_to("elsewhere")
    else:
        file.write_text("mine")
    before = everything(assets)
    for work in (lambda: remove("my_hats"), lambda: add(hat.parent)):
        with pytest.raises(UserError, match=rf"{file} is not of the asset pack .*; move it"):
            work()
    assert everything(assets) == before
    file.unlink()
    add(hat.parent)
    remove("my_hats")
    assert everything(assets) == {}


def test_a_file_of_a_packs_name_stays(hat, assets):
    assets.mkdir()
    (assets / "my_hats").write_text("mine")
    with pytest.raises(UserError, match="my_hats is not an asset pack"):
        add(hat.parent)
    assert everything(assets) == {"my_hats": b"mine"}


def test_a_link_to_a_pack_is_removed_as_a_link(hat, assets, tmp_path):
    add(hat.parent)
    shutil.move(assets / "my_hats", tmp_path / "kept")
    before = everything(tmp_path / "kept")
    for work in (lambda: remove("my_hats"), lambda: add(hat.parent)):
        (assets / "my_hats").symlink_to(tmp_path / "kept")
        work()
        assert not (assets / "my_hats").is_symlink()
    assert everything(tmp_path / "kept") == before
    assert list(installed()) == ["core", "my_hats"]


def test_links_in_a_pack_are_not_followed(hat, assets, tmp_path):
    """A linked folder in place of a pack's own is a user's."""
    add(hat.parent)
    shutil.move(assets / "my_hats/clothes", tmp_path / "clothes")
    (assets / "my_hats/clothes").symlink_to(tmp_path / "clothes")
    before = everything(tmp_path / "clothes")
    with pytest.raises(UserError, match="clothes is not of the asset pack"):
        remove("my_hats")
    assert everything(tmp_path / "clothes") == before


@pytest.mark.parametrize("kind", ["same", "inside", "around", "link", "dots", "zip"])
def test_a_source_in_the_folder_of_packs_is_refused(hat, assets, tmp_path, kind):
    folder = assets / "my_hats"
    shutil.copytree(hat.parent, folder)
    source = {
        "same": folder,
        "inside": folder / "hat",
        "around": tmp_path,
        "link": tmp_path / "link" / "my_hats",
        "dots": tmp_path / "assets" / "x" / ".." / "my_hats",
        "zip": folder / "my_hats.zip",
    }[kind]
    (assets / "x").mkdir()
    (tmp_path / "link").symlink_to(assets)
    (folder / "my_hats.zip").touch()
    before = everything(assets)
    with pytest.raises(UserError, match="lie in each other"):
        add(source)
    assert everything(assets) == before


def test_a_source_that_is_mounted_into_the_target_is_refused(hat, assets, monkeypatch):
    """A mount shows one folder under two paths; here, one of another name says it is the same."""
    add(hat.parent)
    inside = (assets / "my_hats" / "clothes").stat()
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda p, **k: inside if p == hat else stat(p, **k))
    with pytest.raises(UserError, match="lie in each other"):
        check_source(hat, "my_hats")


def test_users_folders_of_our_temporary_names_stay(hat, assets):
    for name in (".repogen-mine", ".my_hats.backup"):
        (assets / name).mkdir(parents=True)
        (assets / name / "novel.txt").write_text("mine")
    (assets / ".repogen-link").symlink_to(hat)
    before = everything(assets)
    source = everything(hat)
    add(hat.parent)
    remove("my_hats")
    assert everything(assets) == before
    assert everything(hat) == source
    assert (assets / ".repogen-link").is_symlink()


def test_files_that_no_item_lists_are_not_installed(hat, assets, monkeypatch):
    from repogen.assets import items

    def failing(path, _):
        path.with_suffix(".tmp").write_text("left")
        raise UserError("no garment")

    shutil.copytree(hat, hat.parent / "skins" / "s")
    (hat.parent / "skins" / "s" / "s.mhmat").write_text("diffuseTexture hat.png\n")
    (hat.parent / "skins" / "s" / "hat.mhclo").unlink()
    monkeypatch.setattr(items, "write_garment", failing)
    assert len(add(hat.parent).pack.items) == 2
    index = json.loads((assets / "my_hats/pack.json").read_text())
    listed = {name for item in index["items"] for name in item["files"]}
    assert everything(assets / "my_hats").keys() == listed | {"pack.json"}
