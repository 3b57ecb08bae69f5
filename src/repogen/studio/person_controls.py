"""The tab of people: the body and the outfit of one, and how options draw all."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from repogen.bodies.anny import AnnyBody
from repogen.bodies.surface import layer_vertices
from repogen.colors import from_hex, to_hex
from repogen.people.outfit import REGIONS, Outfit
from repogen.people.person import Person
from repogen.people.posing import PosedPerson
from repogen.studio.option_tables import PEOPLE
from repogen.studio.outfits import (
    HAIR,
    SKIN,
    USES,
    choices,
    chosen,
    colors,
    with_choice,
    with_color,
)
from repogen.studio.session import Session, Shown
from repogen.studio.state import (
    State,
    another_person,
    as_drawn,
    with_outfit,
    with_shape,
)
from repogen.studio.widgets import Gui, OptionWidget, on_change, on_press, put

_Marks = tuple[tuple[float, str], ...]

_BODY: dict[str, tuple[str, _Marks]] = {
    "age": ("Age", ((0.0, "baby"), (1 / 3, "child"), (2 / 3, "adult"), (1.0, "old"))),
    "gender": ("Gender", ((0.0, "male"), (1.0, "female"))),
    "height": ("Height", ((0.0, "short"), (0.35, "average"), (1.0, "giant"))),
    "weight": ("Weight", ((0.0, "light"), (0.5, "average"), (1.0, "heavy"))),
    "muscle": ("Muscle", ((0.0, "little"), (0.5, "average"), (1.0, "much"))),
    "proportions": ("Proportions", ((0.0, "unusual"), (1.0, "ideal"))),
}
"""The labels of anny's shape that sliders set, 0 to 1, with what their ends look like."""

_MOST_BETAS, _BETA = 10, 3.0
"""Sliders of another body model, and the ends of each."""

_AVERAGE = 0.5
"""The strength of a label of anny that a scene leaves out."""

_OWN = (255, 255, 255)
"""What is shown for a part that has its own colours."""


class PersonControls:
    """Widgets of the body and the outfit of one person, by hand, and of the options."""

    def __init__(self, gui: Gui, session: Session) -> None:
        self._session = session
        self._tries = 0
        self._title = gui.add_folder("This person, by hand")
        with self._title:
            self._sliders = self._add_sliders(gui)
            self._height = gui.add_markdown("")
            self._choices = {use: gui.add_dropdown(label, ("-",)) for use, label in USES.items()}
            labels = (SKIN, HAIR, *(f"Clothes {part}" for part in range(1, REGIONS + 1)))
            hint = "White: the garment has its own colours."
            self._colors = {
                label: gui.add_rgb(label, _OWN, hint=hint if label.startswith("Clothes") else None)
                for label in labels
            }
            buttons = gui.add_button_group("", ("Another body", "Another outfit", "As drawn"))
            on_press(buttons, lambda: self._press(buttons.value))
        for label, slider in self._sliders.items():
            on_change(slider, partial(self._shape, label))
        for use, handle in self._choices.items():
            on_change(handle, partial(self._choose, use))
        for label, picker in self._colors.items():
            on_change(picker, partial(self._color, label))
        with gui.add_folder("How options draw people"):
            self._options = [OptionWidget(gui, session, option) for option in PEOPLE]

    def _add_sliders(self, gui: Gui) -> dict[str, Any]:
        body = self._session.body
        if isinstance(body, AnnyBody):
            return {
                label: gui.add_slider(name, 0.0, 1.0, 0.01, _AVERAGE, marks=marks)
                for label, (name, marks) in _BODY.items()
            }
        return {
            label: gui.add_slider(label, -_BETA, _BETA, 0.05, 0.0)
            for label in body.shape_labels[:_MOST_BETAS]
        }

    def show(self, shown: Shown) -> None:
        """Show the person of a whole picture."""
        session = self._session
        posed = shown.sampled.people[session.person_index]
        person, packs = posed.person, shown.state.config.packs
        for label, slider in self._sliders.items():
            default = _AVERAGE if label in _BODY else 0.0
            value = round(person.shape.get(label, default), 3)
            put(slider, "min", min(float(slider.min), value))
            put(slider, "max", max(float(slider.max), value))
            put(slider, "value", value)
        put(self._height, "content", f"**{height_of(posed):.2f} m** tall, standing upright")
        for use, handle in self._choices.items():
            name = chosen(person.outfit, use, packs)
            names = choices(use, packs, session.body)
            put(handle, "options", names if name in names else (*names, name))
            put(handle, "value", name)
        now = colors(person.outfit, packs, session.body)
        for label, picker in self._colors.items():
            color = now.get(label)
            put(picker, "visible", label in now)
            put(picker, "value", _OWN if color is None else _to_rgb(color))
        for option in self._options:
            option.show(shown)

    def _shape(self, label: str, value: float) -> None:
        def edit(state: State, _: Person, number: int) -> State:
            return with_shape(state, number, {label: float(value)})

        self._session.change_person(edit, ("shape", label))

    def _choose(self, use: str, name: str) -> None:
        body = self._session.body
        self._edit_outfit(lambda outfit, packs: with_choice(outfit, use, name, packs, body), None)

    def _color(self, label: str, rgb: tuple[int, int, int]) -> None:
        color = to_hex(np.array(rgb) / 255)
        key = ("color", label)
        self._edit_outfit(lambda outfit, packs: with_color(outfit, label, color, packs), key)

    def _edit_outfit(
        self, change: Callable[[Outfit, tuple[str, ...]], Outfit], key: object
    ) -> None:
        def edit(state: State, person: Person, number: int) -> State:
            before = state.given(number).outfit or person.outfit
            return with_outfit(state, number, change(before, state.config.packs))

        self._session.change_person(edit, key)

    def _press(self, button: str) -> None:
        def edit(state: State, _: Person, number: int) -> State:
            if button == "As drawn":
                return as_drawn(state, number)
            self._tries += 1
            other = another_person(state, self._tries, self._session.body)
            if button == "Another body":
                return with_shape(state, number, other.shape)
            return with_outfit(state, number, other.outfit)

        self._session.change_person(edit, None)


def height_of(posed: PosedPerson) -> float:
    """The height of a person who stands upright, metres; without shoes and hair."""
    rest = posed.at_origin.vertices if posed.at_origin.rest is None else posed.at_origin.rest
    return float(np.ptp(rest[layer_vertices(posed.surface, "skin"), 2]))


def _to_rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in from_hex(color).tolist())
    return red, green, blue
