"""Read MakeHuman's materials, .mhmat."""

from dataclasses import dataclass
from pathlib import Path

from repogen.assets.text_files import find_file, read_text, stated_licence
from repogen.assets.textures import TextureSource, parse_color
from repogen.errors import UserError

_COLOR_KEYS = (
    "diffusetexture", "diffusemaptexture", "albedotexture", "albedomaptexture",
    "basecolortexture", "basecolormaptexture",
)  # fmt: skip
"""Lower-case keys of the colour texture: MakeHuman's, then MPFB's."""

_PLAIN_KEYS = ("diffusecolor", "diffuse_color", "albedocolor", "basecolor")
"""Lower-case keys of the colour of a surface without a texture, which MakeHuman gives as sRGB."""


@dataclass(frozen=True)
class MaterialFile:
    """The texture, culling and licence of a .mhmat file."""

    texture: TextureSource
    two_sided: bool
    licence: str
    """As the file states it; empty if it states none."""


def read_mhmat(path: Path, root: Path) -> MaterialFile:
    """A material whose pictures lie below `root`, or of one colour where it names no picture.

    Raises `UserError` if it has neither.
    """
    text = read_text(path)
    values: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2 and not words[0].startswith(("#", "//")):
            values.setdefault(words[0].lower(), words[1].strip())
    picture = next((values[key] for key in _COLOR_KEYS if key in values), None)
    color = next((values[key] for key in _PLAIN_KEYS if key in values), None)
    if picture is None and color is None:
        raise UserError(f"{path} has no line 'diffuseTexture' and no 'diffuseColor'")
    occlusion = values.get("aomaptexture")
    texture = TextureSource(
        picture=find_file(path, picture, root) if picture else _plain(color or "", path),
        occlusion=find_file(path, occlusion, root) if occlusion else None,
        transparent=_is_true(values.get("transparent", "false")),
        opacity=1.0,
    )
    two_sided = not _is_true(values.get("backfacecull", "false"))
    return MaterialFile(texture, two_sided, stated_licence(text))


def _plain(color: str, path: Path) -> tuple[int, int, int]:
    try:
        return parse_color(color.split()[:3])
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _is_true(word: str) -> bool:
    return word.lower() in ("true", "t", "1", "yes")
