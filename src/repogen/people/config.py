"""The options of people: how many, where, their bodies and clothes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from repogen.bodies import check_body
from repogen.bodies.shapes import parse_ages, parse_genders
from repogen.config import Config
from repogen.errors import UserError, check_between, check_counts
from repogen.limits import MAX_PEOPLE
from repogen.people.wardrobe import Wardrobe, find_textures


@dataclass(frozen=True, init=False)
class PeopleConfig(Config):
    """How many people there are, where, and their bodies and clothes."""

    people: tuple[int, int] = (1, 1)
    """Range of the number of people, 1 to 100, each number equally likely. People for whom there is
    no free position are left out."""
    ground: Literal["air", "floor", "bed", "wall"] = "air"
    """Where people are: air, the others at random heights around the first; floor, everybody
    touches one floor, which is the background's, with the lowest part of body or clothes, and the
    camera is above it; bed, one person without shoes and coat on a mattress, mostly below a
    blanket (give --orientation lying); wall, one person on a climbing wall."""
    balance: bool = False
    """With ground floor or bed: everybody's weight rests on what touches it. People are tipped by
    up to 25 degrees until it does; a random or measured pose that it takes more for is drawn again,
    at most 20 times, then the best of them is used. With orientation lying, so is a pose that
    props the trunk up on a limb."""
    spread: float = 1.5
    """Radius around the first person in metres, 0 to 100, within which the others are."""
    body: Literal["anny", "smplx", "smplh", "smpl"] = "anny"
    """Body model; the SMPL models need your own files (body-path)."""
    body_path: Path | None = None
    """Folder of the body model's files; anny needs none."""
    ages: tuple[Literal["children", "adults", "elders"], ...] = ("adults",)
    """Age groups, each equally likely."""
    gender: tuple[Literal["male", "female", "neutral"], ...] = ("male", "female", "neutral")
    """Genders, each equally likely; of the SMPL models only those whose files there are."""
    wardrobe: Wardrobe = "auto"
    """packs: garments of asset packs (option packs). painted: clothes painted on the skin. auto:
    garments on four people of five, painted clothes on the others. sport, swim: tight suits and
    trunks, mostly bare feet. none: a bare body without hair."""
    textures: Path | None = None
    """Folder of images to put on the skin by the body's texture coordinates, clothes included (as
    in SURREAL, for SMPL); nothing else is worn then."""
    patterns: bool = True
    """Print stripes, checks and other patterns on clothes; without, each has one colour."""
    styles: bool = True
    """Wear garments of asset packs in random styles: sleeves and trouser legs may be shortened or
    rolled up, tops loose or tucked in; without, all are as they were made."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range, and options that contradict each other."""
        check_counts("--people", self.people, 1, MAX_PEOPLE)
        check_between("--spread", self.spread, 0, 100)
        if self.balance and not self.on_floor:
            raise UserError("--balance needs --ground floor or bed")
        if self.ground in ("bed", "wall") and self.people != (1, 1):
            raise UserError(f"--ground {self.ground} holds one person; leave out --people")
        parse_ages(self.ages)
        parse_genders(self.gender)
        if self.wardrobe == "none" and "children" in self.ages:
            raise UserError(
                "--wardrobe none is for adults and elders; leave children out of --ages"
            )

    def check_files(self) -> None:
        """Raise `UserError` for a body or textures whose files are not there."""
        check_body(self.body, self.body_path)
        if self.textures is not None:
            _ = self.texture_files

    @property
    def on_floor(self) -> bool:
        """Whether people stand or lie on the background's floor, or on a bed there."""
        return self.ground in ("floor", "bed")

    @cached_property
    def texture_files(self) -> tuple[Path, ...]:
        """The images in the folder `textures`. Read once for each config."""
        assert self.textures is not None
        return find_textures(self.textures)
