"""Draw docs/axes.svg: `python docs/axes.py`. World, view, camera and pixel axes in one picture."""

from pathlib import Path

import numpy as np

INK, GREY, RED, GREEN, BLUE, ORANGE = (
    "#222222", "#9aa0a6", "#c62828", "#2e7d32", "#1565c0", "#e65100",
)  # fmt: skip
AZIMUTH, ELEVATION, DISTANCE = 40.0, 35.0, 1.95
"""The camera of the drawing, as `View` has it: degrees, degrees, metres."""


def towards(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """Unit vector from the person to the camera, world frame."""
    a, e = np.radians([azimuth_deg, elevation_deg])
    return np.array([np.cos(e) * np.sin(a), -np.cos(e) * np.cos(a), np.sin(e)])


def right_and_up(azimuth_deg: float, elevation_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """The right and the up of a picture taken from there without roll, world frame."""
    a, e = np.radians([azimuth_deg, elevation_deg])
    right = np.array([np.cos(a), np.sin(a), 0.0])
    return right, np.array([-np.sin(e) * np.sin(a), np.sin(e) * np.cos(a), np.cos(e)])


RIGHT, UP = right_and_up(-32.0, 20.0)
"""From where this drawing is seen."""


def at(point: np.ndarray) -> tuple[float, float]:
    """A world point in the SVG."""
    return 185 + 125 * float(point @ RIGHT), 265 - 125 * float(point @ UP)


def line(a, b, color=INK, width=1.5, dash="", arrow=False) -> str:
    marker = f' marker-end="url(#{color[1:]})"' if arrow else ""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" stroke="{color}" '
        f'stroke-width="{width}" stroke-linecap="round"{dashes}{marker}/>'
    )


def curve(points, color=INK, width=1.5, dash="", fill="none") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{path}" fill="{fill}" stroke="{color}" stroke-width="{width}"{dashes}/>'
    )


def text(x, y, words, color=INK, size=13, anchor="start", weight="normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{words}</text>'
    )


def dot(point, color, radius=4.0) -> str:
    return f'<circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{radius}" fill="{color}"/>'


def world() -> list[str]:
    """The person, the world's axes, the camera and its view."""
    out = [text(20, 28, "World, person and view", size=16, weight="bold")]
    ring = [at(1.15 * towards(a, 0)) for a in range(0, 361, 5)]
    out += [curve(ring, GREY, 1, "3 4")]
    joints = {
        "head": (0, 0, 0.74), "neck": (0, 0, 0.52), "pelvis": (0, 0, 0),
        "ls": (0.19, 0, 0.5), "rs": (-0.19, 0, 0.5), "le": (0.27, 0.02, 0.24),
        "re": (-0.27, 0.02, 0.24), "lw": (0.29, -0.08, 0.0), "rw": (-0.29, -0.08, 0.0),
        "lh": (0.1, 0, 0), "rh": (-0.1, 0, 0), "lk": (0.11, 0, -0.42), "rk": (-0.11, 0, -0.42),
        "la": (0.12, 0.03, -0.83), "ra": (-0.12, 0.03, -0.83), "lt": (0.13, -0.17, -0.88),
        "rt": (-0.13, -0.17, -0.88), "nose": (0, -0.15, 0.72),
    }  # fmt: skip
    spot = {name: at(np.array(point)) for name, point in joints.items()}
    for chain, color in (
        ("neck pelvis", INK), ("head nose", INK), ("neck ls le lw", GREEN),
        ("neck rs re rw", ORANGE), ("pelvis lh lk la lt", GREEN),
        ("pelvis rh rk ra rt", ORANGE),
    ):  # fmt: skip
        out.append(curve([spot[name] for name in chain.split()], color, 4))
    out.append(dot(spot["head"], INK, 11))
    origin = at(np.zeros(3))
    for axis, label, length, shift in (
        ((1, 0, 0), "x: the subject's left", 1.3, (5, 2)),
        ((0, 1, 0), "y: back", 0.95, (-48, -6)),
        ((0, 0, 1), "z: up", 1.2, (-10, -8)),
    ):
        end = at(length * np.array(axis, float))
        out.append(line(origin, end, BLUE, 2, arrow=True))
        out.append(text(end[0] + shift[0], end[1] + shift[1], label, BLUE))
    front = at(1.15 * towards(0, 0))
    out += [line(origin, front, GREY, 1, "3 4")]
    out += [text(front[0] - 16, front[1] + 18, "azimuth 0: the subject faces -y", GREY, 12)]
    eye = DISTANCE * towards(AZIMUTH, ELEVATION)
    ground = 1.15 * towards(AZIMUTH, 0)
    out += [line(origin, at(ground), RED, 1, "3 4"), line(origin, at(eye), RED, 1.5)]
    out.append(curve([at(0.75 * towards(a, 0)) for a in np.linspace(0, AZIMUTH, 20)], RED, 2))
    out.append(
        curve([at(0.95 * towards(AZIMUTH, e)) for e in np.linspace(0, ELEVATION, 20)], RED, 2)
    )
    x, y = at(0.8 * towards(AZIMUTH * 0.5, 0))
    out.append(text(x + 3, y + 12, "azimuth", RED, 12))
    x, y = at(0.98 * towards(AZIMUTH, ELEVATION * 0.2))
    out.append(text(x + 4, y + 4, "elevation", RED, 12))
    middle = at(0.62 * eye)
    out.append(text(middle[0] - 62, middle[1] - 6, "distance", RED, 12))
    right, up = right_and_up(AZIMUTH, ELEVATION)
    for axis, label, shift in (
        (right, "x right", (4, 0)), (-up, "y down", (5, 12)),
        (-towards(AZIMUTH, ELEVATION), "z forward", (-70, 2)),
    ):  # fmt: skip
        end = at(eye + 0.33 * axis)
        out.append(line(at(eye), end, INK, 2, arrow=True))
        out.append(text(end[0] + shift[0], end[1] + shift[1], label, INK, 12))
    out.append(dot(at(eye), INK, 5))
    out.append(text(at(eye)[0] - 8, at(eye)[1] - 9, "camera", INK, 13, "end", "bold"))
    out.append(
        text(
            origin[0] - 12, 408, "origin: the middle of the first person's hips", BLUE, 12, "middle"
        )
    )
    return out


def picture() -> list[str]:
    """The picture's coordinates and the axes of the normals."""
    left, top, width, height = 470, 70, 190, 190
    out = [text(450, 28, "Picture and normals", size=16, weight="bold")]
    out.append(
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#f5f5f5" '
        f'stroke="{INK}"/>'
    )
    out += [
        line((left, top), (left + 70, top), RED, 2.5, arrow=True),
        line((left, top), (left, top + 70), RED, 2.5, arrow=True),
        dot((left, top), RED),
        text(left - 6, top - 9, "(0, 0)", RED, 12),
        text(left + 76, top + 16, "x", RED), text(left + 8, top + 80, "y", RED),
        text(left + width, top + height + 17, "(width, height)", RED, 12, "end"),
    ]  # fmt: skip
    cx, cy = left + 112, top + 118
    out += [
        line((cx, cy), (cx + 52, cy), GREEN, 2.5, arrow=True),
        line((cx, cy), (cx, cy - 52), GREEN, 2.5, arrow=True),
        f'<circle cx="{cx}" cy="{cy}" r="8" fill="none" stroke="{GREEN}" stroke-width="2.5"/>',
        dot((cx, cy), GREEN, 2.5),
        text(cx + 44, cy - 9, "n.x", GREEN, 12), text(cx + 7, cy - 46, "n.y", GREEN, 12),
        text(cx - 14, cy + 26, "n.z: towards the camera", GREEN, 12, "middle"),
    ]  # fmt: skip
    for row, words in enumerate(
        ("Camera frame: x right, y down, z forward", "(OpenCV's). Normals: y up, z out of",
         "the picture, stored as 128 + 127 n.")
    ):  # fmt: skip
        out.append(text(450, 312 + 18 * row, words, INK, 12))
    return out


def pixels() -> list[str]:
    """The upper left pixels, in our coordinates and in COCO's."""
    left, top, step = 760, 84, 60
    out = [text(735, 28, "The picture's first pixels", size=16, weight="bold")]
    for k in range(4):
        out.append(line((left + k * step, top), (left + k * step, top + 3 * step), INK, 1))
        out.append(line((left, top + k * step), (left + 3 * step, top + k * step), INK, 1))
        out.append(text(left + k * step, top - 8, str(k), RED, 12, "middle"))
        out.append(text(left - 9, top + k * step + 4, str(k), RED, 12, "end"))
    out += [
        dot((left, top), RED),
        dot((left + step / 2, top + step / 2), BLUE),
        dot((left + 3 * step / 2, top + step / 2), BLUE),
    ]
    for row, (words, color) in enumerate(
        (("Files of repogen: edges are whole numbers,", RED),
         ("the first pixel's centre is (0.5, 0.5).", RED),
         ("COCO, OpenCV: centres are whole numbers,", BLUE),
         ("the first pixel's centre is (0, 0).", BLUE),
         ("So x_coco = x_repogen - 0.5.", INK))
    ):  # fmt: skip
        out.append(text(735, 294 + 18 * row, words, color, 12))
    return out


def main() -> None:
    """Write the drawing beside this file."""
    markers = "".join(
        f'<marker id="{c[1:]}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="5" '
        f'markerHeight="5" orient="auto"><path d="M0 0L10 5L0 10z" fill="{c}"/></marker>'
        for c in (INK, RED, GREEN, BLUE)
    )
    body = "\n".join(world() + picture() + pixels())
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1040 420" width="1040" height="420" '
        f'font-family="DejaVu Sans, Helvetica, Arial, sans-serif">\n<defs>{markers}</defs>\n'
        f'<rect width="1040" height="420" fill="white"/>\n{body}\n</svg>\n'
    )
    Path(__file__).with_suffix(".svg").write_text(svg)


if __name__ == "__main__":
    main()
