"""Read MakeHuman's materials, .mhmat."""

from dataclasses import dataclass
from pathlib import Path

from repogen.assets.text_files import find_file, read_text, stated_licence
from repogen.assets.textures import TextureSource
from repogen.errors import UserError

_COLOR_KEYS = (
    "diffusetexture", "diffusemaptexture", "albedotexture", "albedomaptexture",
    "basecolortexture", "basecolormaptexture",
)  # fmt: skip
"""Lower-case keys of the colour texture: MakeHuman's, then MPFB's."""


@dataclass(frozen=True)
class MaterialFile:
    """The texture, culling and licence of a .mhmat file."""

    texture: TextureSource
    two_sided: bool
    licence: str
    """As the file states it; empty if it states none."""


def read_mhmat(path: Path, root: Path) -> MaterialFile:
    """A material whose pictures lie below `root`. Raises `UserError` if it names none."""
    text = read_text(path)
    values: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2 and not words[0].startswith(("#", "//")):
            values.setdefault(words[0].lower(), words[1].strip())
    picture = next((values[key] for key in _COLOR_KEYS if key in values), None)
    if picture is None:
        raise UserError(f"{path} has no line 'diffuseTexture'")
    occlusion = values.get("aomaptexture")
    texture = TextureSource(
        picture=find_file(path, picture, root),
        occlusion=find_file(path, occlusion, root) if occlusion else None,
        transparent=_is_true(values.get("transparent", "false")),
        opacity=1.0,
    )
    two_sided = not _is_true(values.get("backfacecull", "false"))
    return MaterialFile(texture, two_sided, stated_licence(text))


def _is_true(word: str) -> bool:
    return word.lower() in ("true", "t", "1", "yes")
