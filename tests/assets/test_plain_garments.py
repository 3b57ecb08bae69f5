"""Garments and models with one colour and no texture are installed in that colour."""

import json

import numpy as np
import pytest
from PIL import Image

from repogen.assets import add, item_picture
from repogen.assets.three_json import model_texture
from repogen.errors import UserError


def installed_texture(folder):
    pack = add(folder).pack
    (item,) = pack.items
    return np.asarray(Image.open(item_picture(pack.name, item.kind, item.name)).convert("RGBA"))


@pytest.mark.parametrize(
    ("line", "color"),
    [
        ("diffuseColor 1.0 0.5 0", [255, 128, 0]),
        ("diffuseColor 0.2 0.2 0.2 1.0", [51, 51, 51]),
        ("DIFFUSECOLOR 3 -1 1", [255, 0, 255]),
    ],
)
def test_a_material_of_one_colour_is_that_colour(assets, hat, line, color):
    (hat / "hat.mhmat").write_text(f"name hat\n{line}\n")
    pixels = installed_texture(hat)
    assert (pixels == [*color, 255]).all()


@pytest.mark.parametrize("faces", ["f 1 2 3 4\nf 1 2 3\n", "f 1//9 2//9 3//9 4//9\nf 1 -3 3\n"])
def test_a_garment_of_one_colour_needs_no_texture_coordinates(assets, hat, faces):
    (hat / "hat.mhmat").write_text("diffuseColor 0 0 1\n")
    text = (hat / "hat.obj").read_text()
    bare = "".join(line + "\n" for line in text.splitlines() if line.startswith("v "))
    (hat / "hat.obj").write_text(bare + faces)
    assert (installed_texture(hat) == [0, 0, 255, 255]).all()


def test_a_picture_needs_texture_coordinates(hat):
    text = (hat / "hat.obj").read_text()
    (hat / "hat.obj").write_text(text.replace("f 1/1 2/2 3/3 4/4", "f 1 2 3 4"))
    with pytest.raises(UserError, match=r"hat\.obj has faces without .*, which hat\.png needs"):
        add(hat)


@pytest.mark.parametrize("line", ["diffuseColor", "diffuseColor red", "diffuseColor 1 nan 0"])
def test_an_invalid_colour_is_a_user_error(hat, line):
    (hat / "hat.mhmat").write_text(f"name hat\n{line}\n")
    with pytest.raises(UserError, match=r"hat\.mhmat"):
        add(hat)


def test_a_model_of_one_colour_has_a_texture_of_it(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({}))
    source = model_texture([{"colorDiffuse": [0.2, 0.4, 1]}], path, "clothes/a")
    assert source.picture == (51, 102, 255)
    for wrong in (None, [], [1, 2], "red", 5):
        with pytest.raises(UserError, match=r"clothes/a|three numbers"):
            model_texture([{"colorDiffuse": wrong}], path, "clothes/a")
