"""The parts of pages: escaping, tables with intervals, maps, and Matplotlib's figures as SVG."""

import math
import re

import numpy as np
import pytest

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.pages.body_map import body_svg, joint_place
from repogen.pages.frame import page, paragraph, person, picture, section
from repogen.pages.scales import diverging, sequential
from repogen.pages.sphere_map import mollweide, ring_edges, sphere_svg
from repogen.pages.tables import Cell, Table, table_html

ODD = "<b>&\"'</b>"
ESCAPED = "&lt;b&gt;&amp;&quot;&#x27;&lt;/b&gt;"


def test_a_page_escapes_all_text():
    parts = [section(ODD, paragraph(ODD), person(ODD, picture(ODD, b"x"))), section("Second")]
    text = page(ODD, ODD, [ODD], parts)
    assert "<b>" not in text
    # The kind, two titles, a sentence, a link, a heading, a paragraph, a caption, alt and title.
    assert text.count(ESCAPED) == 10


def test_a_page_links_its_sections_and_no_other_file():
    text = page("test", "A page", [], [section("First part"), section("Second part")])
    assert re.findall(r'href="([^"]*)"', text) == ["#first-part", "#second-part"]
    assert re.findall(r'<h2 id="([^"]*)"', text) == ["first-part", "second-part"]
    assert "http" not in text
    assert "prefers-color-scheme: dark" in text


def test_a_table_holds_values_to_sort_by_and_draws_intervals():
    rows = (
        ("one", (Cell("0.2", "0.1–0.4", False, 0.2, 0.1, 0.4), Cell("–"))),
        ("two", (Cell("+0.1", "+0.0…+0.2", True, 0.1, 0.0, 0.2, signed=True), Cell("7", value=7))),
    )
    text = table_html(Table("t", ("", "a", "b"), rows))
    assert re.findall(r'data-value="([^"]*)"', text) == ["0.2", "0.1", "7"]
    places = re.findall(r"--low:([\d.]+)%;--high:([\d.]+)%;--value:([\d.]+)%", text)
    plain, signed = (tuple(map(float, place)) for place in places)
    assert plain == (25, 100, 50)  # of 0 to 0.4
    assert signed == (50, 100, 75)  # of -0.2 to 0.2
    assert '<td class="significant" data-value="0.1">+0.1*' in text


@pytest.mark.parametrize(
    ("azimuth", "elevation", "x", "y"),
    [(0, 0, 0, 0), (180, 0, 2, 0), (-90, 0, -1, 0), (0, 90, 0, -1), (0, -90, 0, 1)],
)
def test_known_places_of_the_projection(azimuth, elevation, x, y):
    found = mollweide(np.array([float(azimuth)]), np.array([float(elevation)]))
    assert found[0] == pytest.approx([x, y], abs=1e-6)


def area(path):
    x, y = np.array([list(map(float, p.split())) for p in path.split("L")]).T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def test_cells_of_equal_area_have_equal_area_on_the_map():
    values = np.arange(6 * 12, dtype=float).reshape(6, 12)
    text = sphere_svg("m", values, 71.0, lambda ring, sector: f"{ring} {sector}")
    areas = [area(path) for path in re.findall(r'd="M([^"]*)Z"', text)]
    assert len(areas) == 72
    assert sum(areas) == pytest.approx(math.pi * 200 * 100, rel=0.02)
    assert max(areas) < 1.06 * min(areas)


def test_cells_without_people_are_grey_and_each_cell_has_its_text():
    values = np.array([[np.nan, 1.0], [0.0, 0.5]])
    text = sphere_svg(ODD, values, 1.0, lambda ring, sector: f"{ring} & {sector}")
    assert text.count("fill:var(--empty)") == 1
    assert "<title>1 &amp; 0</title>" in text
    assert ESCAPED in text
    assert ring_edges(2).tolist() == [-90, 0, 90]


def test_a_body_shows_every_joint_with_its_number():
    values = {name: k / 20 for k, name in enumerate(COCO_KEYPOINTS)} | {"left_knee": math.nan}
    text = body_svg("b", values, 1.0)
    assert text.count("<circle") == 17
    assert text.count("fill:var(--empty)") == 1
    assert ">0.05<" in text
    left, right = joint_place("left_wrist"), joint_place("right_wrist")
    assert left[0] == -right[0] > 0, "the person faces the viewer"
    assert len({joint_place(name) for name in COCO_KEYPOINTS}) == 17


def test_scales_have_their_ends_and_clip():
    assert sequential(np.array([0.0, 1.0])) == sequential(np.array([-3.0, 9.0]))
    low, middle, high = diverging(np.array([-1.0, 0.0, 1.0]))
    assert len({low, middle, high}) == 3
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in (low, middle, high))


def test_a_chart_has_the_text_colour_of_the_page_and_the_same_bytes():
    figures = pytest.importorskip("matplotlib.figure")
    from repogen.pages.charts import chart_svg

    def drawn():
        figure = figures.Figure(figsize=(3, 2))
        axes = figure.add_subplot()
        axes.plot([1, 2], [3, 4], label=ODD, color="#aa3300")
        axes.legend()
        return chart_svg(ODD, figure)

    text = drawn()
    assert text == drawn()
    assert "#000000" not in text
    assert "currentColor" in text
    assert "#aa3300" in text
    assert "<b>" not in text
    assert "http" not in text
    used = set(re.findall(r'(?:url\(|href=")#(\w+)', text))
    assert set(re.findall(r' id="(\w+)"', text)) == used
