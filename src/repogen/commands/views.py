"""`repogen views`: camera views in a COCO-keypoints file."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return command


def command(annotations: Positional[Path], out: Path = Path("views"), min_joints: int = 6) -> int:
    """Estimate and chart the camera's direction for each person in a COCO-keypoints file.

    Args:
        annotations: A COCO-keypoints file, or a dataset of repogen; images are not needed.
        out: Folder to write views.html, views.json, sphere.png and bands.png to.
        min_joints: Smallest number of labelled joints; persons with fewer are left out.
    """
    from repogen.viewpoint_estimation.charting import chart_views, views_text

    print(views_text(chart_views(annotations, out, min_joints)))
    names = ("views.html", "sphere.png", "bands.png", "views.json")
    print(f"\n{', '.join(str(out / name) for name in names)}")
    return 0
