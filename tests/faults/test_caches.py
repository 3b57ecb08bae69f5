"""Files that repogen keeps are checked when they are read: damaged ones are made again or named."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from repogen import GenerateConfig, UserError, assets, cache, generate, usable_files
from repogen.assets.packs import make_item, write_index
from repogen.assets.panoramas import write_panorama
from repogen.assets.sources import source_of
from repogen.datasets.reading import open_dataset, read_scenes
from repogen.environment.panoramas import panorama_light, panorama_pixels
from repogen.people.garments import fitted_garment
from repogen.people.outfit import sample_outfit
from repogen.people.wardrobe import check_item_file
from repogen.poses.motion import read_clip
from repogen.rendering.textures import Textures
from repogen.scenes.sample.person import _checked
from repogen.usable_files import find_usable
from repogen.viewpoint_estimation import trained
from repogen.viewpoint_estimation.regressor import ViewRegressor

_STORED = [cv2.IMWRITE_PNG_COMPRESSION, 0]


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    keep_time(path, bytes(data))


def flip_the_last_byte(path):
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    keep_time(path, bytes(data))


def zero(path):
    keep_time(path, bytes(path.stat().st_size))


def keep_time(path, data):
    """Write the data and set the file's time of change back."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def link_to_nothing(path):
    path.unlink()
    path.symlink_to("nothing")


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "one byte short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "empty": lambda path: path.write_bytes(b""),
    "a byte flipped": flip_a_byte,
    "the last byte flipped": flip_the_last_byte,
    "zeroed": zero,
    "text": lambda path: path.write_text("null"),
    "a link to nothing": link_to_nothing,
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """An empty cache folder, with stubs for what takes minutes; counts what is made, by kind."""
    made = {"viewpoints": 0, "usable": 0}

    def train():
        made["viewpoints"] += 1
        network = ViewRegressor(np.random.default_rng(0))
        return trained.TrainedRegressor(network.eval(), [{"persons": 3}])

    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(usable_files, "_CACHED_BYTES", 0)
    monkeypatch.setattr(trained, "train_and_evaluate", train)
    (tmp_path / "photo").write_text("a photo")

    def use_list():
        def length(path):
            made["usable"] += 1
            return len(path.read_text())

        return find_usable([tmp_path / "photo"], length, "photos").values

    def use_regressor():
        regressor = trained.load_regressor()
        weights = [w.sum().item() for w in regressor.network.state_dict().values()]
        return regressor.held_out, weights

    uses = {
        "viewpoints": use_regressor,
        "usable": use_list,
    }
    return made, uses


def only_file(folder):
    (path,) = (p for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock")
    return path


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["viewpoints", "usable"])
def test_a_damaged_file_is_made_again(made, tmp_path, kind, damage):
    counts, uses = made
    first = uses[kind]()
    assert uses[kind]() == first
    assert counts[kind] == 1
    path = only_file(tmp_path / "cache")
    whole = path.read_bytes()
    DAMAGES[damage](path)
    assert uses[kind]() == first
    assert counts[kind] == 2
    assert path.read_bytes() == whole
    assert uses[kind]() == first
    assert counts[kind] == 2


@pytest.mark.parametrize("kind", ["viewpoints", "usable"])
def test_a_file_of_another_version_or_kind_is_made_again(made, tmp_path, kind):
    counts, uses = made
    first = uses[kind]()
    path = only_file(tmp_path / "cache")
    cache.write_cached(path.with_name("older.cache"), b"{}")
    path.with_name("older.cache").replace(path)
    assert uses[kind]() == first
    assert counts[kind] == 2


@pytest.mark.parametrize("kind", ["viewpoints", "usable"])
def test_a_file_that_cannot_be_read_is_made_again(made, tmp_path, monkeypatch, kind):
    counts, uses = made
    first = uses[kind]()
    path, read = only_file(tmp_path / "cache"), cache.read_regular

    def denied(which, limit):
        if which == path:
            raise PermissionError(13, "Permission denied", str(which))
        return read(which, limit)

    with monkeypatch.context() as patch:
        patch.setattr(cache, "read_regular", denied)
        assert uses[kind]() == first
    assert counts[kind] == 2


@pytest.mark.parametrize("kind", ["viewpoints", "usable"])
def test_a_folder_in_a_files_place_is_named_and_stays(made, tmp_path, kind):
    counts, uses = made
    uses[kind]()
    path = only_file(tmp_path / "cache")
    path.unlink()
    path.mkdir()
    (path / "novel.txt").write_text("mine")
    with pytest.raises(UserError, match=rf"{path} is not a file; remove it"):
        uses[kind]()
    assert counts[kind] == 1
    assert (path / "novel.txt").read_text() == "mine"


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """An installed pack with a file of each kind; for each, its path and a function that reads it
    as a run does."""
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    folder = tmp_path / "assets" / "mine"
    for name in ("clothes", "poses", "skins"):
        (folder / name).mkdir(parents=True)
    (folder / "clothes" / "hat.safetensors").write_bytes(np.random.default_rng(0).bytes(900))
    for k, name in enumerate(("clothes/hat.png", "skins/pale.png")):
        pixels = np.random.default_rng(k).integers(0, 255, (32, 32, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), pixels)
    write_panorama(folder / "sky.exr", np.ones((16, 32, 3), np.float32))
    poses = {"format": "repogen-poses", "poses": [{"angles": {"head": [1, 2, 3]}}]}
    (folder / "poses" / "a.json").write_text(json.dumps(poses))
    items = [
        make_item(folder, [folder / name for name in names], kind, kind, "", "CC0", ())
        for kind, names in {
            "clothes": ("clothes/hat.safetensors", "clothes/hat.png"),
            "skins": ("skins/pale.png",),
            "environment": ("sky.exr",),
            "poses": ("poses/a.json",),
        }.items()
    ]
    write_index(folder, "mine", None, "my-folder", items)

    def panorama():
        panorama_pixels.cache_clear()
        panorama_light.cache_clear()
        panorama_light(folder / "sky.exr")

    def poses_of():
        read_clip.cache_clear()
        read_clip(folder / "poses/a.json")

    picture = source_of(folder / "skins/pale.png", folder)

    def skin():
        outfit = sample_outfit(np.random.default_rng(0), 0.5, True, True)
        object.__setattr__(outfit, "picture", picture)
        _checked(outfit)

    return folder, {
        "clothes/hat.safetensors": lambda: fitted_garment(None, "mine", "clothes", "clothes"),
        "clothes/hat.png": lambda: Textures("cpu").load(folder / "clothes/hat.png"),
        "skins/pale.png": skin,
        "sky.exr": panorama,
        "poses/a.json": poses_of,
    }


@pytest.mark.parametrize("damage", [*DAMAGES, "missing"])
@pytest.mark.parametrize(
    "name",
    ["clothes/hat.safetensors", "clothes/hat.png", "skins/pale.png", "sky.exr", "poses/a.json"],
)
def test_a_damaged_file_of_a_pack_is_named_with_the_command_that_restores_it(pack, name, damage):
    folder, reads = pack
    if name != "clothes/hat.safetensors":  # random bytes
        reads[name]()
    DAMAGES.get(damage, Path.unlink)(folder / name)
    what = "is missing" if "missing" in damage or "link" in damage else "has changed since it was"
    says = rf"{folder / name} {what}.*; restore it with repogen assets add my-folder$"
    with pytest.raises(UserError, match=says):
        reads[name]()
    assert any(line.startswith(f"{folder / name} {what}") for line in assets.check())


def test_a_file_of_a_pack_is_hashed_once(pack, monkeypatch):
    folder, _ = pack
    hashed = []
    monkeypatch.setattr("repogen.assets.packs.sha256_of", lambda path: hashed.append(path))
    for _ in range(3):
        with pytest.raises(UserError, match="has changed"):
            check_item_file(folder / "skins/pale.png")
    assert hashed == [folder / "skins/pale.png"]


def test_a_damaged_panorama_of_a_pack_is_left_out_and_named(tmp_path, monkeypatch, body, capsys):
    """Its pixels can still be read, and its size and time are those of before."""
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    source = tmp_path / "skies"
    source.mkdir()
    for k in range(2):
        write_panorama(source / f"sky{k}.exr", np.full((16, 32, 3), 1 + k, np.float32))
    assets.add(source)
    options = {"wardrobe": "painted", "packs": "skies"}
    config = GenerateConfig(images=4, image_size=32, workers=1, seed=1, **options)
    generate(tmp_path / "first", config)
    damaged = tmp_path / "assets" / "skies" / "sky1.exr"
    other = tmp_path / "other.exr"
    write_panorama(other, np.full((16, 32, 3), 1.5, np.float32))
    keep_time(damaged, other.read_bytes())
    capsys.readouterr()
    out = generate(tmp_path / "second", config)
    assert f"{damaged} has changed since it was installed; restore it with repogen assets add" in (
        capsys.readouterr().err
    )
    paths = {scene.background.file.name for scene in read_scenes(open_dataset(out))}
    assert paths == {"skies/sky0.exr"}
    shutil.rmtree(tmp_path / "second")
    assets.add(source)
    (damaged.parent / "sky0.exr").unlink()
    generate(tmp_path / "second", config)
    paths = {scene.background.file.name for scene in read_scenes(open_dataset(out))}
    assert paths == {"skies/sky1.exr"}


@pytest.mark.parametrize("option", ["backgrounds", "cutouts", "textures", "poses"])
def test_a_run_is_not_resumed_over_changed_files(tmp_path, body, option):
    """One number differs; names, sizes and times are those of before."""
    folder = tmp_path / "files"
    folder.mkdir()
    for k in range(2):
        pixels = np.random.default_rng(k).integers(0, 255, (40, 40, 4), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{k}.png"), pixels, _STORED)
        poses = {"format": "repogen-poses", "poses": [{"angles": {"head": [k, 2, 3]}}]}
        (folder / f"{k}.json").write_text(json.dumps(poses))
    options = {"backgrounds": "plain", "wardrobe": "painted", option: str(folder)}
    config = GenerateConfig(images=2, image_size=32, workers=1, occluders=(0, 1), **options)
    out = generate(tmp_path / "out", config)
    (out / "annotations/person_keypoints.json").unlink()
    path = folder / ("1.json" if option == "poses" else "1.png")
    data = path.read_bytes()
    if option == "poses":
        keep_time(path, data.replace(b"[1, 2", b"[1, 4"))
    else:
        pixels[0, 0, 0] ^= 1
        keep_time(path, cv2.imencode(".png", pixels, _STORED)[1].tobytes())
    assert path.stat().st_size == len(data)
    with pytest.raises(UserError, match=f"another content of --{option}"):
        generate(out, config)
    keep_time(path, data)
    generate(out, config)
