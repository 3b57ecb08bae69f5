"""Pages in a real browser, from a file: tables sort, and a dataset's images are filtered."""

import base64
import math
import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest

from repogen import GenerateConfig, generate, preview
from repogen.pages.frame import page
from repogen.pages.tables import Cell, Table, table_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt install chromium")


def opened(path, address="", clicks=()):
    """The page as the browser has it after its scripts and after clicks on the elements that the
    selectors name."""
    if clicks:
        script = "".join(f"document.querySelector({one!r}).click();" for one in clicks)
        copy = path.with_name("clicked.html")
        copy.write_text(path.read_text().replace("</body>", f"<script>{script}</script></body>"))
        path = copy
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
            "--virtual-time-budget=5000", f"--user-data-dir={path.parent / 'profile'}",
            f"{path.as_uri()}{address}",
        ],
        capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize(
    ("clicks", "order"), [(0, "b a c d"), (1, "c a d b"), (2, "d a c b"), (3, "b a c d")]
)
def test_a_click_on_a_header_sorts_the_rows(tmp_path, clicks, order):
    numbers = {"b": math.nan, "a": 5.0, "c": -2.0, "d": 10.0}
    rows = tuple((n, (Cell("–" if v != v else f"{v}", value=v),)) for n, v in numbers.items())
    (tmp_path / "t.html").write_text(
        page("test", "t", [], [table_html(Table("t", ("", "number"), rows))])
    )
    text = opened(tmp_path / "t.html", clicks=["th button"] * clicks)
    assert " ".join(re.findall(r"<tr><td>(\w)</td>", text)) == order


@pytest.fixture(scope="module")
def browsed(tmp_path_factory, body):
    root = generate(
        tmp_path_factory.mktemp("browse") / "a set",
        GenerateConfig(
            images=7, image_size=96, workers=1, backgrounds="plain", views=("top", "front"), seed=2
        ),
    )
    return preview(root, images=1).parent / "browse.html"


def shown(text):
    return [int(number) for number in re.findall(r'alt="image (\d+)"', text)]


def test_images_are_paged_and_filtered(browsed):
    text = opened(browsed, "#per=12")
    assert shown(text) == [1, 2, 3, 4, 5, 6, 7]
    assert "7 of 7 images, page 1 of 1" in text
    (source,) = set(re.findall(r'<img src="([^"]*)/00000001.jpg"', text))
    assert (browsed.parent / source / "00000001.jpg").resolve().is_file()
    assert text.count("<circle") > 7 * 8
    top = shown(opened(browsed, "#view=top&skeletons=0"))
    front = shown(opened(browsed, "#view=front"))
    assert top
    assert front
    assert sorted(top + front) == [1, 2, 3, 4, 5, 6, 7]


def test_images_in_shards_are_shown_as_copies(tmp_path, body):
    from repogen.datasets.folder import PICTURE
    from repogen.datasets.reading import open_dataset, read_files

    options = {"images": 3, "image_size": 400, "workers": 1, "backgrounds": "builtin", "seed": 2}
    root = generate(tmp_path / "set", format="webdataset", views=("top", "front"), **options)
    text = opened(preview(root, images=1).parent / "browse.html")
    assert shown(text) == [1, 2, 3]
    assert "<a href" not in text
    found = re.findall(r'<img src="data:image/jpeg;base64,([^"]*)" alt="image (\d+)"', text)
    for coded, number in found:
        copy, whole = (
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            for data in (
                base64.b64decode(coded),
                read_files(open_dataset(root), int(number), (PICTURE,))[PICTURE],
            )
        )
        assert copy.shape == (320, 320, 3)
        small = cv2.resize(whole, (320, 320), interpolation=cv2.INTER_AREA)
        assert np.abs(copy.astype(int) - small).mean() < 4
    assert len(found) == 3
    assert text.count("<circle") > 3 * 8


def test_images_are_sorted_and_the_filters_combine(browsed):
    captions = re.findall(
        r"<figcaption>(\d+) \w+: (\d+) visible, (\d+) px", opened(browsed, "#order=small")
    )
    sizes = [int(size) for _, _, size in captions]
    assert len(sizes) == 7
    assert sizes == sorted(sizes)
    middle = sizes[3]
    least = opened(browsed, f"#least={middle}&visible=17")
    wanted = sorted(int(i) for i, v, size in captions if int(size) >= middle and v == "17")
    assert shown(least) == wanted
