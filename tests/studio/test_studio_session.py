"""The session's thread, the widgets of options, the model, and the datasets that are made."""

import queue
from pathlib import Path

import numpy as np
import pytest

from repogen import load_estimator
from repogen.coco.annotations import read_person_annotations
from repogen.errors import UserError
from repogen.generation.config import PRESETS, GenerateConfig
from repogen.inference.estimate import estimate_people
from repogen.labels import Rendering
from repogen.studio import option_tables
from repogen.studio.browser import Filter
from repogen.studio.generating import Generating
from repogen.studio.model import Model
from repogen.studio.options import Likeness
from repogen.studio.page import Page
from repogen.studio.picture import Layers
from repogen.studio.saving import save
from repogen.studio.server import serving
from repogen.studio.session import PREVIEW_SIDE, Session
from repogen.studio.state import State, draw, view_now, with_joint, with_option, with_view
from repogen.studio.widgets import OptionWidget

TABLES = (
    *option_tables.POSE,
    *option_tables.PEOPLE,
    *option_tables.CAMERA,
    *option_tables.SURROUNDINGS,
)
SECONDS = 120


@pytest.fixture
def state():
    return State(GenerateConfig(views="front", image_size=400, backgrounds="plain", seed=5))


@pytest.fixture
def session(state, body):
    """A running session; `shows` and `says` are what it showed and said."""
    session = Session(state, body, lambda shown: shows.put(shown), lambda text: says.put(text))
    shows, says = queue.Queue(), queue.Queue()
    session.shows, session.says = shows, says
    session.start()
    assert shows.get(timeout=SECONDS).is_still
    yield session
    session.stop()


def test_a_change_is_shown_small_then_whole(session):
    def edit(state, scene):
        return with_joint(state, scene.people[0], 0, "head", (30.0, 0.0, 0.0))

    session.change(edit)
    small, whole = (session.shows.get(timeout=SECONDS) for _ in range(2))
    assert (small.is_still, whole.is_still) == (False, True)
    assert small.rendering.image.shape == (PREVIEW_SIDE, PREVIEW_SIDE, 3)
    assert whole.rendering.image.shape == (400, 400, 3)
    assert small.picture.shape == whole.picture.shape
    assert whole.sampled.scene.people[0].angles["head"] == (30.0, 0.0, 0.0)
    assert small.score == whole.score


def test_a_change_that_is_refused_is_said_and_leaves_the_state(session):
    before = session.history.now
    session.change(lambda state, _: with_option(state, "people", "balance", True))
    assert "--balance needs --ground" in session.says.get(timeout=SECONDS)
    assert session.history.now is before
    far = {"azimuth": (0.0, 0.0), "distance": (0.3, 0.3), "framing": "paper"}

    def inside(state, _):
        for name, value in far.items():
            state = with_option(state, "camera", name, value)
        return with_option(state, "pose", "poses", "gone")

    session.change(inside)
    assert "gone" in session.says.get(timeout=SECONDS)
    assert session.history.now is before


def test_layers_are_drawn_without_a_change_of_the_state(session):
    def job():
        session.layers = Layers(skeleton=False)
        session.redraw()

    before = session.last
    session.submit(job)
    after = session.shows.get(timeout=SECONDS)
    assert after.state is before.state
    assert not np.array_equal(after.picture, before.picture)


@pytest.fixture(scope="module")
def server():
    with serving("127.0.0.1", 0, "widgets") as (running, _):
        yield running


@pytest.mark.parametrize("option", TABLES, ids=lambda one: f"{one.name}-{one.label}")
def test_widgets_show_and_set_what_options_are(server, state, body, option):
    """The value of the default options and of each preset goes through the widget unchanged."""
    configs = [GenerateConfig(), *(GenerateConfig(**preset) for preset in PRESETS.values())]
    session = Session(state, body)
    widget = OptionWidget(server.gui, session, option)
    for config in configs:
        value = option.of(config)
        assert widget._to_option(widget._to_widget(value)) == value


@pytest.mark.parametrize("option", TABLES, ids=lambda one: f"{one.name}-{one.label}")
def test_every_choice_is_taken_by_the_option(server, body, option):
    config = GenerateConfig(ground="floor", views="front", packs="core")
    session = Session(State(config), body)
    widget = OptionWidget(server.gui, session, option)
    for choice in option.choices:
        value = widget._to_option(choice)
        if (option.name, choice) == ("ground", "air"):
            continue
        changed = with_option(session.state, option.group, option.name, value)
        assert option.of(changed.config) == value


def test_the_page_follows_the_session(server, state, body, tmp_path):
    says = []
    session = Session(state, body, lambda _: None, says.append)
    page = Page(server, session, tmp_path, None)
    session.show_now(True)
    view = view_now(state, session.last.sampled.scene)
    assert page._camera._sliders["azimuth_deg"].value == pytest.approx(view.azimuth_deg, abs=1e-3)
    person = session.last.sampled.scene.people[0]
    session.history.push(with_joint(state, person, 0, "left_shoulder", (11.0, 0.0, 0.0)), None, 0)
    session.show_now(True)
    assert page._pose._sliders[0].value == 11
    assert page._pose._named.value == "by hand"
    session.history.undo()
    session.show_now(True)
    assert page._pose._named.value == "as the options draw it"
    assert not says


def test_the_model_is_asked_as_evaluate_asks(body, renderer, tmp_path):
    config = GenerateConfig(views="front", image_size=256, people=(2, 2), backgrounds="plain")
    state = State(config, index=3)
    rendering = Rendering(renderer.render(draw(state, body).scene))
    poses, similarities = Model(Path("lightning")).find(rendering)
    saved = save(tmp_path, state, rendering, rendering.image, Likeness(), 1)
    people = read_person_annotations("saved", saved.folder / "labels.json", saved.folder)
    wanted = estimate_people(load_estimator("lightning", threads=1), people, flip=False)
    assert np.allclose(poses, wanted.keypoints, atol=0.02)
    assert len(similarities) == len(poses) == 2
    assert all(0 <= value <= 1 for value in similarities)
    with pytest.raises(UserError, match="gone"):
        Model(Path("gone"))


def run(tmp_path, options, **keywords):
    """What a run that makes a dataset says: its progress, then its end."""
    (tmp_path / "options.toml").write_text(options)
    moved, ended = [], queue.Queue()
    running = Generating(
        tmp_path / "options.toml", tmp_path / "set", 1,
        lambda done, total: moved.append((done, total)),
        lambda text, done: ended.put((text, done)),
    )  # fmt: skip
    return running, moved, ended


QUICK = 'seed = 1\npacks = []\n[camera]\nimage_size = 64\n[environment]\nbackgrounds = "plain"\n'


def test_a_dataset_is_made_with_its_progress(tmp_path):
    running, moved, ended = run(tmp_path, f"images = 3\n{QUICK}")
    text, done = ended.get(timeout=SECONDS)
    assert done, text
    assert text == f"{tmp_path / 'set'} is finished"
    assert moved[-1] == (3, 3)
    assert not running.is_running
    assert (tmp_path / "set" / "annotations" / "person_keypoints.json").exists()


def test_a_run_that_fails_says_why(tmp_path):
    _, _, ended = run(tmp_path, "images = 0\n")
    text, done = ended.get(timeout=SECONDS)
    assert (done, text) == (False, text)
    assert "--images 0 must lie between 1 and" in text


def test_a_run_is_stopped(tmp_path):
    running, _, ended = run(tmp_path, f"images = 90000\n{QUICK}")
    running.stop()
    text, done = ended.get(timeout=SECONDS)
    assert not done
    assert "stopped" in text
    assert not running.is_running


def test_a_view_that_is_set_is_in_the_options(state):
    from repogen import View
    from repogen.studio.state import drawn_config

    config = drawn_config(with_view(state, View(10.0, 20.0, 30.0, 4.0)))
    camera = config.camera
    ranges = camera.azimuth, camera.elevation, camera.roll, camera.distance
    assert ranges == ((10, 10), (20, 20), (30, 30), (4, 4))


def test_the_page_makes_a_dataset_and_opens_it(server, body, tmp_path):
    config = GenerateConfig(image_size=64, backgrounds="plain", packs=())
    says = queue.Queue()
    session = Session(State(config), body)
    page = Page(server, session, tmp_path, None)
    session.said = page._save._said = says.put
    session.start()
    page._save._images.value = 2
    page._save._generate()
    assert says.get(timeout=SECONDS) == f"{tmp_path / '0001' / 'dataset'} is finished"
    done = queue.Queue()
    session.submit(lambda: done.put(page._data._browser.ids(Filter())))
    assert done.get(timeout=SECONDS) == [1, 2]
    page._data._open("2")
    session.submit(lambda: done.put(session.last.state))
    done.get(timeout=SECONDS)
    session.submit(lambda: done.put(session.history.now.opened))
    assert done.get(timeout=SECONDS).index == 1
    session.stop()
