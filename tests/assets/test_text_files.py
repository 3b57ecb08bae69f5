"""MakeHuman files as the community shares them: notations, encodings, licences and paths."""

import numpy as np
import pytest
from PIL import Image

from repogen.assets import add
from repogen.assets.mhclo import read_mhclo
from repogen.assets.mhmat import read_mhmat
from repogen.assets.text_files import find_file, read_text, stated_licence
from repogen.errors import UserError


def changed(hat, file, old, new):
    text = (hat / file).read_text()
    assert old in text
    (hat / file).write_text(text.replace(old, new, 1))


def garment_of(hat):
    return read_mhclo(hat / "hat.mhclo", "clothes", hat.parent)[0]


@pytest.fixture
def same_hat(hat):
    """The hat read from its unchanged files, to compare with other notations."""
    return hat, garment_of(hat)


def assert_same(garment, other):
    for key in ("refs", "weights", "offsets", "faces", "face_uv", "hidden", "scale_refs"):
        assert (getattr(garment, key) == getattr(other, key)).all(), key


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("material hat.mhmat\n\nverts 0\n", "verts 0\nmaterial hat.mhmat\n"),
        ("verts 0\n", "verts 0\nvertexboneweights_file hat.jsonw\nmax_pole 8\n"),
        ("verts 0\n7\n", "verts 0\n# first\n\n7\n"),
        ("0.1 -0.2 0.3\n", "0.1 -0.2 0.3 9 9\n"),
        ("20 21 22 0.2 0.3 0.5 0.0 0.0 0.0", "20 21 22 0.2 0.3 0.5"),
        ("100 - 103 200 205 - 206", "100-103 200\n\n205 206"),
        ("delete_verts", "weights head\n0 0.5\n1 0.25\ndelete_verts"),
        ("basemesh hm08\n", ""),
        ("material hat.mhmat\n", ""),
        ("hat.obj", "HAT.OBJ"),
        ("hat.mhmat", "C:\\Users\\me\\hats\\hat.mhmat"),
    ],
)
def test_equivalent_lines_give_the_same_garment(same_hat, old, new):
    hat, garment = same_hat
    changed(hat, "hat.mhclo", old, new)
    assert_same(garment_of(hat), garment)


def test_makeclothes_notation_of_a_single_vertex_is_read(same_hat):
    hat, _ = same_hat
    changed(hat, "hat.mhclo", "\n7\n", "\n    7     0     1 1.00000 0.00000 0.00000 0.1 0 0\n")
    again = garment_of(hat)
    assert again.refs[0].tolist() == [7, 0, 1]
    assert again.weights[0].tolist() == [1, 0, 0]
    assert again.offsets[0] == pytest.approx([0.1, 0, 0])


def test_windows_line_ends_byte_order_mark_and_latin_1_are_read(same_hat):
    hat, garment = same_hat
    for file in ("hat.mhclo", "hat.obj", "hat.mhmat"):
        data = (hat / file).read_bytes().replace(b"\n", b"\r\n")
        (hat / file).write_bytes(b"\xef\xbb\xbf" + data)
    assert_same(garment_of(hat), garment)
    (hat / "hat.png").rename(hat / "chapeau d'\u00e9t\u00e9.png")
    text = (hat / "hat.mhmat").read_text(encoding="utf-8-sig")
    text = text.replace("hat.png", "chapeau d'\u00e9t\u00e9.png")
    (hat / "hat.mhmat").write_bytes(text.encode("latin-1"))
    assert read_mhmat(hat / "hat.mhmat", hat).texture.picture.is_file()


def test_missing_scale_lines_have_defaults(same_hat):
    hat, _ = same_hat
    changed(hat, "hat.mhclo", "x_scale 5399 11998 1.5\n", "")
    changed(hat, "hat.mhclo", "y_scale 791 881 2.3", "y_scale 100 200 3.5")
    again = garment_of(hat)
    assert again.scale_refs.tolist() == [[5399, 11998], [100, 200], [962, 5320]]
    assert again.scale_lengths == pytest.approx([1.48, 3.5, 1.9])  # x as hats have it


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("# license CC0\n", "CC0"),
        ("#license: CC-BY 4.0", "CC-BY 4.0"),
        ("// Licence CC BY-SA", "CC BY-SA"),
        ("license CC0", "CC0"),
        ("# Licensed under CC-BY-NC-SA", "CC-BY-NC-SA"),
        ("# license AGPL3 (see also http://x.org/)", "AGPL3 (see also http://x.org/)"),
        (
            "# This file is licensed AGPLv3\n#    published by the FSF, either version 3 of the\n"
            "#    License, or (at your option) any later version.",
            "AGPLv3",
        ),
        (
            "# This asset was explicitly released as CC0 in september 2020. The license\n"
            "# text for CC0 can be found in the root of this repository.",
            "CC0",
        ),
        ("#    License along with this program.\n# License, or later\nlicense", ""),
        ("# license " + "x" * 500, "x" * 80),
    ],
)
def test_stated_licences_are_found(text, licence):
    assert stated_licence(text) == licence


def test_a_garment_without_licence_has_that_of_its_material(hat):
    changed(hat, "hat.mhclo", "# license CC0\n", "")
    assert garment_of(hat).licence == "not stated"
    changed(hat, "hat.mhmat", "// material", "# license CC BY 4.0")
    assert garment_of(hat).licence == "CC BY 4.0"


@pytest.mark.parametrize(
    "name",
    [
        "../textures/skin.png",
        "..\\Textures\\SKIN.PNG",
        "skin.png",
        "textures/skin.png",
        "/home/somebody/skins/textures/skin.png",
        "C:/Users/somebody/skin.png",
        "../../../skin.png",
    ],
)
def test_textures_are_found_despite_wrong_paths(tmp_path, name):
    """MakeHuman's own skins share a folder, and downloads are often in another than they state."""
    material = tmp_path / "skins" / "old" / "old.mhmat"
    picture = tmp_path / "skins" / "textures" / "skin.png"
    for path in (material, picture):
        path.parent.mkdir(parents=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(picture)
    material.write_text(f"basecolorTexture {name}\ntransparent t\n")
    read = read_mhmat(material, tmp_path / "skins")
    assert read.texture.picture.samefile(picture)
    assert read.texture.transparent
    assert [item.name for item in add(tmp_path / "skins").pack.items] == ["old"]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "..", "a/../../secret.png"])
def test_files_outside_the_folder_are_refused(tmp_path, name):
    (tmp_path / "secret.png").touch()
    (tmp_path / "hats").mkdir()
    with pytest.raises(UserError, match="leaves"):
        find_file(tmp_path / "hats" / "hat.mhmat", name, tmp_path / "hats")


def test_impossible_file_names_are_handled(tmp_path):
    for name in ("a\0b", "x" * 5000):
        assert find_file(tmp_path / "a", name, tmp_path) == tmp_path / name
        with pytest.raises(UserError) as caught:
            read_text(tmp_path / name)
        assert len(str(caught.value).splitlines()) == 1
