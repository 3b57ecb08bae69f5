"""The entries of a COCO file before its images."""

from typing import Any

from repogen.coco.names import CATEGORY


def coco_header(run: dict[str, Any]) -> dict[str, Any]:
    """The entries before the images of a dataset's COCO file, or of its manifest; `run` is its
    run.json, whose SHA-256 the finished dataset adds to `info`."""
    output = run["config"]["output"]
    return {
        "info": {
            "description": "Synthetic people by repogen",
            "version": run["versions"].get("repogen"),
            "contributor": "repogen",
            "label_convention": output["label_convention"],
            "occluded": output["occluded"],
            "pixel_centers": 0.5,
        },
        "licenses": [],
        "categories": [CATEGORY],
    }
