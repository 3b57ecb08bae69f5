"""Parametric bodies behind one protocol."""

from functools import lru_cache
from pathlib import Path

from repogen.bodies.protocol import LAYERS, PARTS, Body, PosedBody, Surface
from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.bodies.smpl_files import FAMILIES, find_model_files
from repogen.errors import UserError, unknown_choice


def check_body(name: str, path: Path | None) -> None:
    """Raises `UserError` for what `load_body` would refuse before it reads a file."""
    if name in FAMILIES:
        family = FAMILIES[name]
        if path is None:
            raise UserError(
                f"--body {name} needs --body-path, the folder of the {family.title} files you "
                f"have from https://{family.site}"
            )
        find_model_files(path, family)
    elif name != "anny":
        raise unknown_choice("body", name, ["anny", *FAMILIES])
    elif path is not None:
        raise UserError(f"--body-path {path}: anny needs no files; name another body with --body")


@lru_cache(maxsize=2)
def load_body(name: str = "anny", device: str = "cpu", path: Path | None = None) -> Body:
    """A body model by name, kept for the next call: anny, or smplx, smplh or smpl from the
    user's own files in the folder `path`. anny's first load ever takes minutes.

    Raises `UserError` for an unknown name, and for a folder missing, without the model's files
    or with broken ones.
    """
    check_body(name, path)
    if path is not None:
        from repogen.bodies.smpl import SmplBody

        return SmplBody(name, Path(path), device)
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
