"""The page: the picture at the left, the 3D view, and the tabs of widgets at the right."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import viser

from repogen.errors import UserError, printable
from repogen.scenes.scene import Scene
from repogen.studio.browser import Browser
from repogen.studio.camera_controls import CameraControls
from repogen.studio.dataset_controls import DatasetControls
from repogen.studio.person_controls import PersonControls
from repogen.studio.picture import Layers
from repogen.studio.pose_controls import PoseControls
from repogen.studio.save_controls import SaveControls
from repogen.studio.session import Session, Shown
from repogen.studio.state import State, opened_scene, with_number
from repogen.studio.surroundings_controls import SurroundingsControls
from repogen.studio.view3d import View3D
from repogen.studio.widgets import on_change, on_press, put

_LAYERS = {
    "skeleton": "Skeleton",
    "occluded": "Occluded joints, hollow",
    "boxes": "Boxes",
    "masks": "Masks",
    "predictions": "What the model finds",
}

_PICTURE_WIDTH, _CONTROLS_WIDTH = 470, 380
"""Pixels of the panels at the left and at the right."""

_MESSAGE_SECONDS = 12.0


class Page:
    """All widgets of the page. It follows the session, and changes it."""

    def __init__(
        self, server: viser.ViserServer, session: Session, root: Path, browser: Browser | None
    ) -> None:
        self._server, self._session = server, session
        gui = server.gui
        self._color_page(gui, is_dark=False)
        self._view = View3D(
            server,
            choose=lambda joint: self._pose.choose(joint),
            turn=lambda joint, rotation, phase: self._pose.turn(rotation, phase),
            look=lambda azimuth, elevation, phase: self._camera.look(azimuth, elevation, phase),
        )
        self._add_picture(gui)
        self._add_history(gui)
        tabs = gui.add_tab_group()
        with tabs.add_tab("Pose"):
            self._pose = PoseControls(gui, session, self._view.mark)
        with tabs.add_tab("Camera"):
            self._camera = CameraControls(gui, session)
        with tabs.add_tab("People"):
            self._people = PersonControls(gui, session)
        with tabs.add_tab("Scene"):
            self._surroundings = SurroundingsControls(gui, session)
        with tabs.add_tab("Save"):
            self._save = SaveControls(gui, session, root, self._opened_dataset, self.say)
        self._data = DatasetControls(
            gui, self._picture_panel, session, root, self.open_scene, self.say
        )
        if browser is not None:
            self._data.browse(browser)
        gui.main_panel.dock_right()
        gui.main_panel.set_width(_CONTROLS_WIDTH)
        self._view.mark(self._pose.joint)
        session.shown, session.said = self.show, self.say

    def _add_picture(self, gui: viser.GuiApi) -> None:
        self._picture_panel = gui.add_panel()
        with self._picture_panel.add_tab("Picture", viser.Icon.PHOTO):
            self._picture = gui.add_image(
                np.full((8, 8, 3), 200, np.uint8), format="jpeg", jpeg_quality=90
            )
            self._status = gui.add_markdown("drawing …")
            self._switches = {}
            for name, label in _LAYERS.items():
                if name != "predictions" or self._session.model is not None:
                    handle = gui.add_checkbox(label, getattr(Layers(), name))
                    on_change(handle, self._switch(name))
                    self._switches[name] = handle
            on_change(gui.add_checkbox("Dark page", False), partial(self._color_page, gui))
        self._picture_panel.dock_left()
        self._picture_panel.set_width(_PICTURE_WIDTH)

    def _color_page(self, gui: viser.GuiApi, is_dark: bool) -> None:
        """Set the colours of the page in every browser."""
        gui.configure_theme(
            show_logo=False, show_share_button=False, brand_color=(0, 128, 128), dark_mode=is_dark
        )

    def _add_history(self, gui: viser.GuiApi) -> None:
        session = self._session
        self._history = gui.add_button_group("", ("Undo", "Redo", "Next image"))
        on_press(self._history, self._press)
        now = session.history.now
        self._seed = gui.add_number("Seed", now.config.seed, min=0, step=1)
        self._index = gui.add_number("Index", now.index, min=0, step=1)
        for handle in (self._seed, self._index):
            on_change(handle, lambda _: self._number())
        self._person = gui.add_dropdown(
            "Person", ("1",), initial_value="1", visible=False,
            hint="Whose pose, body and outfit the tabs show and change.",
        )  # fmt: skip
        on_change(self._person, self._choose_person)

    def _switch(self, name: str) -> Callable[[bool], None]:
        def react(value: bool) -> None:
            def job() -> None:
                self._session.layers = replace(self._session.layers, **{name: value})
                self._session.redraw()

            self._session.submit(job)

        return react

    def _press(self) -> None:
        name, history = self._history.value, self._session.history

        def job() -> None:
            if not (history.undo() if name == "Undo" else history.redo()):
                raise UserError(f"nothing to {name.lower()}")

        if name == "Next image":
            self._session.change(lambda s, _: with_number(s, s.config.seed, s.index + 1))
        else:
            self._session.submit(job)

    def _number(self) -> None:
        seed, index = int(self._seed.value), int(self._index.value)
        self._session.change(lambda state, _: with_number(state, seed, index), key="number")

    def _choose_person(self, number: str) -> None:
        def job() -> None:
            self._session.person_index = int(number) - 1
            self._session.redraw()

        self._session.submit(job)

    def open_scene(self, scene: Scene) -> None:
        """Show a scene as it is."""

        def edit(state: State, _: Scene) -> State:
            return opened_scene(scene, state.config)

        self._session.person_index = 0
        self._session.change(edit)

    def _opened_dataset(self, folder: Path) -> None:
        def job() -> None:
            self._data.browse(Browser(folder))

        self._session.submit(job)

    def show(self, shown: Shown) -> None:
        """Show a picture; the widgets' values once it is a whole one."""
        self._picture.image = shown.picture
        plain = shown.rendering.image if shown.is_still else None
        bounds = shown.state.config.pose.joint_bounds
        self._view.show(shown.sampled, self._session.person_index, plain, bounds)
        self._status.content = _status(shown, self._session)
        self._pose.show_score(shown)
        if not shown.is_still:
            return
        put(self._seed, "value", shown.state.config.seed)
        put(self._index, "value", shown.state.index)
        count = len(shown.sampled.people)
        put(self._person, "options", tuple(str(number + 1) for number in range(count)))
        put(self._person, "value", str(self._session.person_index + 1))
        put(self._person, "visible", count > 1)
        self._pose.show(shown)
        self._camera.show(shown)
        self._surroundings.show(shown)
        self._save.show(shown)
        self._people.show(shown)

    def say(self, message: str) -> None:
        """Show a message in every browser."""
        for client in self._server.get_clients().values():
            client.add_notification(
                "repogen", printable(message), auto_close_seconds=_MESSAGE_SECONDS
            )

    def stop(self) -> None:
        """End what the page has started."""
        self._save.stop()


def _status(shown: Shown, session: Session) -> str:
    """What is seen, in lines of Markdown."""
    camera = shown.sampled.scene.camera
    lines = [
        f"{camera.width} × {camera.height} pixels, {1000 * shown.seconds:.0f} ms"
        + ("" if shown.is_still else " (small while you drag)")
    ]
    annotations = shown.rendering.annotations
    for number, annotation in enumerate(annotations, start=1):
        flags = annotation["keypoints"][2::3]
        name = f"person {number}: " if len(annotations) > 1 else ""
        lines.append(
            f"{name}**{flags.count(2)}** joints visible, **{flags.count(1)}** occluded, "
            f"**{flags.count(0)}** outside"
        )
    if not annotations:
        lines.append("nobody is visible")
    if shown.similarities and session.model is not None:
        values = ", ".join(f"**{value:.2f}**" for value in shown.similarities)
        lines.append(f"OKS of {session.model.name}: {values}")
    if shown.state.by_hand:
        lines.append(f"by hand: {shown.state.by_hand}")
    return "\n\n".join(lines)
