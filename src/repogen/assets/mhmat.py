"""MakeHuman's materials, .mhmat."""

from dataclasses import dataclass
from pathlib import Path

from repogen.assets.foreign import find_file, read_text, stated_licence
from repogen.assets.textures import Material
from repogen.errors import UserError

_PICTURES = (
    "diffusetexture", "diffusemaptexture", "albedotexture", "albedomaptexture",
    "basecolortexture", "basecolormaptexture",
)  # fmt: skip
"""What the colour is called, in small letters: MakeHuman's key and MPFB's other names for it."""


@dataclass(frozen=True)
class MaterialFile:
    """What is used of a file."""

    material: Material
    two_sided: bool
    licence: str
    """In its own words; empty where it states none."""


def read_mhmat(path: Path, root: Path) -> MaterialFile:
    """A material whose pictures lie below `root`. Raises `UserError` where it names none."""
    text = read_text(path)
    values: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2 and not words[0].startswith(("#", "//")):
            values.setdefault(words[0].lower(), words[1].strip())
    picture = next((values[key] for key in _PICTURES if key in values), None)
    if picture is None:
        raise UserError(f"{path} names no diffuseTexture")
    shade = values.get("aomaptexture")
    material = Material(
        picture=find_file(path, picture, root),
        occlusion=find_file(path, shade, root) if shade else None,
        transparent=_is_true(values.get("transparent", "false")),
        opacity=1.0,
    )
    two_sided = not _is_true(values.get("backfacecull", "false"))
    return MaterialFile(material, two_sided, stated_licence(text))


def _is_true(word: str) -> bool:
    return word.lower() in ("true", "t", "1", "yes")
