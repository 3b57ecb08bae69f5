"""Choosing from what asset packs and a user's pictures offer to wear."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from repogen.assets import assets_dir, installed
from repogen.errors import UserError, unknown_choice
from repogen.people.outfit import REGIONS, Fabric, Outfit, Worn, sample_fabric
from repogen.pictures import has_picture_header

WARDROBES = ("auto", "packs", "painted")
"""`painted` wears clothes painted on the skin; `packs` garments of installed asset packs; `auto`
both where there are packs."""

_PAINTED_SHARE = 0.2
_DYED_SHARE = 0.8
_BAREFOOT_SHARE = 0.15
_HAT_SHARE = 0.1
_PICTURED_SHARE = 0.6
_NOWHERE = 9.0
_OTHERS = ("hair", "eyebrows", "eyelashes", "skins")


@dataclass(frozen=True)
class _Choice:
    pack: str
    kind: str
    name: str
    tags: tuple[str, ...]

    def fits(self, feminine: bool) -> bool:
        own = {"male", "female"} & {tag.lower() for tag in self.tags}
        return not own or ("female" if feminine else "male") in own


def _stock() -> dict[str, tuple[_Choice, ...]]:
    """Installed items by what they are: suits, shoes, hats, hair, brows, lashes, skins."""
    files = sorted(assets_dir().glob("*/pack.json"))
    return _stock_of(tuple((str(f), f.stat().st_ino, f.stat().st_mtime_ns) for f in files))


@lru_cache(maxsize=2)
def _stock_of(_packs: tuple[tuple[str, int, int], ...]) -> dict[str, tuple[_Choice, ...]]:
    out: dict[str, list[_Choice]] = {what: [] for what in ("suits", "shoes", "hats", *_OTHERS)}
    for pack in installed().values():
        for item in pack.items:
            choice = _Choice(pack.name, item.kind, item.name, item.tags)
            tags = {tag.lower() for tag in item.tags}
            if item.kind in _OTHERS:
                out[item.kind].append(choice)
            elif item.kind == "clothes":
                special = next((kind for kind in ("shoes", "hats") if kind in tags), "suits")
                out[special].append(choice)
    return {what: tuple(choices) for what, choices in out.items()}


def check_wardrobe(wardrobe: str) -> None:
    """Raises `UserError` for an unknown wardrobe, or for `packs` where none has clothes."""
    if wardrobe not in WARDROBES:
        raise unknown_choice("wardrobe", wardrobe, WARDROBES)
    if wardrobe == "packs" and not _stock()["suits"]:
        raise UserError(
            "--wardrobe packs: no clothes installed; run `repogen assets add makehuman`"
        )


def dress(
    rng: np.random.Generator, outfit: Outfit, feminine: float, patterns: bool, wardrobe: str
) -> Outfit:
    """The outfit with garments instead of its painted clothes, by `WARDROBES`."""
    if wardrobe == "painted":
        return outfit
    stock = _stock()
    painted = rng.random() < _PAINTED_SHARE
    if not stock["suits"] or (wardrobe == "auto" and painted):
        return outfit
    woman = bool(rng.random() < feminine)
    worn = [_sample_worn(rng, stock["suits"], woman, patterns)]
    if stock["shoes"] and rng.random() >= _BAREFOOT_SHARE:
        worn.append(_sample_worn(rng, stock["shoes"], woman, False))
    hair = outfit.hair
    if stock["hats"] and rng.random() < _HAT_SHARE:
        worn.append(_sample_worn(rng, stock["hats"], woman, False))
        hair = "bald"
    elif stock["hair"] and hair != "bald":
        worn.append(_sample_hair(rng, stock["hair"], woman, outfit.hair_color))
        hair = "bald"
    if stock["eyebrows"]:
        worn.append(_sample_hair(rng, stock["eyebrows"], woman, outfit.hair_color))
    if stock["eyelashes"]:
        worn.append(_sample_hair(rng, stock["eyelashes"], woman, None))
    picture = None
    if stock["skins"] and rng.random() < _PICTURED_SHARE:
        skin = _pick(rng, stock["skins"], woman)
        picture = f"{skin.pack}/{skin.kind}/{skin.name}.png"
    return replace(_undressed(outfit), hair=hair, worn=tuple(worn), picture=picture)


def find_textures(folder: Path) -> tuple[Path, ...]:
    """Pictures in a folder and those below, in order. Raises `UserError` where there are none."""
    kinds = (".png", ".jpg", ".jpeg", ".webp")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in kinds)
    good = tuple(path.resolve() for path in paths if has_picture_header(path))
    if not good:
        raise UserError(f"--textures {folder}: none of its {len(paths)} files is a picture")
    return good


def wear_picture(rng: np.random.Generator, outfit: Outfit, pictures: Sequence[Path]) -> Outfit:
    """The outfit without anything but a picture that skin, hair and clothes are in."""
    picture = pictures[int(rng.integers(len(pictures)))]
    return replace(_undressed(outfit), hair="bald", picture=str(picture))


def _undressed(outfit: Outfit) -> Outfit:
    return replace(outfit, top="bare", waist=_NOWHERE, bottom="shorts", hem=_NOWHERE, shoes="bare")


def _sample_worn(
    rng: np.random.Generator, choices: tuple[_Choice, ...], woman: bool, patterns: bool
) -> Worn:
    choice = _pick(rng, choices, woman)
    fabrics = tuple(
        sample_fabric(rng, patterns) if rng.random() < _DYED_SHARE else None for _ in range(REGIONS)
    )
    return Worn(choice.pack, choice.kind, choice.name, fabrics)


def _sample_hair(
    rng: np.random.Generator, choices: tuple[_Choice, ...], woman: bool, color: str | None
) -> Worn:
    choice = _pick(rng, choices, woman)
    dye = Fabric(color, color, "plain", 0.1, 0.1) if color else None
    return Worn(choice.pack, choice.kind, choice.name, (dye,) * (REGIONS + 1))


def _pick(rng: np.random.Generator, choices: tuple[_Choice, ...], woman: bool) -> _Choice:
    fitting = [choice for choice in choices if choice.fits(woman)] or list(choices)
    return fitting[int(rng.integers(len(fitting)))]
