"""Contact sheets: many small images with their skeletons."""

from contextlib import suppress
from typing import Any

import cv2
import numpy as np

from repogen.arrays import UInt8
from repogen.datasets.folder import PICTURE, DatasetFolder
from repogen.datasets.reading import read_entries, read_files
from repogen.errors import UserError, printable
from repogen.labels.stick import draw_skeleton
from repogen.pictures import decode_picture


def contact_sheet(
    folder: DatasetFolder, ids: list[int], columns: int, tile: int
) -> UInt8[np.ndarray, "h w 3"]:
    """A BGR contact sheet of the images `ids`, in the dataset's order, with their skeletons.

    Each image is scaled to fit a square of `tile` pixels; a missing image is black. Captions say
    where the camera is: by the world's vertical and the first person's heading, then by the axes
    of that person's body.
    """
    tiles = [_tile(folder, *entry, tile) for entry in read_entries(folder, ids)]
    tiles += [np.full((tile, tile, 3), 255, np.uint8)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


def _tile(
    folder: DatasetFolder, image: dict[str, Any], annotations: list[dict[str, Any]], tile: int
) -> UInt8[np.ndarray, "h w 3"]:
    picture = None
    with suppress(UserError):  # a black tile shows that the image is missing
        data = read_files(folder, image["id"], (PICTURE,))[PICTURE]
        picture = decode_picture(np.frombuffer(data, np.uint8))
    if picture is None:
        return np.zeros((tile, tile, 3), np.uint8)
    scale = tile / max(picture.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)[:tile, :tile]
    for annotation in annotations:
        scaled = np.array(annotation["keypoints"], dtype=float).reshape(-1, 3)
        scaled[:, :2] *= scale
        draw_skeleton(small, scaled.ravel().tolist(), max(1, round(tile / 170)))
    out = np.full((tile, tile, 3), 255, np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    by_world, by_body = _angles(image["view"]), _angles(image.get("subject_view", image["view"]))
    lines = [f"{image['id']} {image['view']['name']}: {by_world}"]
    if by_body != by_world:
        lines.append(f"by the body: {by_body}")
    height, white = tile // 14, (255, 255, 255)
    strip = out[-height * len(lines) :]
    strip //= 3  # dark, so that the text is readable
    for number, line in enumerate(lines):
        origin = (4, (4 * number + 3) * height // 4)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(strip, printable(line), origin, font, tile / 700, white, 1, cv2.LINE_AA)
    return out


def _angles(view: dict[str, Any]) -> str:
    return f"el {view['elevation_deg']:.0f} az {view['azimuth_deg']:.0f}"
