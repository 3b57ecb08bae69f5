"""The tab of the camera: the view, by hand or by the options, lens and framing."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import viser

from repogen.cameras.camera import View, direction_to_angles, wrap_degrees
from repogen.scenes.scene import Scene
from repogen.studio.option_tables import CAMERA
from repogen.studio.session import Session, Shown
from repogen.studio.state import State, view_now, with_option, with_view
from repogen.studio.widgets import Gui, OptionWidget, on_change, on_press, put

_FIELDS = {
    "azimuth_deg": ("Azimuth (°)", -180.0, 180.0, 0.5, "0 is in front, 90 at the person's left."),
    "elevation_deg": ("Elevation (°)", -90.0, 90.0, 0.5, "90 is straight above."),
    "roll_deg": ("Roll (°)", -180.0, 180.0, 0.5, "Clockwise turn of the camera."),
    "distance_m": ("Distance (m)", 0.3, 12.0, 0.05, "From the camera to the middle of the hips."),
}  # fmt: skip
"""The fields of `View`: label, ends, step and help."""


class CameraControls:
    """Widgets of the camera."""

    def __init__(self, gui: Gui, session: Session) -> None:
        self._session = session
        gui.add_markdown("Drag the **camera's ball** over the sphere in the 3D view, or:")
        self._sliders = {
            name: gui.add_slider(label, low, high, step, 1.0, hint=hint)
            for name, (label, low, high, step, hint) in _FIELDS.items()
        }
        for name, slider in self._sliders.items():
            on_change(slider, partial(self._set, name))
        here = gui.add_button(
            "Look from here", hint="Move the camera to where this browser's 3D view looks from."
        )
        here.on_click(self._look_from_here)
        self._release = gui.add_button("Let the options choose the view")
        on_press(self._release, self._let_options)
        with gui.add_folder("How options choose cameras"):
            self._options = [OptionWidget(gui, session, option) for option in CAMERA]
            self._mount = gui.add_text(
                "Mount", "", hint="Of a camera file: height (m), tilt and roll (°); empty for none."
            )
            on_press(gui.add_button("Use this mount"), self._use_mount)

    def show(self, shown: Shown) -> None:
        """Show the view of a whole picture."""
        view = view_now(shown.state, shown.sampled.scene)
        for name, slider in self._sliders.items():
            value = float(getattr(view, name))
            value = wrap_degrees(value) if name in ("azimuth_deg", "roll_deg") else value
            put(slider, "max", max(float(slider.max), value))
            put(slider, "value", round(value, 3))
        put(self._release, "visible", shown.state.view is not None)
        for option in self._options:
            option.show(shown)
        mount = shown.state.config.camera.camera_mount
        put(self._mount, "value", " ".join(map(str, mount)) if mount else "")

    def look(self, azimuth: float, elevation: float, phase: str) -> None:
        """Move the camera to an azimuth and elevation; as often as somebody drags it."""
        if phase == "update":
            self._move("drag", azimuth_deg=wrap_degrees(azimuth), elevation_deg=elevation)

    def _set(self, name: str, value: float) -> None:
        self._move(name, **{name: float(value)})

    def _move(self, key: str, **fields: float) -> None:
        def edit(state: State, scene: Scene) -> State:
            return with_view(state, replace(view_now(state, scene), **fields))

        self._session.change(edit, key=("view", key))

    async def _look_from_here(self, event: viser.GuiEvent[Any]) -> None:
        if event.client is None:
            return
        eye = np.array(event.client.camera.position)

        def edit(state: State, scene: Scene) -> State:
            first = scene.people[0]
            away = eye - np.array(first.position)
            azimuth, elevation = direction_to_angles(away)
            azimuth = wrap_degrees(azimuth - first.yaw_deg)
            distance = float(np.clip(np.linalg.norm(away), 0.3, 100))
            return with_view(state, View(azimuth, elevation, 0.0, distance))

        self._session.change(edit)

    def _let_options(self) -> None:
        self._session.change(lambda state, _: replace(state, view=None))

    def _use_mount(self) -> None:
        words = self._mount.value.split()

        def edit(state: State, _: Scene) -> State:
            return with_option(state, "camera", "camera_mount", _mount(words))

        self._session.change(edit)


def _mount(words: list[str]) -> tuple[object, ...] | None:
    """Numbers from words; what is none is left to the option's own check."""
    values: list[object] = []
    for word in words:
        try:
            values.append(float(word))
        except ValueError:
            values.append(word)
    return tuple(values) or None
