"""Small helpers around viser's widgets, and one widget for each option of a table."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import viser

from repogen.generation.config import GenerateConfig
from repogen.studio.session import Session, Shown
from repogen.studio.state import with_option

Gui = viser.GuiApi

Button = viser.GuiButtonHandle | viser.GuiButtonGroupHandle


def on_change(handle: viser.GuiInputHandle[Any], react: Callable[[Any], None]) -> None:
    """Call `react` with each value that somebody gives a widget in a browser. It is called on
    viser's own thread, in order, and must return at once."""

    async def changed(event: viser.GuiEvent[Any]) -> None:
        if event.client_id is not None:  # the page itself sets values, too
            react(event.target.value)

    handle.on_update(changed)


def on_press(handle: Button, react: Callable[[], None]) -> None:
    """Call `react` when a button is pressed, as `on_change` does."""

    async def pressed(_: object) -> None:
        react()

    handle.on_click(pressed)


def put(handle: object, name: str, value: object) -> None:
    """Set an attribute of a widget, if it differs: every setting is sent to all browsers."""
    if getattr(handle, name) != value:
        setattr(handle, name, value)


@dataclass(frozen=True)
class Option:
    """An option of `repogen generate` on the page. With `choices` it is a list of names, else the
    value says: a switch, a slider from `low` to `high`, a slider with two ends, or a line of text
    with a button."""

    group: str
    name: str
    label: str
    low: float = 0.0
    high: float = 1.0
    step: float = 1.0
    choices: Sequence[str] = ()

    def of(self, config: GenerateConfig) -> object:
        """The option's value."""
        return getattr(getattr(config, self.group), self.name)


class OptionWidget:
    """The widget of an option, which changes the session's state and follows it."""

    def __init__(self, gui: Gui, session: Session, option: Option) -> None:
        self._option, self._session = option, session
        self._default: Any = option.of(GenerateConfig())
        value = option.of(session.history.now.config)
        self._shown = self._to_widget(value)
        self._handle = self._make(gui, value)
        if isinstance(self._shown, str) and not option.choices:
            on_press(gui.add_button(f"Use this {option.label.lower()}"), self._use_text)
        else:
            on_change(self._handle, self._set)

    def _make(self, gui: Gui, value: Any) -> Any:
        option, shown = self._option, self._shown
        hint = _help(option)
        if option.choices:
            names = tuple(dict.fromkeys((*option.choices, shown)))
            return gui.add_dropdown(option.label, names, initial_value=shown, hint=hint)
        if isinstance(value, bool):
            return gui.add_checkbox(option.label, value, hint=hint)
        if isinstance(shown, tuple):
            low, high = min(option.low, *shown), max(option.high, *shown)
            return gui.add_multi_slider(
                option.label, low, high, option.step, initial_value=shown, hint=hint
            )
        if isinstance(shown, str):
            return gui.add_text(option.label, shown, hint=hint)
        low, high = min(option.low, shown), max(option.high, shown)
        return gui.add_slider(option.label, low, high, option.step, shown, hint=hint)

    def show(self, shown: Shown) -> None:
        """Show the option's value."""
        value = self._to_widget(self._option.of(shown.state.config))
        handle = self._handle
        if self._option.choices and value not in handle.options:
            handle.options = (*handle.options, value)
        elif isinstance(value, tuple) or (
            isinstance(value, int | float) and not isinstance(value, bool)
        ):
            ends = value if isinstance(value, tuple) else (value,)
            put(handle, "min", min(handle.min, *ends))
            put(handle, "max", max(handle.max, *ends))
        put(handle, "value", value)

    def _use_text(self) -> None:
        self._set(self._handle.value)

    def _set(self, value: Any) -> None:
        option = self._option

        def edit(state: Any, _: object) -> Any:
            return with_option(state, option.group, option.name, self._to_option(value))

        self._session.change(edit, key=(option.group, option.name))

    def _to_widget(self, value: Any) -> Any:
        if value is None:
            return "none" if self._option.choices else ""
        if isinstance(value, tuple) and all(isinstance(one, str) for one in value):
            return shlex.join(value)
        if isinstance(value, bool) or (not self._option.choices and not isinstance(value, Path)):
            return value
        return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)

    def _to_option(self, value: Any) -> Any:
        """The option's value; a slider may give 3.0 for a whole number."""
        default = self._default
        if isinstance(default, bool):
            return value
        if default is None:
            return _numbers_or_text(value) if self._option.choices else value or None
        if isinstance(default, tuple) and isinstance(value, str):
            return tuple(shlex.split(value))
        if isinstance(default, tuple):
            return tuple(type(part)(one) for part, one in zip(default, value, strict=True))
        if isinstance(default, float) and value == "random":
            return value
        return type(default)(value)


def _numbers_or_text(text: str) -> Any:
    """None, a whole number, or several."""
    if text == "none":
        return None
    numbers = tuple(int(word) for word in text.split())
    return numbers if len(numbers) > 1 else numbers[0]


def _help(option: Option) -> str:
    """What `--help` says of an option."""
    docs = type(getattr(GenerateConfig(), option.group))._field_docs
    return next(text for name, text in docs.items() if name.split(" ")[0] == option.name)
