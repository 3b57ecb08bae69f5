"""Numbers of the joints drawn on a body, as SVG."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.messages import html_text
from repogen.pages.frame import figure
from repogen.pages.scales import diverging, scale_html, sequential

_RIGHT_HALF = {
    "eye": (-20, 28), "ear": (-46, 38), "shoulder": (-52, 100), "elbow": (-78, 158),
    "wrist": (-92, 212), "hip": (-30, 206), "knee": (-36, 284), "ankle": (-40, 360),
}  # fmt: skip
"""x and y of the joints of the subject's right side, who faces the viewer, so it is on the left."""

_NOSE = (0, 48)


def joint_place(name: str) -> tuple[float, float]:
    """x and y (down) of a joint in the drawing; the subject's left is at positive x."""
    if name == "nose":
        return _NOSE
    side, _, joint = name.partition("_")
    x, y = _RIGHT_HALF[joint]
    return (x, y) if side == "right" else (-x, y)


def body_figures(
    scores: Mapping[str, Mapping[str, float]], differences: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    """A body with the mean OKS of each joint for each model, and one for each model's difference
    from the first; both by model, then by the joint's COCO name, NaN where it has no labels."""
    for model, values in scores.items():
        legend = scale_html("0", "1", "OKS", empty="no labels")
        yield figure("", body_svg(model, values, 1.0), legend)
    for model, values in differences.items():
        highest = max((abs(v) for v in values.values() if not math.isnan(v)), default=0.0) or 1.0
        title = f"{model} − {next(iter(scores))}"
        legend = scale_html(f"{-highest:.2f}", f"+{highest:.2f}", "OKS", signed=True)
        yield figure("", body_svg(title, values, highest, signed=True), legend)


def body_svg(title: str, values: Mapping[str, float], highest: float, signed: bool = False) -> str:
    """A body with the value of each joint, by its COCO name, as number and colour.

    NaN is grey, without a number. `highest` has the brightest colour; with `signed` the scale goes
    from -highest over 0 to it.
    """
    names = list(values)
    shares = np.array([values[name] for name in names], dtype=float) / highest
    colors = (diverging if signed else sequential)(np.nan_to_num(shares))
    fills = ["var(--empty)" if np.isnan(s) else c for s, c in zip(shares, colors, strict=True)]
    limbs = "".join(
        f'<line x1="{a[0]}" y1="{a[1]}" x2="{b[0]}" y2="{b[1]}"/>'
        for a, b in (
            (joint_place(COCO_KEYPOINTS[i]), joint_place(COCO_KEYPOINTS[j]))
            for i, j in COCO_SKELETON
        )
    )
    joints = []
    for name, fill in zip(names, fills, strict=True):
        (x, y), value = joint_place(name), values[name]
        text = "" if np.isnan(value) else f"{value:{'+' if signed else ''}z.2f}"
        joints.append(
            f'<circle cx="{x}" cy="{y}" r="9" style="fill:{fill}" stroke="var(--paper)">'
            f"<title>{html_text(name.replace('_', ' '))} {text}</title></circle>"
            + _label(name, x, y, text)
        )
    return (
        f'<svg viewBox="-150 -18 300 402" width="300" role="img" aria-label="{html_text(title)}" '
        f'font-size="12"><text x="0" y="-5" text-anchor="middle">{html_text(title)}</text>'
        f'<g stroke="var(--line)" stroke-width="7" stroke-linecap="round">{limbs}</g>'
        f"{''.join(joints)}</svg>"
    )


def _label(name: str, x: float, y: float, text: str) -> str:
    """The number beside a joint, on the outer side; that of the nose and the eyes where there is
    room."""
    if name == "nose":
        return f'<text x="0" y="{y + 23}" text-anchor="middle">{text}</text>'
    if name.endswith("_eye"):
        return f'<text x="{1.1 * x:.0f}" y="{y - 12}" text-anchor="middle">{text}</text>'
    anchor, dx = ("end", -13) if x < 0 else ("start", 13)
    return f'<text x="{x + dx}" y="{y + 4}" text-anchor="{anchor}">{text}</text>'
