"""Random garments of installed packs."""

import re

import numpy as np
import pytest
from PIL import Image

from repogen import generate, rerender
from repogen.assets import Garment
from repogen.assets.packs import make_item, write_index
from repogen.cli import main
from repogen.errors import UserError
from repogen.people import garments, wardrobe
from repogen.people.outfit import sample_outfit
from repogen.people.wardrobe import check_wardrobe, dress, dress_tightly
from repogen.scenes import SceneConfig, sample_scene

ITEMS = (
    ("clothes", "suit", ["male"]),
    ("clothes", "dress", ["female"]),
    ("clothes", "boots", ["shoes"]),
    ("clothes", "cap", ["hats"]),
    ("hair", "bob", ["female"]),
    ("hair", "crop", ["male"]),
    ("eyebrows", "thick", []),
    ("eyelashes", "long", []),
    ("skins", "his", ["male"]),
    ("skins", "hers", ["female"]),
)


@pytest.fixture
def stocked(tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "skins").mkdir()
    items = []
    for kind, name, tags in ITEMS:
        path = folder / f"skins/{name}.png"
        if kind == "skins":
            Image.new("RGBA", (8, 8), (9, 99, len(items), 255)).save(path)
        items.append(make_item(folder, [path] * path.exists(), kind, name, "", "CC0", tags))
    write_index(folder, "mine", "1", "here", items)
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path))


def outfits(kind, feminine, count=60):
    rng = np.random.default_rng(3)
    return [
        dress(rng, sample_outfit(rng, feminine), feminine, True, kind, ["mine"])
        for _ in range(count)
    ]


def names(outfit):
    return {worn.name for worn in outfit.worn}


def test_without_packs_clothes_are_painted():
    assert all(outfit.worn == () for outfit in outfits("auto", 0.5))
    with pytest.raises(UserError, match=r"there are no clothes in --packs ; add core"):
        check_wardrobe("packs", ())


@pytest.mark.usefixtures("stocked")
def test_people_wear_garments_tagged_for_their_gender():
    for feminine, own, other in ((1.0, "dress", "suit"), (0.0, "suit", "dress")):
        for outfit in outfits("packs", feminine):
            assert own in names(outfit)
            assert other not in names(outfit)


@pytest.mark.usefixtures("stocked")
def test_the_share_of_people_in_garments_depends_on_the_wardrobe():
    assert all(outfit.worn for outfit in outfits("packs", 0.5))
    share = np.mean([bool(outfit.worn) for outfit in outfits("auto", 0.5, 300)])
    assert 0.7 < share < 0.9
    assert not any(outfit.worn for outfit in outfits("painted", 0.5))


@pytest.mark.usefixtures("stocked")
def test_garments_replace_painted_clothes():
    for outfit in outfits("packs", 0.5):
        assert (outfit.top, outfit.waist, outfit.hem, outfit.shoes) == ("bare", 9.0, 9.0, "bare")


def tight(kind, feminine):
    rng = np.random.default_rng(3)
    plain = [sample_outfit(rng, feminine) for _ in range(60)]
    return [(one, dress_tightly(rng, one, feminine, True, kind, ["mine"])) for one in plain]


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize("kind", ["sport", "swim"])
def test_tight_suits_are_painted_below_real_hair(kind):
    worn = [outfit for _, outfit in tight(kind, 0.0) + tight(kind, 1.0)]
    assert {len(names(outfit) & {"suit", "dress", "cap"}) for outfit in worn} == {0}
    assert all(outfit.shoes == "bare" and outfit.hem < -0.05 for outfit in worn)
    assert any("bob" in names(outfit) for outfit in worn)
    boots = [("boots" in names(outfit)) for outfit in worn]
    assert any(boots) == (kind == "sport")
    assert not all(boots)


@pytest.mark.usefixtures("stocked")
def test_only_men_swim_with_a_bare_chest_and_suits_of_women_have_one_fabric():
    women, men = [outfit for _, outfit in tight("swim", 1.0)], tight("swim", 0.0)
    assert all(outfit.top != "bare" for outfit in women)
    assert all(outfit.top_fabric == outfit.bottom_fabric for outfit in women)
    assert all(outfit.top == "bare" for _, outfit in men)


@pytest.mark.usefixtures("stocked")
def test_some_swimmers_wear_a_cap_and_keep_the_colour_of_their_brows():
    pairs = tight("swim", 0.5)
    capped = [(before, after) for before, after in pairs if before.hair_color != after.hair_color]
    assert 0.1 < len(capped) / len(pairs) < 0.5
    for before, after in capped:
        assert after.hair == "short"
        brows = next(w for w in after.worn if w.kind == "eyebrows")
        assert brows.fabrics[0].color == before.hair_color


@pytest.mark.usefixtures("stocked")
def test_hair_has_the_persons_colour_and_is_not_worn_with_hats():
    worn = outfits("packs", 0.5, 200)
    for outfit in worn:
        hair = [w for w in outfit.worn if w.kind == "hair"]
        assert all(w.fabrics[0].color == outfit.hair_color for w in hair)
        assert not (hair and "cap" in names(outfit))
    assert any("cap" in names(outfit) for outfit in worn)


@pytest.mark.usefixtures("stocked")
def test_hair_of_a_pack_replaces_painted_hair():
    for outfit in outfits("packs", 0.5, 200):
        flat = outfit.hair in ("bald", "shaved")
        assert flat or not names(outfit) & {"bob", "crop", "cap"}
        assert outfit.hair == "shaved" or not names(outfit) & {"bob", "crop"}


@pytest.mark.usefixtures("stocked")
def test_everyone_wears_brows_and_lashes_and_some_a_skin():
    for feminine, own in ((0.0, "his"), (1.0, "hers")):
        worn = outfits("packs", feminine, 200)
        for outfit in worn:
            brows, lashes = (
                next(w for w in outfit.worn if w.kind == kind) for kind in ("eyebrows", "eyelashes")
            )
            assert brows.fabrics[0].color == outfit.hair_color
            assert lashes.fabrics[0] is None
        pictures = [outfit.picture.name for outfit in worn if outfit.picture]
        assert set(pictures) == {f"mine/skins/{own}.png"}
        assert 0.5 < len(pictures) / len(worn) < 0.7


@pytest.mark.usefixtures("stocked")
def test_garments_of_a_removed_pack_are_not_worn(tmp_path):
    assert all(outfit.worn for outfit in outfits("packs", 0.5, 5))
    (tmp_path / "mine").rename(tmp_path.parent / f"{tmp_path.name}-away")
    assert not any(outfit.worn for outfit in outfits("auto", 0.5))


@pytest.fixture
def two_suits(tmp_path, monkeypatch, small_garment):
    """A pack with the suits `good` and `bad`, and skins of these names."""
    from repogen.assets.garments import write_garment

    folder = tmp_path / "packs" / "mine"
    items = []
    for name in ("good", "bad"):
        mesh, texture = (folder / f"clothes/{name}.{end}" for end in ("safetensors", "png"))
        write_garment(mesh, small_garment)
        skin = folder / f"skins/{name}.png"
        for path in (texture, skin):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGBA", (64, 64), (9, 99, 9, 255)).save(path)
        items.append(make_item(folder, [mesh, texture], "clothes", name, "", "CC0", ()))
        items.append(make_item(folder, [skin], "skins", name, "", "CC0", ()))
    write_index(folder, "mine", None, "here", items)
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "packs"))
    wardrobe._stock_of.cache_clear()
    garments.fitted_garment.cache_clear()
    yield folder
    wardrobe._stock_of.cache_clear()
    garments.fitted_garment.cache_clear()


@pytest.fixture(scope="module")
def small_garment():
    """Two triangles on the base mesh's first vertices."""
    count = 4
    return Garment(
        kind="clothes", name="suit", uuid="1", licence="ours",
        refs=np.repeat(np.arange(count)[:, None], 3, axis=1).astype(np.int32),
        weights=np.tile(np.float32([1, 0, 0]), (count, 1)),
        offsets=np.zeros((count, 3), np.float32),
        scale_refs=np.zeros((3, 2), np.int32), scale_lengths=np.zeros(3, np.float32),
        faces=np.int32([[0, 1, 2], [0, 2, 3]]),
        face_uv=np.tile(np.float32([[0, 0], [1, 0], [0, 1]]), (2, 1, 1)),
        hidden=np.zeros(0, np.int32), z_depth=50, tags=(), two_sided=True,
    )  # fmt: skip


@pytest.mark.parametrize("file", ["clothes/bad.safetensors", "clothes/bad.png"])
def test_a_bad_garment_is_left_out_and_named_once(two_suits, capsys, file):
    path = two_suits / file
    path.write_bytes(path.read_bytes()[:-30])
    for _ in range(2):
        check_wardrobe("packs", ["mine"])
    assert {name for outfit in outfits("packs", 0.5) for name in names(outfit)} == {"good"}
    said = capsys.readouterr().err
    assert said.count("1 of 6 files left out, the first because") == 1
    assert said.count(str(path)) == 1


def test_only_bad_garments_are_a_user_error(two_suits):
    for path in two_suits.glob("clothes/*.safetensors"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"no clothes of --packs mine can be read: .*\.safetensors"):
        check_wardrobe("packs", ["mine"])


@pytest.mark.parametrize("file", ["clothes/bad.safetensors", "clothes/bad.png", "skins/bad.png"])
def test_a_garment_that_goes_bad_during_a_run_is_drawn_again(two_suits, body, file):
    config = SceneConfig(wardrobe="packs", packs="mine", image_size=64, backgrounds="plain")
    sample_scene(config, 0, 0, body)
    (two_suits / file).write_bytes(b"")
    garments.fitted_garment.cache_clear()
    scenes = [sample_scene(config, 0, index, body) for index in range(1, 9)]
    again = [scene for scene in scenes if scene.unreadable]
    assert again
    assert all(file in reason for scene in again for reason in scene.unreadable)
    kind = file.split("/")[0]
    for scene in scenes:
        outfit = scene.people[0].outfit
        shown = [outfit.picture] if outfit.picture else []
        used = [item.name for item in (shown if kind == "skins" else outfit.worn)]
        assert not any("bad" in name for name in used)
    assert scenes == [sample_scene(config, 0, index, body) for index in range(1, 9)]


def test_a_dataset_whose_pack_is_gone_is_one_line(two_suits, body, tmp_path, capsys):
    options = {"wardrobe": "packs", "packs": "mine", "backgrounds": "plain", "image_size": 64}
    out = generate(tmp_path / "data", images=1, workers=1, **options)
    assert main(["validate", str(out), "--rerender", "1", "--workers", "1"]) == 0
    two_suits.rename(tmp_path / "away")
    garments.fitted_garment.cache_clear()
    capsys.readouterr()
    says = r"clothes/(good|bad) of the asset pack mine is not installed; restore it"
    with pytest.raises(UserError, match=says):
        rerender(out, ids=1, out=tmp_path / "again")
    assert main(["validate", str(out), "--rerender", "1", "--workers", "1"]) != 0
    warning, error = capsys.readouterr().err.strip().splitlines()
    assert re.search(r"they need the asset pack mine \w+ of run\.json$", warning)
    assert re.search(says, error)
