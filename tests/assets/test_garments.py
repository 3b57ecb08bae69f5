"""Garments: three.js JSON and MakeHuman's own files give the same arrays."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from repogen.assets.garments import default_scale, garment_from, read_garment, write_garment
from repogen.assets.mhclo import item_kind, read_mhclo
from repogen.assets.mhmat import read_mhmat
from repogen.assets.textures import TextureSource, write_texture
from repogen.assets.three_json import model_texture, model_to_garment, read_model
from repogen.errors import UserError


def as_garment(model):
    return model_to_garment(model, "clothes", "fedora", "CC0-1.0")


def test_json_faces_become_triangles_with_v_down(model):
    garment = as_garment(model)
    assert garment.faces.tolist() == [[0, 1, 2], [0, 2, 3], [2, 1, 0]]
    assert garment.face_uv[1].tolist() == [[0, 1], [1, 0], [0, 0.25]]
    assert garment.face_uv[2].tolist() == [[0, 0.25], [1, 0], [1, 1]]
    assert garment.hidden.tolist() == [5, 77]
    assert garment.scale_lengths == pytest.approx([1.48, 2.3298, 1.9221])


def test_a_written_garment_is_read_back_unchanged(model, tmp_path):
    garment = as_garment(model)
    write_garment(tmp_path / "a" / "g.safetensors", garment)
    again = read_garment(tmp_path / "a" / "g.safetensors")
    for field in dataclasses.fields(garment):
        left, right = getattr(garment, field.name), getattr(again, field.name)
        assert type(left) is type(right)
        assert np.asarray(left).dtype == np.asarray(right).dtype
        assert np.array_equal(left, right)


def test_every_line_of_an_mhclo_is_read(hat):
    garment, material = read_mhclo(hat / "hat.mhclo", "clothes", hat)
    assert (garment.name, garment.uuid, garment.licence) == ("Sun hat", "1234", "CC0")
    assert (garment.tags, garment.z_depth) == (("hats",), 60)
    assert garment.refs.tolist() == [[7, 7, 7], [10, 11, 12], [20, 21, 22], [30, 30, 30]]
    assert garment.weights.sum(axis=1) == pytest.approx(1)
    assert garment.offsets[1] == pytest.approx([0.1, -0.2, 0.3])
    assert garment.hidden.tolist() == [100, 101, 102, 103, 200, 205, 206]
    assert garment.scale_refs.tolist() == [[5399, 11998], [791, 881], [962, 5320]]
    assert garment.scale_lengths == pytest.approx([1.5, 2.3, 1.9])
    assert garment.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]]
    assert garment.face_uv[2].tolist() == [[0, 1], [1, 1], [1, 0]]
    assert material == TextureSource(hat / "hat.png", hat / "ao.png", False, 1.0)


def test_default_scale_depends_on_the_body_part():
    assert default_scale("clothes", ["Shoes"])[0][0].tolist() == [12839, 12860]
    assert default_scale("clothes", ["casual"])[0][0].tolist() == [3924, 10589]
    assert default_scale("hair", [])[1].all()
    assert not default_scale("eyebrows", [])[1].any()


def test_the_kind_comes_from_the_parent_folders(tmp_path):
    assert item_kind(tmp_path / "Hair" / "a" / "a.mhclo", tmp_path) == "hair"
    assert item_kind(tmp_path / "hair" / "a.mhclo", tmp_path / "hair") == "hair"
    assert item_kind(tmp_path / "b" / "a.mhclo", tmp_path) == "clothes"
    assert item_kind(tmp_path / "skins" / "a.mhclo", tmp_path) == "clothes"
    assert item_kind(tmp_path / "skins" / "a" / "a.mhmat", tmp_path) == "skins"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("refs", [[0, 1, 19_158]] * 4, "vertex 19158 in refs, but there are 19158"),
        ("refs", [[0, 1, -1]] * 4, "indices below 0"),
        ("refs", [[0, 1, 2.5]] * 4, "instead of whole numbers"),
        ("refs", [[0, 1, 2]] * 3, "4 weights for 3 vertices"),
        ("refs", [[0, 1]] * 4, "refs are invalid"),
        ("refs", [], "0 vertices"),
        ("weights", [[0.5, 0.5, float("nan")]] * 4, "weights are not all finite"),
        ("weights", [[1, 0, 0]] * 3 + [[0, -1, 0]], "has no weight above 0"),
        ("offsets", "none", "offsets are invalid"),
        ("faces", [[0, 1, 4]] * 3, "vertex 4 in faces, but there are 4"),
        ("faces", [[0, 1, 10**30]] * 3, "faces are invalid"),
        ("hidden", [20_000], "vertex 20000 in hidden"),
        ("scale_refs", [[1, 2]], "scale_refs are invalid"),
        ("scale_lengths", [1.0, -2.0, 1.0], "must not be negative"),
    ],
)
def test_invalid_arrays_are_refused(model, key, value, says):
    garment = as_garment(model)
    arrays = {
        field.name: getattr(garment, field.name)
        for field in dataclasses.fields(garment)
        if isinstance(getattr(garment, field.name), np.ndarray)
    }
    facts = {
        field.name: getattr(garment, field.name)
        for field in dataclasses.fields(garment)
        if field.name not in arrays
    }
    assert len(garment_from(arrays, facts, "x").refs) == 4
    with pytest.raises(UserError, match=says):
        garment_from(arrays | {key: value}, facts, "x")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("faces", [11, 0, 1, 2]),
        ("faces", [10, 0, 1, 2, 0, 0, 1, 99]),
        ("faces", [10, 0, 1, 2, 0, 0, 1, -1]),
        ("faces", [2, 0, 1, 2, 0]),
        ("faces", ["a"]),
        ("uvs", []),
        ("metadata", 5),
    ],
)
def test_invalid_models_are_user_errors_that_name_them(model, key, value):
    model[key] = value
    with pytest.raises(UserError, match="clothes/fedora"):
        as_garment(model)


def test_models_of_another_base_mesh_are_refused(model):
    model["metadata"]["deleteVerts"].pop()
    with pytest.raises(UserError, match="a base mesh of 19157 vertices"):
        as_garment(model)
    model["metadata"]["basemesh"] = "alpha_7"
    with pytest.raises(UserError, match="base mesh 'alpha_7', not hm08"):
        as_garment(model)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("hat.mhclo", "obj_file hat.obj", "", "no line 'obj_file'"),
        ("hat.mhclo", "basemesh hm08", "basemesh alpha7", "base mesh 'alpha7'"),
        ("hat.mhclo", "0.5 0.25 0.25", "0.5 x 0.25", "hat.mhclo line 16: '10 11 12"),
        ("hat.mhclo", "0.5 0.25 0.25", "0.5 0.25", "line 16"),
        ("hat.mhclo", "\n30\n", "\n", "binds 3 vertices, but hat.obj has 4"),
        ("hat.mhclo", "\n30\n", "\n30000\n", "vertex 30000 in refs"),
        ("hat.mhclo", "obj_file hat.obj", "obj_file ../gone.obj", "leaves"),
        ("hat.mhclo", "obj_file hat.obj", "obj_file gone.obj", r"cannot read .*gone\.obj"),
        ("hat.mhclo", "verts 0", "", "no lines below 'verts'"),
        ("hat.mhclo", "material hat.mhmat", "material gone.mhmat", r"cannot read .*gone\.mhmat"),
        ("hat.mhclo", "100 - 103", "1 - 99999", "line 20: '1 - 99999 200"),
        ("hat.mhclo", "x_scale 5399", "x_scale many", "line 8"),
        ("hat.obj", "f 1/1 2/2 3/3 4/4", "f 1/1 2/2 5/3", "line 9"),
        ("hat.obj", "f 1/1 2/2 3/3 4/4", "f 1 2 3 4", "f v/vt v/vt"),
        ("hat.obj", "f 1/1 2/2 3/3 4/4", "f 1/1 0/2 3/3", "line 9"),
        ("hat.obj", "vt 1 0", "vt 1", "line 6"),
        ("hat.mhmat", "diffuseTexture", "#", "no line .diffuseTexture"),
        ("hat.mhmat", "hat.png", "/etc/passwd", "leaves"),
    ],
)
def test_invalid_makehuman_files_are_user_errors_that_name_the_line(hat, file, old, new, says):
    text = (hat / file).read_text()
    assert old in text
    (hat / file).write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=says) as caught:
        read_mhclo(hat / "hat.mhclo", "clothes", hat)
    assert "\n" not in str(caught.value)


def test_a_binary_mhclo_is_a_user_error(tmp_path):
    (tmp_path / "a.mhclo").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(UserError, match="of MakeHuman: it has no line"):
        read_mhclo(tmp_path / "a.mhclo", "clothes", tmp_path)


def test_other_safetensors_are_user_errors(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"nothing of the kind")
    for name in ("a.safetensors", "gone.safetensors"):
        with pytest.raises(UserError, match=name):
            read_garment(tmp_path / name)


def texture(path, material):
    write_texture(path / "out.webp", material)
    return np.asarray(Image.open(path / "out.webp").convert("RGBA"))


def test_occlusion_darkens_and_opaque_textures_have_no_alpha(hat, tmp_path):
    material = read_mhmat(hat / "hat.mhmat", hat).texture
    out = texture(tmp_path, material)
    assert out.shape == (4, 2, 4)
    assert (out[..., :3] == 40).all()  # 200 · 51 / 255
    assert (out[..., 3] == 255).all()
    (hat / "hat.mhmat").write_text((hat / "hat.mhmat").read_text().replace("False", "True"))
    material = read_mhmat(hat / "hat.mhmat", hat).texture
    assert texture(tmp_path, material)[0, 0, 3] == 7


def test_large_textures_are_resized_without_dark_rims(tmp_path):
    pixels = np.zeros((16, 4096, 4), np.uint8)
    pixels[..., 0] = 180
    pixels[:, ::8, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "big.png")
    out = texture(tmp_path, TextureSource(tmp_path / "big.png", None, True, 1.0))
    assert out.shape == (4, 1024, 4)
    assert (out[..., 0] >= 178).all()
    assert out[..., 3].mean() == pytest.approx(255 / 8, abs=1)


def test_a_missing_or_invalid_texture_is_a_user_error(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(UserError, match=r"texture .*a\.png cannot be read"):
        texture(tmp_path, TextureSource(tmp_path / "a.png", None, True, 1.0))
    with pytest.raises(UserError, match=r"texture .*b\.png is missing"):
        texture(tmp_path, TextureSource(tmp_path / "b.png", None, True, 1.0))


@pytest.mark.parametrize("limit", [15, 7])
def test_a_texture_with_too_many_pixels_is_a_user_error(tmp_path, monkeypatch, recwarn, limit):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # Pillow warns above, raises from twice
    with pytest.raises(UserError, match=r"a\.png is larger than [0-9,]+ pixels"):
        texture(tmp_path, TextureSource(tmp_path / "a.png", None, True, 1.0))
    assert not recwarn.list


def test_deeply_nested_json_is_a_user_error(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match=r"a\.json is not JSON"):
        read_model(tmp_path / "a.json")


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../secret.png"])
def test_a_picture_outside_the_models_folder_is_refused(model, tmp_path, name):
    (tmp_path / "secret.png").touch()
    (tmp_path / "fedora").mkdir()
    model["materials"][0]["mapDiffuse"] = name
    with pytest.raises(UserError, match="leaves"):
        model_texture(model["materials"], tmp_path / "fedora" / "fedora.json", "clothes/fedora")
