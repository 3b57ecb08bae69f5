"""The tab of surroundings: background, lights, objects, water and effects of the camera."""

from functools import partial

from repogen.environment.sensor import EFFECTS
from repogen.scenes.scene import Scene
from repogen.studio.option_tables import SURROUNDINGS
from repogen.studio.session import Session, Shown
from repogen.studio.state import State, with_option
from repogen.studio.widgets import Gui, OptionWidget, on_change, put

_ALL = "all"


class SurroundingsControls:
    """Widgets of the surroundings."""

    def __init__(self, gui: Gui, session: Session) -> None:
        self._session = session
        self._options = [OptionWidget(gui, session, option) for option in SURROUNDINGS]
        with gui.add_folder("Effects of the camera"):
            self._effects = {name: gui.add_checkbox(name, False) for name in EFFECTS}
        for name, handle in self._effects.items():
            on_change(handle, partial(self._set, name))

    def show(self, shown: Shown) -> None:
        """Show the options of a whole picture."""
        for option in self._options:
            option.show(shown)
        on = shown.state.config.sensor.effects
        for name, handle in self._effects.items():
            put(handle, "value", name in on or _ALL in on)

    def _set(self, name: str, on: bool) -> None:
        def edit(state: State, _: Scene) -> State:
            now = state.config.sensor.effects
            before = set(EFFECTS) if _ALL in now else set(now)
            after = before | {name} if on else before - {name}
            effects = tuple(one for one in EFFECTS if one in after)
            return with_option(state, "sensor", "effects", effects)

        self._session.change(edit)
