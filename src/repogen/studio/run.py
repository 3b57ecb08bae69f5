"""`repogen studio`: what to show first, and the page's life."""

import threading
from dataclasses import dataclass
from pathlib import Path

from repogen.assets.sources import find
from repogen.bodies import load_body
from repogen.config import config_from_table
from repogen.datasets.sources import SourcesConfig, provide_from, sources_of
from repogen.errors import UserError
from repogen.files import cannot_read, read_regular
from repogen.generation.config import GenerateConfig
from repogen.limits import MAX_INDEX
from repogen.messages import say
from repogen.scenes.scene import Scene, parse_scene
from repogen.studio.browser import Browser, Filter
from repogen.studio.model import Model
from repogen.studio.page import Page
from repogen.studio.server import serving
from repogen.studio.session import Session
from repogen.studio.state import State, opened_scene
from repogen.toml_files import read_config


@dataclass(frozen=True)
class Opened:
    """What the studio starts with."""

    state: State
    browser: Browser | None = None


def open_first(path: Path | None, sources: SourcesConfig) -> Opened:
    """The state that a dataset (its first image), a TOML file of options or a JSON file of a scene
    names; without one, the state of the default options.

    Raises `UserError` for anything else.
    """
    if path is None:
        return Opened(State(GenerateConfig()))
    if path.is_dir():
        browser = Browser(path, sources)
        scene = browser.scene(browser.ids(Filter())[0])
        return Opened(opened_scene(scene, _config(sources)), browser)
    if path.suffix == ".toml":
        table = read_config(path, "the options file")
        return Opened(State(config_from_table(GenerateConfig, table, str(path))))
    return Opened(opened_scene(read_scene(path, sources), _config(sources)))


def _config(sources: SourcesConfig) -> GenerateConfig:
    """Default options for a scene that is opened, with the folders of its files."""
    given = {name: getattr(sources, name) for name in ("textures", "cutouts")}
    if sources.backgrounds is not None:
        given["backgrounds"] = sources.backgrounds
    return GenerateConfig(**{name: value for name, value in given.items() if value is not None})


def read_scene(path: Path, sources: SourcesConfig) -> Scene:
    """The scene in a JSON file; the files that it shows are found in the folders that `sources`
    name. Raises `UserError` where it cannot be read or a file is missing."""
    try:
        text = read_regular(path, MAX_INDEX).decode("utf-8-sig")
    except OSError as error:
        raise cannot_read(path, error) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: {error}") from error
    scene = parse_scene(text, str(path))
    for option, source in sources_of(scene):
        if find(source) is None:
            folder = getattr(sources, option)
            shows = f"{path} shows {source.name!r}"
            if folder is None:
                raise UserError(f"{shows}; give --{option}, the folder that holds it")
            provide_from(option, source, folder, shows)
    return scene


def run_studio(
    path: Path | None,
    sources: SourcesConfig,
    weights: Path | None,
    out: Path,
    host: str,
    port: int,
) -> None:
    """Serve the page until Ctrl-C. Raises `UserError` as `open_first`, `Model` and `serving` do."""
    opened = open_first(path, sources)
    name = _body_of(opened.state)
    body = load_body(name, path=sources.body_path)
    model = None if weights is None else Model(weights)
    with serving(host, port, "repogen studio") as (server, address):
        session = Session(opened.state, body, model=model)
        page = Page(server, session, out, opened.browser)
        session.start()
        print(f"repogen studio: {address} (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("studio ended")
        finally:
            page.stop()
            session.stop()


def _body_of(state: State) -> str:
    if state.opened is not None:
        return state.opened.people[0].body
    return state.config.people.body
