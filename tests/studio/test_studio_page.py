"""The page in a real browser, without a display: apt's chromium, driven by its DevTools."""

import re
import signal
import time

import chromium
import cv2
import numpy as np
import pytest
from running import BY_HAND, PICTURE, SLIDER, STATUS, running_studio

from repogen import Scene, render

pytestmark = chromium.NEEDED

OPTIONS = """
seed = 4
packs = []

[camera]
views = ["front"]
elevation = [0.0, 10.0]
roll = [0.0, 0.0]
image_size = 128

[pose]
pose = "tpose"

[environment]
backgrounds = "builtin"
"""

INDEX = """(() => {
  let row = [...document.querySelectorAll('label, p, div, span')].find(
    one => one.childElementCount === 0 && one.innerText === 'Index');
  while (row && !row.querySelector('input')) row = row.parentElement;
  return row && row.querySelector('input').value;
})()"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio")
    (folder / "options.toml").write_text(OPTIONS)
    with running_studio(folder, "options.toml") as studio:
        yield studio


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = chromium.Chromium(tmp_path_factory.mktemp("profile"), 1000, 640)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def tab(browser, studio):
    tab = browser.open(studio.address)
    tab.wait(STATUS)
    tab.close_notices()
    return tab


def test_the_page_asks_no_other_host(tab, studio):
    asked = tab.requests()
    assert asked
    own = studio.address.removeprefix("http")
    assert [url for url in asked if not re.match(rf"(blob:)?(http|ws){own}?", url)] == []
    assert any(url.startswith("ws") for url in asked)


def test_a_slider_changes_picture_and_label(tab):
    picture, status = tab.evaluate(PICTURE), tab.evaluate(STATUS)
    tab.click_text("Camera")
    assert tab.wait(SLIDER % "Elevation (°)")
    tab.press("Home", 36)
    tab.wait(f"{PICTURE} !== {picture!r} && {STATUS} !== {status!r}")
    assert tab.evaluate(BY_HAND) == "by hand: view"
    tab.click_text("Undo")
    tab.wait(f"!{BY_HAND} && {STATUS} === {status!r}")
    tab.click_text("Redo")
    tab.wait(BY_HAND)


def test_the_saved_scene_renders_the_same_bytes(tab, studio, body):
    tab.click_text("Save")
    time.sleep(1)  # the whole picture is made
    tab.click_text("Save all")
    folder = studio.out / "0001"
    chromium.wait_for((folder / "labels.json").exists)
    scene = Scene.from_json((folder / "scene.json").read_text())
    picture = cv2.imread(str(folder / "picture.png"))
    assert np.array_equal(render(scene, body=body).image[..., ::-1], picture)
    tab.wait(f"document.body.innerText.includes({str(folder)!r})")
    assert "repogen generate" in tab.text()


def test_two_browsers_at_once_show_the_same(tab, studio, tmp_path):
    other = chromium.Chromium(tmp_path, 1000, 640)
    try:
        second = other.open(studio.address)
        second.wait(BY_HAND)
        second.close_notices()
        assert second.evaluate(STATUS) == tab.evaluate(STATUS)
        second.click_text("Undo")
        for one in (second, tab):
            one.wait(f"!{BY_HAND}")
        assert second.evaluate(STATUS) == tab.evaluate(STATUS)
    finally:
        other.close()


def test_a_page_that_is_loaded_again_shows_the_same(tab):
    tab.click_text("Next image")
    tab.wait(f"{INDEX} === '1'")
    status = tab.wait(STATUS)
    tab.call("Page.reload")
    tab.wait(f"{STATUS} === {status!r}")
    assert tab.evaluate(INDEX) == "1"


def test_a_page_is_closed_and_the_studio_ends(tab, studio, browser):
    tab.close()
    again = browser.open(studio.address)
    again.wait(STATUS)
    again.close()
    studio.process.send_signal(signal.SIGINT)
    out, err = studio.process.communicate(timeout=30)
    assert (studio.process.returncode, out, err) == (0, "", "repogen: studio ended\n")
