"""The tab of a dataset: a sheet of its images, filters, marks, and opening one in the editor."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import viser

from repogen.arrays import UInt8
from repogen.errors import UserError
from repogen.scenes.scene import Scene
from repogen.studio.browser import HARDEST, LEAST_OKS, NUMBER, Browser, Filter
from repogen.studio.model import Model
from repogen.studio.session import Session
from repogen.studio.widgets import on_change, on_press, put
from repogen.visualization.sheet import contact_sheet

_COLUMNS, _ROWS, _TILE = 3, 4, 192
_MARK = (60, 60, 235)
_ALL = "all views"


class _Range(NamedTuple):
    """A field of `Filter` with two ends."""

    name: str
    label: str
    low: float
    high: float
    step: float
    help: str


_RANGES = (
    _Range("elevation", "Elevation (°)", -90.0, 90.0, 1.0, "Of the camera: 90 is straight above."),
    _Range("visible", "Visible joints", 0, 17, 1, "Of the first person."),
    _Range(
        "side", "Person's share", 0.0, 1.0, 0.01,
        "The longer side of the first person's box, as a share of the image's.",
    ),
    _Range(
        "difficulty", "Difficulty", 0.0, 1.0, 0.01,
        "As repogen mine judged the image: 0 is easy, 1 all wrong.",
    ),
    _Range(
        "similarity", "OKS", 0.0, 1.0, 0.01,
        "Of the estimator, once it was asked: 1 is right, 0 all wrong.",
    ),
)  # fmt: skip


class DatasetControls:
    """Widgets that browse a dataset; there are none before `browse`."""

    def __init__(
        self,
        gui: viser.GuiApi,
        panel: viser.PanelHandle,
        session: Session,
        root: Path,
        open_scene: Callable[[Scene], None],
        said: Callable[[str], None],
    ) -> None:
        self._gui, self._panel, self._session, self._root = gui, panel, session, root
        self._open_scene, self._said = open_scene, said
        self._tab: Any = None
        self._filter = Filter()
        self._page = 0
        self._order = NUMBER

    def browse(self, browser: Browser) -> None:
        """Show a dataset, in place of another."""
        if self._tab is not None:
            self._tab.remove()
        self._browser, self._filter, self._page = browser, Filter(), 0
        self._order = HARDEST if browser.is_mined else NUMBER
        self._tab = self._panel.add_tab("Dataset", viser.Icon.LAYOUT_GRID)
        with self._tab:
            self._add_widgets()
        self._show()

    def _add_widgets(self) -> None:
        gui, browser = self._gui, self._browser
        gui.add_markdown(f"`{browser.dataset.root}`")
        self._sheet = gui.add_image(np.full((8, 8, 3), 255, np.uint8), format="jpeg")
        self._count = gui.add_markdown("")
        moves = gui.add_button_group("", ("Back", "Forward"))
        on_press(moves, lambda: self._move(1 if moves.value == "Forward" else -1))
        self._ids = gui.add_button_group("Open", ("-",))
        on_press(self._ids, lambda: self._open(self._ids.value))
        self._marks = gui.add_button_group("Mark", ("-",))
        on_press(self._marks, lambda: self._mark(self._marks.value))
        export = gui.add_button("Export marked ids")
        on_press(export, lambda: self._session.submit(self._export))
        with gui.add_folder("Only images with"):
            views = gui.add_dropdown("View", (_ALL, *sorted(browser.views)))
            on_change(views, lambda value: self._narrow(view="" if value == _ALL else value))
            for one in self._ranges():
                slider = gui.add_multi_slider(
                    one.label, one.low, one.high, one.step, initial_value=(one.low, one.high),
                    hint=one.help,
                )  # fmt: skip
                on_change(slider, partial(self._narrow_to, one.name))
            marked = gui.add_checkbox("A mark", False)
            on_change(marked, lambda value: self._narrow(marked=value))
        orders = (NUMBER, *[HARDEST] * browser.is_mined, *[LEAST_OKS] * self._can_ask)
        self._sorted = gui.add_dropdown("Order", orders, initial_value=self._order)
        on_change(self._sorted, self._sort)
        if self._session.model is not None:
            self._ask = gui.add_button(
                f"Ask {self._session.model.name}",
                hint="About all images that are shown; then they can be filtered by OKS, and come "
                "with the lowest OKS first.",
            )
            on_press(self._ask, lambda: self._session.submit(self._start_asking))
            self._bar = gui.add_progress_bar(0.0, visible=False)

    def _ranges(self) -> list["_Range"]:
        """The ranges that images of this dataset have values for."""
        absent = {"difficulty"} if not self._browser.is_mined else set()
        absent |= {"similarity"} if not self._can_ask else set()
        return [one for one in _RANGES if one.name not in absent]

    def _narrowed(self) -> str:
        """The ranges that leave images out, in words; the sliders show no numbers."""
        found = [(one, getattr(self._filter, one.name)) for one in self._ranges()]
        return "".join(
            f"; {one.label} {low:g} … {high:g}"
            for one, (low, high) in found
            if (low, high) != (one.low, one.high)
        )

    @property
    def _can_ask(self) -> bool:
        return self._session.model is not None

    def _sort(self, order: str) -> None:
        def job() -> None:
            self._order, self._page = order, 0
            self._show()

        self._session.submit(job)

    def _narrow_to(self, name: str, ends: Sequence[float]) -> None:
        self._narrow(**{name: tuple(ends)})

    def _narrow(self, **fields: Any) -> None:
        def job() -> None:
            self._filter, self._page = replace(self._filter, **fields), 0
            self._show()

        self._session.submit(job)

    def _move(self, pages: int) -> None:
        def job() -> None:
            self._page += pages
            self._show()

        self._session.submit(job)

    def _open(self, name: str) -> None:
        if name.isdigit():
            self._session.submit(lambda: self._open_scene(self._browser.scene(int(name))))

    def _mark(self, name: str) -> None:
        def job() -> None:
            if name.isdigit():
                self._browser.marks ^= {int(name)}
                self._show()

        self._session.submit(job)

    def _export(self) -> None:
        path = self._browser.export(self._root)
        self._said(f"{len(self._browser.marks)} ids written to {path}")

    def _start_asking(self) -> None:
        """Ask the model on a thread of its own, with an estimator of its own: the session's is used
        meanwhile."""
        model = self._session.model
        if model is None or self._bar.visible:
            return
        browser, ids = self._browser, self._browser.ids(self._filter)
        put(self._bar, "value", 0.0)
        put(self._bar, "visible", True)
        threading.Thread(target=self._ask_about, args=(browser, model, ids), daemon=True).start()

    def _ask_about(self, browser: Browser, model: Model, ids: list[int]) -> None:
        bar = self._bar
        try:
            for done in browser.ask(model.copy(), ids):
                put(bar, "value", 100.0 * done / len(ids))
            self._sort(LEAST_OKS)
        except UserError as error:
            self._said(str(error))
        finally:
            put(bar, "visible", False)

    def _show(self) -> None:
        """Show the page of the images that pass the filter."""
        browser, size = self._browser, _COLUMNS * _ROWS
        put(self._sorted, "value", self._order)
        ids = browser.ordered(browser.ids(self._filter), self._order)
        last = max(0, (len(ids) - 1) // size)
        self._page = min(max(self._page, 0), last)
        shown = ids[self._page * size : (self._page + 1) * size]
        put(
            self._count,
            "content",
            f"**{len(ids)}** of {len(browser)} images, page {self._page + 1} of {last + 1}; "
            f"**{len(browser.marks)}** marked{self._narrowed()}",
        )
        names = tuple(map(str, shown)) or ("-",)
        put(self._ids, "options", names)
        put(self._marks, "options", names)
        self._sheet.image = _sheet(browser, shown)


def _sheet(browser: Browser, ids: list[int]) -> UInt8[np.ndarray, "h w 3"]:
    """The images, RGB, in the order of the ids, with their numbers and a frame around marked
    ones."""
    if not ids:
        return np.full((_TILE // 2, _COLUMNS * _TILE, 3), 255, np.uint8)
    rows = -(-len(ids) // _COLUMNS)
    column = contact_sheet(browser.dataset, ids, 1, _TILE)
    tiles = dict(zip(sorted(ids), np.split(column, len(ids)), strict=True))
    sheet = np.full((rows * _TILE, _COLUMNS * _TILE, 3), 255, np.uint8)
    for number, image_id in enumerate(ids):
        row, left = divmod(number, _COLUMNS)
        tile = sheet[row * _TILE : (row + 1) * _TILE, left * _TILE : (left + 1) * _TILE]
        tile[:] = tiles[image_id]
        _write(tile, browser.caption(image_id))
        if image_id in browser.marks:
            cv2.rectangle(tile, (2, 2), (_TILE - 3, _TILE - 3), _MARK, 4)
    return np.ascontiguousarray(sheet[..., ::-1])


def _write(tile: UInt8[np.ndarray, "h w 3"], text: str) -> None:
    """Write white text on a dark ground into the upper left corner."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    (width, height), _ = cv2.getTextSize(text, font, scale, 1)
    tile[: height + 12, : width + 12] //= 3
    cv2.putText(tile, text, (6, height + 5), font, scale, (255, 255, 255), 1, cv2.LINE_AA)
