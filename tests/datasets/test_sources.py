"""A dataset's records are a stranger's: files that its scenes show are found by their content, in
the dataset or in folders that the user names, and no path in it is followed."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest

from repogen import GenerateConfig, UserError, convert, generate, info, preview, rerender, validate
from repogen.assets import sources
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import read_files
from repogen.scenes.scene import Scene

OPTIONS = {
    "images": 2, "image_size": 48, "seed": 4, "workers": 1, "wardrobe": "painted",
    "occluders": (3, 3), "write": "depth",
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("folders")
    rng = np.random.default_rng(0)
    for folder, channels in (("photos/deep", 3), ("cutouts", 4)):
        (root / folder).mkdir(parents=True)
        pixels = rng.integers(0, 256, (60, 60, channels), dtype=np.uint8)
        cv2.imwrite(str(root / folder / "a.png"), pixels)
    (root / "bounds.toml").write_text("[left_knee]\nx = [0, 90]\n")
    return root


@pytest.fixture(scope="module")
def named(folders):
    return {"backgrounds": str(folders / "photos"), "cutouts": folders / "cutouts"}


@pytest.fixture(scope="module")
def plain(folders, named, body, tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "set"
    return generate(out, GenerateConfig(**OPTIONS, **named, bounds=folders / "bounds.toml"))


@pytest.fixture(scope="module")
def embedded(named, body, tmp_path_factory):
    out = tmp_path_factory.mktemp("embedded") / "set"
    return generate(out, GenerateConfig(**OPTIONS, **named, embed_sources=True))


@pytest.fixture(autouse=True)
def stranger(monkeypatch):
    """A process whose user has named no files."""
    monkeypatch.setattr(sources, "_KNOWN", {})


def edited(source, out, change):
    """A copy of a dataset, whose first scene is changed."""
    shutil.copytree(source, out)
    first, *others = (out / "scenes.jsonl").read_text().splitlines()
    scene = json.loads(first)
    change(scene)
    (out / "scenes.jsonl").write_text("\n".join([json.dumps(scene), *others, ""]))
    return out


def test_scenes_name_files_by_content_and_hold_no_path(plain, folders):
    text = (plain / "scenes.jsonl").read_text()
    assert str(folders) not in text
    scene = Scene.from_json(text.splitlines()[0])
    photo = folders / "photos" / "deep" / "a.png"
    assert scene.background.file == sources.Source("deep/a.png", sources.digest_of(photo))


def test_files_are_found_in_the_folders_that_the_user_names(plain, named, tmp_path):
    again = rerender(plain, (1, 2), tmp_path / "again", **named)
    for path in again:
        assert path.read_bytes() == (plain / "images" / path.name).read_bytes()
    assert validate(plain, **named) == []


def test_without_the_option_one_line_says_which_to_give(plain, named, tmp_path, capsys):
    with pytest.raises(UserError, match=r"'deep/a.png'.*give --backgrounds .*photos'\)") as caught:
        rerender(plain, (1,), tmp_path / "again")
    assert caught.value.args[0].isprintable()
    assert not (tmp_path / "again").exists()
    assert validate(plain) == []
    assert "no image was rendered again" in capsys.readouterr().err
    with pytest.raises(UserError, match="give --cutouts"):
        validate(plain, backgrounds=named["backgrounds"])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.unlink(), "which is not in --backgrounds"),
        (lambda path: path.write_bytes(b"other"), "a.png has another content"),
    ],
)
def test_another_or_missing_file_is_one_line(plain, folders, named, tmp_path, damage, says):
    photos = shutil.copytree(folders / "photos", tmp_path / "photos")
    damage(photos / "deep" / "a.png")
    with pytest.raises(UserError, match=says):
        rerender(plain, (1,), tmp_path / "again", **named | {"backgrounds": str(photos)})


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.png", "deep/../../secret.png"])
def test_a_name_does_not_lead_out_of_the_folder(plain, folders, named, tmp_path, name):
    photos = shutil.copytree(folders / "photos", tmp_path / "photos")
    shutil.copy(photos / "deep" / "a.png", tmp_path / "secret.png")  # even with this content
    copy = edited(
        plain, tmp_path / "set", lambda scene: scene["background"]["file"].update(name=name)
    )
    with pytest.raises(UserError, match="which is no name inside of --backgrounds"):
        rerender(copy, (1,), tmp_path / "again", **named | {"backgrounds": str(photos)})


def test_a_dataset_with_its_files_needs_no_folders(embedded, tmp_path):
    assert validate(embedded) == []
    shards = convert(str(embedded), tmp_path / "shards", 1)
    assert validate(shards) == []
    back = convert(str(shards), tmp_path / "back")
    names = sorted(path.name for path in (embedded / "sources").iterdir())
    assert len(names) == 2
    assert sorted(path.name for path in (back / "sources").iterdir()) == names


@pytest.mark.parametrize("kind", ["link", "content"])
def test_embedded_files_are_the_datasets_own(embedded, folders, tmp_path, kind):
    copy = shutil.copytree(embedded, tmp_path / "set")
    for file in (copy / "sources").iterdir():
        if kind == "link":  # to a file with this content, and with another name
            outside = tmp_path / f"private{file.name}"
            shutil.move(file, outside)
            file.symlink_to(outside)
        else:
            file.write_bytes(b"other")
    says = {"link": "is a link to a file outside", "content": "has another content"}[kind]
    with pytest.raises(UserError, match=says):
        rerender(copy, (1,), tmp_path / "again")


def test_pictures_that_are_links_out_of_the_dataset_are_not_read(plain, tmp_path):
    copy = shutil.copytree(plain, tmp_path / "set")
    private = tmp_path / "private.jpg"
    shutil.move(copy / "images" / "00000001.jpg", private)
    (copy / "images" / "00000001.jpg").symlink_to(private)
    with pytest.raises(UserError, match="is a link to a file outside of the dataset"):
        read_files(DatasetFolder(copy), 1, ("image",))


@pytest.mark.parametrize("name", ["run.json", "scenes.jsonl", "annotations/person_keypoints.json"])
def test_records_that_are_links_out_of_the_dataset_are_not_read(plain, tmp_path, name):
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install -e '.[dev]'")
    copy = shutil.copytree(plain, tmp_path / "set")
    shutil.move(copy / name, tmp_path / "private")
    (copy / name).symlink_to(tmp_path / "private")
    with pytest.raises(UserError, match="is a link to a file outside of the dataset"):
        preview(copy)


def test_paths_in_run_json_are_not_opened(plain, folders, tmp_path, monkeypatch):
    copy = shutil.copytree(plain, tmp_path / "set")
    run = json.loads((copy / "run.json").read_text())
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)  # reading it would wait for ever
    run["config"]["pose"] |= {"bounds": fifo, "poses": fifo}
    run["config"]["people"] |= {"textures": fifo}
    run["config"]["environment"] |= {"backgrounds": fifo, "cutouts": fifo}
    (copy / "run.json").write_text(json.dumps(run))
    assert "images" in info(copy)
    assert preview(copy, tmp_path / "preview").exists()


def test_bounds_of_a_preview_are_the_datasets(plain, folders, tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install -e '.[dev]'")
    preview(plain, tmp_path / "with", bounds=folders / "bounds.toml")
    preview(plain, tmp_path / "without")
    figures = [(tmp_path / name / "angles.png").read_bytes() for name in ("with", "without")]
    assert figures[0] != figures[1]
    other = tmp_path / "other.toml"
    other.write_text("")
    with pytest.raises(UserError, match="was not made with this content"):
        preview(plain, tmp_path / "other", bounds=other)
