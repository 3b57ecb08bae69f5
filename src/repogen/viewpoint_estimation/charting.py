"""`repogen views`: the camera directions in a COCO-keypoints file."""

import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from repogen.arrays import Float
from repogen.cameras.viewpoints import BANDS
from repogen.coco.annotations import PersonAnnotations, read_person_annotations
from repogen.config import checked
from repogen.datasets.reading import open_coco_folder
from repogen.errors import UserError
from repogen.outputs import OutputFolder
from repogen.viewpoint_estimation.figures import bands_figure, sphere_figure
from repogen.viewpoint_estimation.mixture import mode
from repogen.viewpoint_estimation.page import views_html
from repogen.viewpoint_estimation.regressor import estimate_views
from repogen.viewpoint_estimation.sphere import (
    CELL_AREAS,
    QUADRANTS,
    angles_between_deg,
    angles_to_directions,
    cell_shares,
    directions_to_angles,
    distribution_over_cells,
    smoothed_cells,
    sum_by_band,
)
from repogen.viewpoint_estimation.trained import TrainedRegressor, error_summary, load_regressor
from repogen.viewpoint_estimation.training_data import MIN_JOINTS


@checked
def chart_views(
    annotations: Path | str,
    out: Path | str = Path("views"),
    min_joints: int = 6,
    regressor: TrainedRegressor | None = None,
) -> dict[str, Any]:
    """Estimate the camera direction from each person of a COCO-keypoints file, and chart them.

    Writes views.html, views.json, sphere.png and bands.png into `out` and returns the content of
    views.json: the shares of people by elevation and side, the direction of each person (azimuth
    0 = in front, 90 = at the subject's left; elevation 90 = straight above the body, whatever its
    rotation in the image) with the expected error, and the regressor's error on held-out
    generated people. Where the file holds views, as our datasets do, they are charted too, with
    the error of the estimates. Crowds and persons with fewer than `min_joints` labelled joints are
    left out. `annotations` is a file or one of our datasets; images are not read.

    Without `regressor`, one is trained on this machine at the first call and cached. Raises
    `UserError` for a file that cannot be read, where nobody is left, and where a file in `out` is
    not of an earlier call.

    >>> chart = repogen.chart_views("labelled.json")  # doctest: +SKIP
    """
    if not MIN_JOINTS <= min_joints <= 17:
        raise UserError(f"--min-joints {min_joints} must lie between {MIN_JOINTS} and 17")
    path, out = Path(annotations), Path(out)
    written = OutputFolder(out, "views")
    written.check(*(out / name for name in ("views.html", "sphere.png", "bands.png", "views.json")))
    if path.is_dir():
        path = open_coco_folder(path).annotations
    everybody = read_person_annotations(path.stem, path, path.parent)
    people = _select_people(everybody, min_joints)
    regressor = regressor or load_regressor()
    mixture = estimate_views(regressor.network, people.keypoints)
    found = mode(mixture).numpy().astype(np.float64)
    spread = distribution_over_cells(mixture, found)
    labelled = people.views[:, :2]
    truth, known = angles_to_directions(*labelled.T), np.isfinite(labelled).all(axis=1)
    charts = {"estimated": spread.cells}
    report: dict[str, Any] = {
        "annotations": str(annotations),
        "persons": len(people),
        "left_out": len(everybody) - len(people),
        "min_joints": min_joints,
        "shares": _share_rows(spread.cells),
        "expected_error_deg": round(float(spread.expected_deg.mean()), 2),
        "held_out_error_deg": regressor.held_out,
    }
    if known.any():
        charts["views in the file"] = smoothed_cells(truth[known]).cells
        report["shares_in_file"] = _share_rows(cell_shares(truth[known]))
        report["error_deg"] = error_summary(angles_between_deg(found, truth)[known])
    report["people"] = _direction_rows(people, found, spread.expected_deg)
    title = f"{'/'.join(Path(annotations).resolve().parts[-2:])}, {len(people):,} people"
    written.write(out / "sphere.png", _png(sphere_figure(title, charts)))
    written.write(out / "bands.png", _png(bands_figure(title, charts)))
    written.write(out / "views.html", views_html(title, report, charts).encode())
    written.write(out / "views.json", (json.dumps(report, indent=1) + "\n").encode())
    return report


def views_text(report: dict[str, Any]) -> str:
    """The result of `chart_views` as a table of shares, with the errors below."""
    lines = [
        f"{report['persons']} persons, {report['left_out']} left out (crowds, fewer than "
        f"{report['min_joints']} labelled joints)",
        "",
        f"{'elevation':<14}" + "".join(f"{side:>8}" for side in (*QUADRANTS, "all", "sphere")),
    ]
    in_file = {tuple(row["elevation_deg"]): row for row in report.get("shares_in_file", [])}
    if in_file:
        lines[-1] += f"{'in file':>9}"
    total = dict.fromkeys((*QUADRANTS, "all", "even_sphere"), 0.0)
    for row in reversed(report["shares"]):
        low, high = row["elevation_deg"]
        lines.append(f"{low:>4}° … {high:>3}°  " + "".join(f"{row[k]:>8.1%}" for k in total))
        if in_file:
            lines[-1] += f"{in_file[low, high]['all']:>9.1%}"
        total = {k: v + row[k] for k, v in total.items()}
    lines += [f"{'all':<14}" + "".join(f"{v:>8.1%}" for v in total.values()), ""]
    if "error_deg" in report:
        lines.append(f"error against the views in the file: {_error_text(report['error_deg'])}")
    lines.append(f"expected mean error on this file: {report['expected_error_deg']:.1f}°")
    lines += [
        f"error on held-out generated people, {row['joints']}: {_error_text(row)}"
        for row in report["held_out_error_deg"]
        if row["elevation_deg"] == [BANDS[0], BANDS[-1]]
    ]
    return "\n".join(lines)


def _select_people(people: PersonAnnotations, min_joints: int) -> PersonAnnotations:
    labelled = (people.keypoints[:, :, 2] > 0).sum(axis=1)
    used = people.take(np.flatnonzero((labelled >= min_joints) & ~people.crowd))
    if len(used) == 0:
        most = int(labelled.max(initial=0))
        raise UserError(
            f"{people.name}: none of {len(people)} persons has {min_joints} labelled joints (the "
            f"most is {most}); lower --min-joints or give a file with keypoints"
        )
    return used


def _share_rows(cells: Float[np.ndarray, "36 72"]) -> list[dict[str, Any]]:
    rows = []
    uniform = sum_by_band(CELL_AREAS).sum(axis=1)
    for limits, sides, sphere in zip(pairwise(BANDS), sum_by_band(cells), uniform, strict=True):
        shares = dict(zip(QUADRANTS, sides, strict=True)) | {"all": sides.sum()}
        rows.append(
            {"elevation_deg": list(limits)}
            | {k: round(float(v), 5) for k, v in shares.items()}
            | {"even_sphere": round(float(sphere), 5)}
        )
    return rows


def _direction_rows(
    people: PersonAnnotations, found: Float[np.ndarray, "n 3"], expected: Float[np.ndarray, " n"]
) -> list[dict[str, Any]]:
    return [
        {
            "annotation_id": int(person),
            "image_id": people.image_ids[image].item(),
            "azimuth_deg": round(float(azimuth), 1),
            "elevation_deg": round(float(elevation), 1),
            "expected_error_deg": round(float(error), 1),
        }
        for person, image, (azimuth, elevation), error in zip(
            people.ids, people.image, directions_to_angles(found), expected, strict=True
        )
    ]


def _error_text(row: dict[str, Any]) -> str:
    return (
        f"median {row['median']:.1f}°, mean {row['mean']:.1f}°, quartiles "
        f"{row['lower_quartile']:.1f}° and {row['upper_quartile']:.1f}° ({row['persons']} persons)"
    )


def _png(figure: Figure) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, dpi=120)
    return data.getvalue()
