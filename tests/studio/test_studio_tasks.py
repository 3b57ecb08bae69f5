"""What somebody does on the page, in a real browser: each task with the mouse and the keyboard."""

import json
import re
import time

import chromium
import numpy as np
import pytest
from running import BY_HAND, PICTURE, SLIDER, STATUS, running_studio

from repogen import Scene, generate
from repogen.cameras.camera import angles_to_direction
from repogen.people.posing import pose_person
from repogen.studio.view3d import LOOKS_FROM

pytestmark = chromium.NEEDED

AZIMUTH, ELEVATION, DISTANCE = 0.0, 20.0, 2.0
FIELD_OF_VIEW = np.radians(75)
"""viser's, of the 3D view."""

INPUT = """(() => {
  let row = [...document.querySelectorAll('label, p, div, span')].find(
    one => one.childElementCount === 0 && one.innerText === %r && one.offsetParent);
  while (row && !row.querySelector('input')) row = row.parentElement;
  return row && row.querySelector('input')%s;
})()"""
"""The field of a label, and what of it."""

CANVAS = """(() => {
  const box = document.querySelector('canvas').getBoundingClientRect();
  return [box.x, box.y, box.width, box.height];
})()"""

MIDDLE = """(() => {
  const box = %s.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
})()"""

RANGE = """(() => {
  let row = [...document.querySelectorAll('label')].find(
    one => one.innerText === %r && one.offsetParent);
  while (row && !row.querySelector('.multi-slider-track-container')) row = row.parentElement;
  if (!row) return null;
  row.scrollIntoView({block: 'center'});
  const box = row.querySelector('.multi-slider-track-container').getBoundingClientRect();
  return [box.x, box.y + box.height / 2, box.width];
})()"""
"""Left end, middle and width of a slider with two ends."""

BUTTON = """(() => {
  let row = [...document.querySelectorAll('label, p, div, span')].find(
    one => one.childElementCount === 0 && one.innerText === %r && one.offsetParent);
  const of = (one) => [...one.querySelectorAll('button')];
  while (row && !of(row).length) row = row.parentElement;
  const found = row && of(row).find(one => one.innerText === %r);
  if (!found) return null;
  found.scrollIntoView({block: 'nearest'});
  const box = found.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
})()"""
"""The middle of a button, by the label of its row."""

COUNT = "(document.body.innerText.match(/[0-9]+ of [0-9]+ images/) || [''])[0]"
HEIGHT = "(document.body.innerText.match(/([0-9.]+) m tall/) || ['', ''])[1]"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A studio with a mined dataset (six images, of which five have a difficulty) and a model."""
    folder = tmp_path_factory.mktemp("tasks")
    generate(
        folder / "set", images=6, image_size=128, workers=1, views=("front",), packs=("core",),
        azimuth=(AZIMUTH, AZIMUTH), elevation=(ELEVATION, ELEVATION), roll=(0.0, 0.0),
        distance=(DISTANCE, DISTANCE), backgrounds="builtin", pose="tpose", seed=3,
    )  # fmt: skip
    lines = [json.dumps({"image_id": n, "difficulty": n / 10}) + "\n" for n in range(1, 6)]
    (folder / "set" / "mining").mkdir()
    (folder / "set" / "mining" / "mine.json").write_text("{}")
    (folder / "set" / "mining" / "mining.jsonl").write_text("".join(lines))
    with running_studio(folder, "set", "--weights", "lightning") as running:
        running.dataset = folder / "set"
        yield running


@pytest.fixture(scope="module")
def tab(studio, tmp_path_factory):
    browser = chromium.Chromium(tmp_path_factory.mktemp("profile"), 1400, 1000)
    tab = browser.open(studio.address)
    tab.wait(STATUS)
    tab.close_notices()
    yield tab
    browser.close()


def on_screen(tab, point):
    """Where a point of the world, with the first person's hips at the origin, is on the page."""
    x, y, width, height = tab.evaluate(CANVAS)
    eye = LOOKS_FROM * DISTANCE
    forward = -eye / np.linalg.norm(eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    towards = np.array(point) - eye
    scale = height / 2 / np.tan(FIELD_OF_VIEW / 2) / (towards @ forward)
    up = np.cross(right, forward)
    return x + width / 2 + scale * (towards @ right), y + height / 2 - scale * (towards @ up)


def drag_until(tab, where, script):
    """Drag from one point to another until a script is true: a page that is still drawn takes no
    drag."""
    for _ in range(6):
        tab.drag(*where())
        try:
            return tab.wait(script, seconds=6)
        except TimeoutError:
            continue
    raise TimeoutError(script[:200])


def undo_until(tab, script):
    """Undo until a script is true: a slow drag is several steps."""
    for _ in range(6):
        tab.click_text("Undo")
        try:
            return tab.wait(script, seconds=6)
        except TimeoutError:
            continue
    raise TimeoutError(script)


def test_what_the_model_finds_has_an_oks(tab):
    assert re.search(r"OKS of lightning: [01]\.\d\d", tab.text())
    assert "What the model finds" in tab.text()


def test_the_camera_is_dragged_over_the_sphere(tab):
    tab.click_text("Camera")
    tab.wait(INPUT % ("Azimuth (°)", ".value"))
    start, end = (
        on_screen(tab, DISTANCE * angles_to_direction(azimuth, ELEVATION))
        for azimuth in (AZIMUTH, AZIMUTH + 25)
    )
    picture = tab.evaluate(PICTURE)
    moved = f"{BY_HAND} === 'by hand: opened scene, view' && {PICTURE} !== {picture!r}"
    drag_until(tab, lambda: (start, end), moved)
    time.sleep(2)  # the whole picture is made
    tab.wait(f"Math.abs({INPUT % ('Azimuth (°)', '.value')} - {AZIMUTH + 25}) < 8")
    assert undo_until(tab, f"{BY_HAND} === 'by hand: opened scene'")


def test_a_joint_is_chosen_by_a_click_on_its_ball(tab, studio, body):
    tab.click_text("Pose")
    joint = INPUT % ("Joint", ".value")
    tab.wait(f"{joint} === 'left_shoulder'")
    scene = Scene.from_json((studio.dataset / "scenes.jsonl").read_text().splitlines()[0])
    wrist = pose_person(body, scene.people[0]).body.keypoints[9]
    tab.click(*on_screen(tab, wrist))
    assert tab.wait(f"{joint} === 'left_wrist'")


def test_a_body_is_set_by_hand(tab):
    tab.click_text("People")
    before = float(tab.wait(HEIGHT))
    assert tab.wait(SLIDER % "Age")
    tab.press("Home", 36)
    tab.wait(f"{BY_HAND} === 'by hand: opened scene, body' && {HEIGHT} < {0.6 * before}")
    tab.click_text("Undo")
    assert tab.wait(f"Number({HEIGHT}) === {before}")


def test_clothes_are_chosen(tab):
    tab.click_text("People")
    tab.click(*tab.wait(MIDDLE % (INPUT % ("Clothes", ""))))
    tab.click_text("tank, shorts")
    tab.wait(f"{BY_HAND} === 'by hand: opened scene, outfit'")
    tab.wait(f"{INPUT % ('Clothes', '.value')} === 'tank, shorts'")
    tab.click_text("As drawn")
    tab.click_text("Undo")
    tab.wait(f"{BY_HAND} === 'by hand: opened scene, outfit'")
    tab.click_text("Undo")
    assert tab.wait(f"{BY_HAND} === 'by hand: opened scene'")


def test_a_dataset_is_filtered_marked_and_exported(tab, studio):
    def ends(label, start, end):
        x, y, width = tab.wait(RANGE % label)
        return (x + start * width, y), (x + end * width, y)

    tab.click_text("Dataset")
    tab.wait(f"{COUNT} === '6 of 6 images'")
    assert tab.evaluate(INPUT % ("Order", ".value")) == "hardest first, as mined"
    drag_until(tab, lambda: ends("Difficulty", 0.0, 0.35), f"{COUNT} === '2 of 6 images'")
    assert re.search(r"Difficulty 0\.3\d … 1", tab.text())
    drag_until(tab, lambda: ends("Difficulty", 0.35, -0.02), f"{COUNT} === '6 of 6 images'")
    tab.click(*tab.wait(BUTTON % ("Mark", "4")))
    tab.wait("document.body.innerText.includes('1 marked')")
    tab.click_text("Export marked ids")
    exported = studio.out / "marked-0001.txt"
    chromium.wait_for(exported.exists)
    assert exported.read_text() == "4\n"


def test_an_image_opens_in_the_editor(tab):
    tab.click_text("Dataset")
    tab.click(*tab.wait(BUTTON % ("Open", "3")))
    tab.wait(f"{INPUT % ('Index', '.value')} === '2'")
    tab.click_text("Picture")
    assert tab.wait(f"{BY_HAND} === 'by hand: opened scene'")


def test_the_model_is_asked_about_all_images(tab):
    tab.click_text("Dataset")
    tab.click_text("Ask lightning")
    assert tab.wait(f"{INPUT % ('Order', '.value')} === 'lowest OKS first'")


def test_the_command_is_copied(tab):
    origin = tab.evaluate("location.origin")
    allowed = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    tab.call("Browser.grantPermissions", permissions=allowed, origin=origin)
    tab.click_text("Save")
    tab.click_text("Save all")
    tab.click_text("Copy command")
    tab.wait("document.body.innerText.includes('Copied')")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("repogen generate ")
    assert copied in tab.text().replace("\n", " ")


def test_a_dataset_like_the_image_is_generated_with_its_progress(tab, studio):
    tab.click_text("Save")
    assert tab.wait(SLIDER % "Images")
    tab.press("Home", 36)
    tab.press("ArrowRight", 39)
    tab.click_text("Generate 2 like this")
    tab.wait("[...document.querySelectorAll('[role=progressbar]')].some(one => one.offsetParent)")
    finished = studio.out / "0002" / "dataset"
    tab.wait(f"document.body.innerText.includes({f'{finished} is finished'!r})")
    tab.click_text("Dataset")
    tab.wait(f"{COUNT} === '2 of 2 images'")
    assert (finished / "annotations").is_dir()
