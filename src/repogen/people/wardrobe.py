"""Random garments and skins of asset packs and of the user's pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from repogen.assets import assets_dir, check_pack_file, item_picture, pack_dir, read_garment
from repogen.assets.packs import CORE, INDEX, Kind, find_packs
from repogen.assets.sources import source_of
from repogen.errors import UserError
from repogen.people.outfit import (
    OFF_BODY,
    REGIONS,
    Fabric,
    Outfit,
    WornGarment,
    sample_fabric,
)
from repogen.picture_checks import check_rgba
from repogen.usable_files import Usable, file_stamp, find_usable, report_bad

Wardrobe = Literal["auto", "packs", "painted", "sport", "swim", "none"]
"""`painted`: clothes painted on the skin. `packs`: garments of asset packs. `auto`: garments on
four people of five, if there are packs with clothes. `sport`, `swim`: tight suits, painted, with
the hair of packs. `none`: a bare body without hair."""

_PAINTED_SHARE = 0.2
_DYED_SHARE = 0.8
_BAREFOOT_SHARE = 0.15
_HAT_SHARE = 0.1
_PICTURED_SHARE = 0.6
_SPORT_SHOES_SHARE = 0.3
_SWIM_CAP_SHARE = 0.3

_COATS = ((CORE, "male_casualsuit05"), (CORE, "male_elegantsuit01"))
"""Pack and name of the suits with a coat, which nobody wears in bed."""

_UNDER_HAIR = 0.012
"""Metres from the hairline of a garment to the painted hair under it."""

_NOT_CLOTHES = ("hair", "eyebrows", "eyelashes", "skins")


@dataclass(frozen=True)
class PackItem:
    """A garment, hair or skin of an asset pack."""

    pack: str
    kind: Kind
    name: str
    tags: tuple[str, ...]

    def is_for(self, woman: bool) -> bool:
        """Whether it is made for women (else for men), or for everybody."""
        genders = {"male", "female"} & {tag.lower() for tag in self.tags}
        return not genders or ("female" if woman else "male") in genders


@dataclass(frozen=True)
class _Stock:
    """Items by use: suits, shoes, hats, hair, eyebrows, eyelashes, skins."""

    items: dict[str, tuple[PackItem, ...]]
    files: Usable
    """The files of the user's packs, of which bad ones make an item unusable."""


def items_of(packs: Sequence[str]) -> Mapping[str, tuple[PackItem, ...]]:
    """What can be worn of packs, by use: suits, shoes, hats, hair, eyebrows, eyelashes, skins.
    Items whose files cannot be read are left out. Raises `UserError` for a damaged file of `CORE`.
    """
    return _stock(packs).items


def _stock(packs: Sequence[str]) -> _Stock:
    return _stock_of(tuple((name, *file_stamp(pack_dir(name) / INDEX)) for name in packs))


@lru_cache(maxsize=2)
def _stock_of(packs: tuple[tuple[Any, ...], ...]) -> _Stock:
    out: dict[str, list[PackItem]] = {use: [] for use in ("suits", "shoes", "hats", *_NOT_CLOTHES)}
    worn = [
        (pack.name, item, [pack_dir(pack.name) / file for file in item.files])
        for pack in find_packs([name for name, *_ in packs if pack_dir(name).exists()]).values()
        for item in pack.items
        if item.kind == "clothes" or item.kind in _NOT_CLOTHES
    ]
    found = find_usable(
        [path for pack, _, files in worn if pack != CORE for path in files],
        check_item_file,
        str(assets_dir()),
    )
    good = set(found.files)
    for pack_name, item, files in worn:
        if pack_name == CORE:  # it can be read where it is as it was shipped
            for path in files:
                check_pack_file(path)
        elif not good.issuperset(files):
            continue
        choice = PackItem(pack_name, item.kind, item.name, item.tags)
        tags = {tag.lower() for tag in item.tags}
        if item.kind in _NOT_CLOTHES:
            out[item.kind].append(choice)
        else:
            use = next((use for use in ("shoes", "hats") if use in tags), "suits")
            out[use].append(choice)
    return _Stock({use: tuple(choices) for use, choices in out.items()}, found)


def check_item_file(path: Path) -> None:
    """Raises `UserError` for a garment or texture of a pack that cannot be read or has changed."""
    check_pack_file(path)
    if path.suffix == ".safetensors":
        read_garment(path)
    else:
        check_rgba(path)


def check_wardrobe(wardrobe: Wardrobe, packs: Sequence[str]) -> None:
    """Raises `UserError` for a wardrobe `packs` without clothes, and for a damaged file of `CORE`;
    one warning counts the files of other packs that cannot be read."""
    if wardrobe == "painted":
        return
    stock = _stock(packs)
    if wardrobe == "packs" and not stock.items["suits"]:
        if stock.files.bad:
            raise UserError(
                f"--wardrobe packs: no clothes of --packs {' '.join(packs)} can be read: "
                f"{stock.files.bad[0]}; run `repogen assets check`"
            )
        raise UserError(
            f"--wardrobe packs: there are no clothes in --packs {' '.join(packs)}; add {CORE}"
        )
    report_bad("garments of asset packs", stock.files)


def dress(
    rng: np.random.Generator, outfit: Outfit, feminine: float, patterns: bool, wardrobe: Wardrobe,
    packs: Sequence[str], in_bed: bool = False,
) -> Outfit:  # fmt: skip
    """The outfit with random garments of `packs` instead of painted clothes, by `Wardrobe`.

    `feminine`, 0 to 1, is the probability of women's garments; without `patterns` dyed garments
    are plain. `in_bed`, nobody wears shoes, hats or coats.
    """
    if in_bed:
        outfit = replace(outfit, shoes="bare")
    if wardrobe == "painted":
        return outfit
    stock = _stock(packs).items
    painted = rng.random() < _PAINTED_SHARE
    if not stock["suits"] or (wardrobe == "auto" and painted):
        return outfit
    woman = bool(rng.random() < feminine)
    if in_bed:
        light = tuple(suit for suit in stock["suits"] if (suit.pack, suit.name) not in _COATS)
        stock = stock | {"suits": light or stock["suits"], "shoes": (), "hats": ()}
    worn = [_sample_worn(rng, stock["suits"], woman, patterns)]
    if stock["shoes"] and rng.random() >= _BAREFOOT_SHARE:
        worn.append(_sample_worn(rng, stock["shoes"], woman, False))
    if stock["hats"] and rng.random() < _HAT_SHARE:
        worn.append(_sample_worn(rng, stock["hats"], woman, False))
        outfit = replace(outfit, hair="bald" if outfit.hair == "bald" else "shaved")
    return _with_head(rng, _without_painted_clothes(outfit), worn, woman, stock)


def _with_head(
    rng: np.random.Generator,
    outfit: Outfit,
    worn: list[WornGarment],
    woman: bool,
    stock: dict[str, tuple[PackItem, ...]],
) -> Outfit:
    """The outfit with these garments, and hair, brows, lashes and skin of the packs."""
    hair, hairline = outfit.hair, outfit.hairline
    if stock["hair"] and hair not in ("bald", "shaved"):
        worn.append(_sample_hair(rng, stock["hair"], woman, outfit.hair_color))
        # No skin shows between strands.
        hair, hairline = "shaved", hairline - _UNDER_HAIR
    if stock["eyebrows"]:
        worn.append(_sample_hair(rng, stock["eyebrows"], woman, outfit.hair_color))
    if stock["eyelashes"]:
        worn.append(_sample_hair(rng, stock["eyelashes"], woman, None))
    picture = None
    if stock["skins"] and rng.random() < _PICTURED_SHARE:
        skin = _pick(rng, stock["skins"], woman)
        path = item_picture(skin.pack, skin.kind, skin.name)
        picture = source_of(path, pack_dir(skin.pack).parent)
    return replace(outfit, hair=hair, hairline=hairline, worn=tuple(worn), picture=picture)


def dress_tightly(
    rng: np.random.Generator, outfit: Outfit, feminine: float, patterns: bool,
    wardrobe: Literal["sport", "swim"], packs: Sequence[str],
) -> Outfit:  # fmt: skip
    """The outfit with a painted suit for sports or swimming, and the hair of `packs`.

    Women wear suits of one piece; men trunks, or for sports a tight top and shorts or trousers.
    """
    woman = bool(rng.random() < feminine)
    fabric = replace(sample_fabric(rng, patterns), wrinkles=0.05)
    top, sleeve, hem = "bare", 0.0, float(rng.uniform(-0.35, -0.09))
    if woman:
        top, sleeve, hem = "tank", float(rng.uniform(0.165, 0.185)), float(rng.uniform(-0.1, -0.07))
    if wardrobe == "sport" and rng.random() < (0.6 if woman else 0.75):
        top = str(rng.choice(["tank", "t-shirt", "shirt"]))
        sleeve = {"tank": 0.18, "t-shirt": 0.3, "shirt": 0.7}[top]
        hem = float(rng.choice([-0.08, -0.3, -0.85] if woman else [-0.3, -0.4, -0.85]))
    other = replace(sample_fabric(rng, patterns), wrinkles=0.05)
    two = not woman and wardrobe == "sport"
    suit = replace(
        outfit, top=top, top_fabric=fabric, sleeve=sleeve,
        waist=OFF_BODY if top == "bare" else -0.05, neckline=float(rng.uniform(-0.05, 0.0)),
        bottom="trousers" if hem < -0.5 else "shorts", bottom_fabric=other if two else fabric,
        hem=hem, shoes="bare",
    )  # fmt: skip
    stock = _stock(packs).items
    if wardrobe == "swim" and rng.random() < _SWIM_CAP_SHARE:
        cap = sample_fabric(rng, False).color
        bald = _with_head(rng, replace(suit, hair="bald"), [], woman, stock)
        return replace(bald, hair="short", hair_color=cap, hairline=0.0)
    worn = []
    if wardrobe == "sport" and stock["shoes"] and rng.random() < _SPORT_SHOES_SHARE:
        worn.append(_sample_worn(rng, stock["shoes"], woman, False))
    return _with_head(rng, suit, worn, woman, stock)


def undress(outfit: Outfit) -> Outfit:
    """A bare body of the outfit's skin, without hair and brows."""
    return replace(_without_painted_clothes(outfit), hair="none")


def find_textures(folder: Path) -> tuple[Path, ...]:
    """Absolute paths of the pictures below a folder, sorted; one warning counts those left out.

    Raises `UserError` without any.
    """
    suffixes = (".png", ".jpg", ".jpeg", ".webp")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    found = find_usable([path.absolute() for path in paths], check_rgba, str(folder))
    if not found.files:
        first = f", the first because {found.bad[0]}" if found.bad else ""
        raise UserError(
            f"--textures {folder}: none of its {len(paths)} image files can be read{first}"
        )
    report_bad(f"--textures {folder}", found)
    return found.files


def wear_picture(
    rng: np.random.Generator, outfit: Outfit, pictures: Sequence[Path], root: Path
) -> Outfit:
    """The outfit with only a random picture of the folder `root`, which shows skin, hair and
    clothes."""
    picture = source_of(pictures[int(rng.integers(len(pictures)))], root)
    return replace(_without_painted_clothes(outfit), hair="bald", picture=picture)


def _without_painted_clothes(outfit: Outfit) -> Outfit:
    return replace(outfit, top="bare", waist=OFF_BODY, bottom="shorts", hem=OFF_BODY, shoes="bare")


def _sample_worn(
    rng: np.random.Generator, choices: tuple[PackItem, ...], woman: bool, patterns: bool
) -> WornGarment:
    choice = _pick(rng, choices, woman)
    fabrics = tuple(
        sample_fabric(rng, patterns) if rng.random() < _DYED_SHARE else None for _ in range(REGIONS)
    )
    return WornGarment(choice.pack, choice.kind, choice.name, fabrics)


def _sample_hair(
    rng: np.random.Generator, choices: tuple[PackItem, ...], woman: bool, color: str | None
) -> WornGarment:
    choice = _pick(rng, choices, woman)
    dye = Fabric(color, color, "plain", 0.1, 0.1) if color else None
    return WornGarment(choice.pack, choice.kind, choice.name, (dye,) * (REGIONS + 1))


def _pick(rng: np.random.Generator, choices: tuple[PackItem, ...], woman: bool) -> PackItem:
    fitting = [choice for choice in choices if choice.is_for(woman)] or list(choices)
    return fitting[int(rng.integers(len(fitting)))]
