"""Garments are cut along a line and rolled up without gaps."""

from collections import Counter

import numpy as np
import pytest

from repogen.people.cutting import cut, mix, roll, uncut

WIDTH, THICK = 0.05, 0.01


def tube(rings=9, around=16):
    """A sleeve along x from 0 to 0.4 metres, and its vertices."""
    angle, x = np.meshgrid(
        np.linspace(0, 2 * np.pi, around, endpoint=False), np.linspace(0, 0.4, rings)
    )
    points = np.stack([x, 0.05 * np.cos(angle), 0.05 * np.sin(angle)], axis=-1).reshape(-1, 3)
    i, k = np.meshgrid(np.arange(rings - 1) * around, np.arange(around), indexing="ij")
    after = (k + 1) % around
    a, b, c, d = (v.ravel() for v in (i + k, i + after, i + around + after, i + around + k))
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return uncut(faces, len(points)), points, points[faces]


def vertices(cloth, corners):
    out = np.zeros((cloth.count, 3))
    out[cloth.faces] = cloth.interpolate(corners)
    return out


def area(points, faces):
    a, b, c = points[faces].swapaxes(0, 1)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def open_edges(faces):
    """Directed edges without the opposite one."""
    edges = Counter((int(f[i]), int(f[(i + 1) % 3])) for f in faces for i in range(3))
    assert max(edges.values()) == 1
    return [edge for edge in edges if edge[::-1] not in edges]


@pytest.mark.parametrize("line", [0.02, 0.131, 0.25, 0.399])
def test_what_is_cut_ends_on_the_line_and_nowhere_else(line):
    whole, points, corners = tube()
    short = cut(whole, points[:, 0] - line)
    at = vertices(short, corners)
    assert len(at) == short.count
    assert at[short.faces][..., 0].max() == pytest.approx(line)
    assert area(at, short.faces) == pytest.approx(area(points, whole.faces) * line / 0.4)
    ends = {round(float(x), 9) for edge in open_edges(short.faces) for x in at[list(edge), 0]}
    assert ends == {0.0, round(line, 9)}


def test_parts_of_a_face_lie_in_it_and_share_their_corners():
    whole, points, corners = tube()
    short = cut(whole, points[:, 0] - 0.131)
    assert (short.weights >= 0).all()
    assert short.weights.sum(axis=2) == pytest.approx(1)
    own = short.interpolate(corners)
    new = mix(points, *short.added(whole.faces, len(points)))
    assert new == pytest.approx(vertices(short, corners)[len(points) :])
    assert own == pytest.approx(vertices(short, corners)[short.faces])
    assert own == pytest.approx(np.einsum("fck,fkd->fcd", short.weights, corners[short.sources]))


@pytest.mark.parametrize("line", [0.4, 1.0])
def test_a_line_past_the_end_changes_nothing(line):
    whole, points, _ = tube()
    assert cut(whole, points[:, 0] - line) is whole


def test_nothing_is_left_before_the_line():
    whole, points, _ = tube()
    assert not len(cut(whole, points[:, 0] + 1).faces)


def rolled(line=0.23):
    whole, points, corners = tube()
    short = cut(whole, points[:, 0] - line)
    beyond = vertices(short, corners)[:, 0] - line
    out = roll(short, beyond, beyond + WIDTH)
    return short, out, vertices(out, corners)


def test_a_rolled_hem_lies_over_the_end_of_the_cloth_and_is_as_wide_as_asked():
    short, out, at = rolled()
    assert (out.faces[: len(short.faces)] == short.faces).all()
    along = at[out.outer][..., 0]
    assert along.min() == pytest.approx(0.23 - WIDTH)
    assert along.max() == pytest.approx(0.23)
    end = short.faces[(at[short.faces][..., 0] > 0.23 - WIDTH + 1e-9).all(axis=1)]
    assert area(at, out.outer) >= area(at, end)
    assert area(at, out.outer) == pytest.approx(area(at, short.faces) * WIDTH / 0.23)


def test_a_rolled_hem_is_closed_and_faces_outwards():
    short, out, at = rolled()
    lifted = np.unique(out.outer)
    normal = at[lifted] * [0, 1, 1]
    at[lifted] += THICK * normal / np.linalg.norm(normal, axis=1, keepdims=True)
    hem = out.faces[len(short.faces) :]
    a, b, c = at[hem].swapaxes(0, 1)
    # The hem is a ring around x: its faces point away from the circle in its middle.
    away = (a + b + c) / 3 - [0.23 - WIDTH / 2, 0, 0]
    radial = away[:, 1:] / np.linalg.norm(away[:, 1:], axis=1, keepdims=True)
    away[:, 1:] -= (0.05 + THICK / 2) * radial
    assert ((np.cross(b - a, c - a) * away).sum(axis=1) > 0).all()
    lines = {round(float(at[v, 0]), 9) for edge in open_edges(hem) for v in edge}
    assert lines == {0.18, 0.23}, "only where it lies on the cloth is it open"
