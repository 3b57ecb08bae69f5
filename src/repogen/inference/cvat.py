"""Export to CVAT: a skeleton label, and annotations in the format CVAT 1.1.

Elements and attributes follow https://docs.cvat.ai/docs/other/xml_format and the Raw tab of
CVAT's label editor.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.errors import printable
from repogen.inference.drawing import joint_colors
from repogen.inference.exports import ExportedPerson, FramePoses, exported_persons
from repogen.outputs import OutputFolder

_TEMPLATE_JOINTS = (
    (50, 10), (53, 7), (47, 7), (57, 10), (43, 10), (63, 24), (37, 24), (70, 40), (30, 40),
    (74, 55), (26, 55), (58, 54), (42, 54), (60, 75), (40, 75), (61, 95), (39, 95),
)  # fmt: skip
"""COCO keypoints of a person facing the viewer, in percent of the skeleton template's square."""


def write_cvat(out: OutputFolder, folder: Path, found: list[FramePoses], min_score: float) -> None:
    """Write labels.json (paste it into the Raw tab of a new task's labels), images.xml for the
    task of all images, and an XML file for the task of each video.

    Joints that score less than `min_score` are marked outside, at their estimated positions.
    """
    out.write_text(folder / "labels.json", [json.dumps([skeleton_label()], indent=1), "\n"])
    tasks: dict[str, list[FramePoses]] = defaultdict(list)
    for f in found:
        tasks["images" if f.frame < 0 else f.name].append(f)
    for name, images in tasks.items():
        out.write_text(folder / f"{name}.xml", _document(images, min_score))


def skeleton_label() -> dict[str, Any]:
    """The label "person", a skeleton of the COCO keypoints, for the Raw tab of CVAT."""
    return {
        "name": "person",
        "type": "skeleton",
        "color": "#3399ff",
        "attributes": [{"name": "score", "input_type": "text", "mutable": False, "values": [""]}],
        "sublabels": [
            {"name": name, "type": "points", "color": color, "attributes": []}
            for name, color in zip(COCO_KEYPOINTS, joint_colors(), strict=True)
        ],
        "svg": _template(),
    }


def _template() -> str:
    """The SVG edges and nodes; CVAT adds the svg element."""
    out = []
    for a, b in COCO_SKELETON:
        (x1, y1), (x2, y2) = _TEMPLATE_JOINTS[a], _TEMPLATE_JOINTS[b]
        out.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="black" stroke-width="0.5" '
            f'data-type="edge" data-node-from="{a + 1}" data-node-to="{b + 1}"></line>'
        )
    for k, (name, (x, y)) in enumerate(zip(COCO_KEYPOINTS, _TEMPLATE_JOINTS, strict=True), 1):
        out.append(
            f'<circle r="1.5" cx="{x}" cy="{y}" stroke="black" stroke-width="0.1" fill="#b3b3b3" '
            f'data-type="element node" data-element-id="{k}" data-node-id="{k}" '
            f'data-label-name="{name}"></circle>'
        )
    return "".join(out)


def _document(images: list[FramePoses], min_score: float) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
    for i, f in enumerate(images):
        image = ElementTree.Element(
            "image",
            id=str(i),
            # CVAT's own names of video frames.
            name=printable(f.name) if f.frame < 0 else f"frame_{f.frame:06d}",
            width=str(f.width),
            height=str(f.height),
        )
        for person in exported_persons(f, min_score):
            image.append(_skeleton(person, f))
        ElementTree.indent(image, " ")
        yield ElementTree.tostring(image, encoding="unicode") + "\n"
    yield "</annotations>\n"


def _skeleton(person: ExportedPerson, f: FramePoses) -> ElementTree.Element:
    out = ElementTree.Element("skeleton", label="person", source="auto", occluded="0", z_order="0")
    # In CVAT (0, 0) is the image's corner.
    points = np.clip(person.keypoints[:, :2] + 0.5, 0, (f.width, f.height))
    for name, (x, y), labelled in zip(COCO_KEYPOINTS, points, person.labelled, strict=True):
        outside = "0" if labelled else "1"
        ElementTree.SubElement(
            out, "points", label=name, source="auto", outside=outside, occluded="0",
            points=f"{x:.2f},{y:.2f}",
        )  # fmt: skip
    ElementTree.SubElement(out, "attribute", name="score").text = f"{person.score:.3f}"
    return out
