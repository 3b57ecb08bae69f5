"""`repogen views`: which camera views a COCO-keypoints file holds."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return command


def command(annotations: Positional[Path], out: Path = Path("views"), min_joints: int = 6) -> int:
    """Chart where the people of a COCO-keypoints file were seen from.

    Args:
        annotations: A COCO-keypoints file, or a dataset of ours; no image is needed.
        out: A folder to write views.json, sphere.png and bands.png to.
        min_joints: Persons with fewer labelled joints are left out.
    """
    from repogen.viewpoint_estimation.charting import chart_views, views_text

    print(views_text(chart_views(annotations, out, min_joints)))
    print(f"\n{out / 'sphere.png'}, {out / 'bands.png'}, {out / 'views.json'}")
    return 0
