"""Random garments of installed packs."""

import json

import numpy as np
import pytest

from repogen.errors import UserError
from repogen.people.outfit import sample_outfit
from repogen.people.wardrobe import check_wardrobe, dress

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
    items = [
        {"kind": kind, "name": name, "uuid": "", "licence": "CC0", "files": {}, "tags": tags}
        for kind, name, tags in ITEMS
    ]
    index = {"name": "mine", "version": "1", "source": "here", "items": items}
    (folder / "pack.json").write_text(json.dumps(index))
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path))


def outfits(wardrobe, feminine, count=60):
    rng = np.random.default_rng(3)
    return [
        dress(rng, sample_outfit(rng, feminine), feminine, True, wardrobe) for _ in range(count)
    ]


def names(outfit):
    return {worn.name for worn in outfit.worn}


def test_without_packs_clothes_are_painted():
    assert all(outfit.worn == () for outfit in outfits("auto", 0.5))
    with pytest.raises(UserError, match="repogen assets add makehuman"):
        check_wardrobe("packs")


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
        assert outfit.hair == "bald" or not names(outfit) & {"bob", "crop", "cap"}


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
        pictures = [outfit.picture for outfit in worn if outfit.picture]
        assert set(pictures) == {f"mine/skins/{own}.png"}
        assert 0.5 < len(pictures) / len(worn) < 0.7


@pytest.mark.usefixtures("stocked")
def test_garments_of_a_removed_pack_are_not_worn(tmp_path):
    assert all(outfit.worn for outfit in outfits("packs", 0.5, 5))
    (tmp_path / "mine").rename(tmp_path.parent / f"{tmp_path.name}-away")
    assert not any(outfit.worn for outfit in outfits("auto", 0.5))
