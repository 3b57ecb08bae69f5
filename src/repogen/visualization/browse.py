"""The page that pages and filters a dataset's images, without a server."""

import base64
import json
import os
from contextlib import suppress
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np

from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.cameras.viewpoints import BANDS
from repogen.datasets.folder import PICTURE, DatasetFolder
from repogen.datasets.reading import read_entries, read_files
from repogen.datasets.shards import ShardFolder
from repogen.errors import UserError
from repogen.labels.stick import SIDE_COLORS
from repogen.messages import html_text
from repogen.pages.frame import page, paragraph
from repogen.pictures import decode_picture, encode_jpeg

MOST_IMAGES = 10_000
"""Images on the page at most, at uniform steps through the dataset; 10,000 are about 3 MB."""

MOST_COPIES = 1_000
"""The same for images in shards, of which the page holds small copies: browsers read no tar files.
"""

_COPY_SIDE, _COPY_QUALITY = 320, 75
"""Longer side in pixels, and JPEG quality, of a copy; a thousand are about 15 MB."""

_FORM = """<form id="filters">
<label>view<select name="view"><option value="">all</option>{views}</select></label>
<label>elevation of the camera<select name="elevation">
<option value="">all</option>{bands}</select></label>
<label>visible keypoints, at least<input name="visible" type="number" min="0" max="17"></label>
<label>person's longer side, px, from<input name="least" type="number" min="0"></label>
<label>to<input name="most" type="number" min="0"></label>
<label>order<select name="order"><option value="id">id</option>
<option value="visible">fewest visible keypoints first</option>
<option value="small">smallest people first</option>
<option value="large">largest people first</option></select></label>
<label>images a page<select name="per">
<option>48</option><option>12</option><option>120</option></select></label>
<label>skeletons<input name="skeletons" type="checkbox" checked></label>
<label>page<input name="page" type="number" min="1" value="1"></label>
<button type="button" id="back">back</button><button type="button" id="on">next</button>
</form>"""


def browsed_ids(folder: DatasetFolder, count: int) -> list[int]:
    """The ids that the page of a dataset of `count` images shows."""
    return uniform_ids(count, MOST_COPIES if isinstance(folder, ShardFolder) else MOST_IMAGES)


def uniform_ids(count: int, shown: int) -> list[int]:
    """At most `shown` of the image ids 1 to `count`, at uniform steps."""
    shown = min(shown, count)
    return sorted({1 + i * count // shown for i in range(shown)})


def browse_html(folder: DatasetFolder, ids: list[int], target: Path) -> str:
    """A page of the images `ids` that can be paged, filtered by view, elevation, visibility and
    size, and sorted. It shows the dataset's own pictures, by their paths from the folder `target`,
    and of shards small copies, which it holds itself.

    An image is shown where one of its people passes the filters.
    """
    views: dict[str, int] = {}
    images = [_image(*entry, views) for entry in read_entries(folder, ids)]
    if isinstance(folder, ShardFolder):
        images = [image | _copy(folder, image["id"]) for image in images]
    data = {
        "folder": f"{quote(os.path.relpath(folder.image(1).parent, target).replace(os.sep, '/'))}/",
        "views": list(views),
        "limbs": [[a, b, _limb_color(a, b)] for a, b in COCO_SKELETON],
        "colors": [_color(_side(name)) for name in COCO_KEYPOINTS],
        "images": images,
    }
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    body = [
        paragraph(
            f"{_about(folder)} An image is shown where one of its people passes; the address of "
            "this page holds the filters. The left side is green, the right orange; occluded "
            "keypoints are hollow.",
            "note",
        ),
        _FORM.format(
            views="".join(f"<option>{html_text(name)}</option>" for name in sorted(views)),
            bands="".join(
                f'<option value="{low} {high}">{low}° … {high}°</option>'
                for low, high in pairwise(BANDS)
            ),
        ),
        '<p id="count" aria-live="polite"></p><div id="grid"></div>',
        f'<script type="application/json" id="images">{text}</script>',
    ]
    script = (files("repogen.visualization") / "browse.js").read_text()
    return page("preview", f"{folder.root.name}: images", [], body, script)


def _about(folder: DatasetFolder) -> str:
    if not isinstance(folder, ShardFolder):
        return "Click on a picture to open it."
    return (
        f"The pictures are copies of at most {_COPY_SIDE} pixels; the whole ones are in the shards."
    )


def _copy(folder: DatasetFolder, image_id: int) -> dict[str, str]:
    """A small JPEG of an image in base64; nothing where it cannot be read."""
    picture = None
    with suppress(UserError):
        data = read_files(folder, image_id, (PICTURE,))[PICTURE]
        picture = decode_picture(np.frombuffer(data, np.uint8))
    if picture is None:
        return {}
    scale = min(1.0, _COPY_SIDE / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return {"copy": base64.b64encode(encode_jpeg(small, _COPY_QUALITY)).decode()}


def _image(
    image: dict[str, Any], annotations: list[dict[str, Any]], views: dict[str, int]
) -> dict[str, Any]:
    """An image and its people: visible keypoints, longer side in pixels, elevation, keypoints."""
    view = views.setdefault(image["view"]["name"], len(views))
    people = []
    for annotation in annotations:
        joints = np.array(annotation["keypoints"][:51], dtype=float).reshape(-1, 3)
        rounded = np.rint(joints).astype(int).ravel().tolist()
        side = round(max(annotation["bbox"][2:]))
        elevation = round(annotation["view"]["elevation_deg"], 1)
        people.append([int((joints[:, 2] == 2).sum()), side, elevation, rounded])
    size = {name: image[name] for name in ("id", "width", "height")}
    return size | {"view": view, "people": people}


def _side(name: str) -> str:
    side = name.split("_")[0]
    return side if side in SIDE_COLORS else "middle"


def _limb_color(a: int, b: int) -> str:
    one, other = _side(COCO_KEYPOINTS[a]), _side(COCO_KEYPOINTS[b])
    return _color(one if one == other else "middle")


def _color(side: str) -> str:
    blue, green, red = SIDE_COLORS[side]
    return f"#{red:02x}{green:02x}{blue:02x}"
