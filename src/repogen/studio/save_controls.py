"""The tab of saving: files, the command, and a dataset like the image."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import viser

from repogen.errors import UserError
from repogen.pictures import encode_png
from repogen.processors import default_workers
from repogen.studio.generating import Generating
from repogen.studio.options import Likeness, keeps_pose, options_like, options_to_command
from repogen.studio.picture import draw_layers
from repogen.studio.saving import OPTIONS, POSE, Saved, save
from repogen.studio.session import Session, Shown
from repogen.studio.widgets import Gui, on_change, on_press, put

_COPY = """<div style="padding:0 .75em .5em">
<pre style="white-space:pre-wrap;overflow-wrap:anywhere;background:rgba(128,128,128,.12);
border-radius:4px;padding:.6em;margin:0 0 .4em;font-size:.72em">{text}</pre>
<button style="width:100%;padding:.4em;cursor:pointer" data-text="{text}"
onclick="navigator.clipboard.writeText(this.dataset.text).then(
() => this.textContent = 'Copied')">Copy command</button></div>"""
"""A command and a button that copies it. On pages that are not from this machine browsers copy
nothing; the text can still be selected."""


_SAVE_FIRST = """<div style="padding:0 .75em .5em;font-size:.8em">Save first: the command names the
file of the pose.</div>"""


class SaveControls:
    """Widgets that save. `opened` is called with the folder of a finished dataset, on any thread;
    `said` with messages."""

    def __init__(
        self,
        gui: Gui,
        session: Session,
        root: Path,
        opened: Callable[[Path], None],
        said: Callable[[str], None],
    ) -> None:
        self._session, self._root, self._opened, self._said = session, root, opened, said
        self._run: Generating | None = None
        on_press(gui.add_button("Save all", icon=viser.Icon.DEVICE_FLOPPY), self._save)
        self._where = gui.add_markdown(
            f"Into a new folder below `{root}`: scene, pose, options, command, picture with and "
            "without labels, labels."
        )
        scene = gui.add_button("Download scene.json")
        scene.on_click(self._download_scene)
        picture = gui.add_button("Download the picture with labels")
        picture.on_click(self._download_picture)
        with gui.add_folder("A dataset like this"):
            self._images = gui.add_slider("Images", 1, 1000, 1, 100)
            self._pose = gui.add_checkbox(
                "Keep the pose", False, hint="Always, if it was set by hand."
            )
            self._noise = gui.add_slider("Noise on its angles (°)", 0.0, 30.0, 0.5, 0.0)
            self._view = gui.add_checkbox(
                "Keep the view", False, hint="Always, if it was set by hand."
            )
            self._away = gui.add_slider("Around the view (°)", 0.0, 90.0, 1.0, 0.0)
            self._share = gui.add_slider("Around its distance (%)", 0.0, 90.0, 5.0, 0.0)
            for handle in (self._pose, self._noise, self._view, self._away, self._share):
                on_change(handle, lambda _: session.submit(self._show_command))
            on_change(self._images, lambda _: session.submit(self._show_command))
            self._start = gui.add_button("Generate 100 like this")
            on_press(self._start, self._generate)
            self._bar = gui.add_progress_bar(0.0, visible=False)
            self._end = gui.add_button("Stop", visible=False)
            on_press(self._end, self.stop)
            self._command = gui.add_html("")

    @property
    def likeness(self) -> Likeness:
        """What the dataset has in common with the image, as the widgets say."""
        return Likeness(
            pose=bool(self._pose.value),
            pose_deg=float(self._noise.value),
            view=bool(self._view.value),
            view_deg=float(self._away.value),
            distance_share=float(self._share.value) / 100,
        )

    def show(self, _: Shown) -> None:
        """Show the command that makes a dataset like a whole picture."""
        self._show_command()

    def stop(self) -> None:
        """End a run of `repogen generate`."""
        if self._run is not None and self._run.is_running:
            self._run.stop()

    def _show_command(self) -> None:
        images = int(self._images.value)
        put(self._start, "label", f"Generate {images} like this")
        last = self._session.last
        if last is None:
            return
        if keeps_pose(last.state, self.likeness):
            put(self._command, "content", _SAVE_FIRST)
            return
        scene, state = last.sampled.scene, last.state
        config = options_like(state, scene, self.likeness, Path(POSE), images)
        self._show_text(options_to_command(config, "out"))

    def _show_text(self, command: str) -> None:
        put(self._command, "content", _COPY.format(text=escape(command, quote=True)))

    def _save(self) -> None:
        def job() -> None:
            saved = self._write()
            put(self._where, "content", f"Saved in `{saved.folder}`")
            self._show_text(saved.command)

        self._session.submit(job)

    def _write(self) -> Saved:
        last = self._session.last
        if last is None or not last.is_still:
            raise UserError("the picture is still being made; save again in a moment")
        drawn = draw_layers(last.rendering, self._session.layers, last.found)
        images = int(self._images.value)
        return save(self._root, last.state, last.rendering, drawn, self.likeness, images)

    def _generate(self) -> None:
        def job() -> None:
            if self._run is not None and self._run.is_running:
                raise UserError("a dataset is being made; stop it first")
            saved = self._write()
            out = saved.folder / "dataset"
            put(self._bar, "visible", True)
            put(self._bar, "value", 0.0)
            put(self._end, "visible", True)
            workers = max(1, default_workers() - 1)
            self._run = Generating(
                saved.folder / OPTIONS, out, workers, self._moved,
                lambda message, done: self._finished(out, message, done),
            )  # fmt: skip

        self._session.submit(job)

    def _moved(self, done: int, total: int) -> None:
        put(self._bar, "value", 100.0 * done / max(total, 1))

    def _finished(self, out: Path, message: str, done: bool) -> None:
        put(self._bar, "visible", False)
        put(self._end, "visible", False)
        if done:
            self._opened(out)
        self._said(message)

    async def _download_scene(self, event: viser.GuiEvent[Any]) -> None:
        last = self._session.last
        if event.client is not None and last is not None:
            text = last.sampled.scene.to_json() + "\n"
            event.client.send_file_download("scene.json", text.encode(), save_immediately=True)

    async def _download_picture(self, event: viser.GuiEvent[Any]) -> None:
        last = self._session.last
        if event.client is not None and last is not None:
            drawn = draw_layers(last.rendering, self._session.layers, last.found)
            data = encode_png(np.ascontiguousarray(drawn[..., ::-1]))
            event.client.send_file_download("labelled.png", data, save_immediately=True)
