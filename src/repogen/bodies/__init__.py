"""Parametric bodies behind one protocol."""

from functools import lru_cache
from pathlib import Path

from repogen.bodies.protocol import LAYERS, PARTS, Body, PosedBody, Surface
from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.bodies.smpl_files import FAMILIES, find_model_files
from repogen.config import checked
from repogen.errors import UserError, unknown_choice


def check_body(name: str, path: Path | None) -> None:
    """Raises `UserError` for an unknown body, and for a folder that is missing or not needed."""
    if name in FAMILIES:
        family = FAMILIES[name]
        if path is None:
            raise UserError(
                f"--body {name} needs --body-path, the folder with your {family.title} files; "
                f"they are available from https://{family.site}"
            )
        find_model_files(path, family)
    elif name != "anny":
        raise unknown_choice("body", name, ["anny", *FAMILIES])
    elif path is not None:
        raise UserError(
            f"--body-path {path}: anny needs no files; leave it out or choose another --body"
        )


@checked
def load_body(name: str = "anny", device: str = "cpu", path: Path | str | None = None) -> Body:
    """The body model `name`: anny, or smplx, smplh or smpl from the user's files in `path`.

    The last two models are cached. The first load of anny on a machine takes minutes. Raises
    `UserError` for an unknown name, and where the model's files are missing or broken.

    >>> body = repogen.load_body("anny")
    >>> posed = body.pose(shape={"age": 0.6}, face={}, angles={"left_elbow": (0, -90, 0)})
    >>> posed.keypoints.shape
    (17, 3)
    """
    return _load_body(name, device, None if path is None else Path(path))


@lru_cache(maxsize=2)
def _load_body(name: str, device: str, path: Path | None) -> Body:
    check_body(name, path)
    if path is not None:
        from repogen.bodies.smpl import SmplBody

        return SmplBody(name, path, device)
    from repogen.bodies.anny import AnnyBody

    return AnnyBody(device)


__all__ = [
    "COCO_KEYPOINTS",
    "COCO_SKELETON",
    "LAYERS",
    "PARTS",
    "Body",
    "PosedBody",
    "Surface",
    "check_body",
    "load_body",
]
