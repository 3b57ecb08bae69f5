"""The thread that owns the state: it takes changes, draws the scene and renders it.

All changes and all drawing happen on this thread, one after another, so that nothing here needs a
lock. While changes arrive, pictures are small; once none has for a moment, the whole one is made.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.bodies import Body
from repogen.errors import UserError
from repogen.labels import Rendering
from repogen.messages import say
from repogen.people.person import Person
from repogen.rendering.renderer import Renderer
from repogen.scenes.sample.scene import SampledScene
from repogen.scenes.scene import Scene
from repogen.studio.history import History
from repogen.studio.model import Model
from repogen.studio.picture import Layers, draw_layers, render_sampled
from repogen.studio.plausibility import Plausibility, plausibility
from repogen.studio.state import State, draw

PREVIEW_SIDE = 384
"""Longer side in pixels of the pictures while something is dragged."""

SHOWN_SIDE = 512
"""Pixels that smaller pictures are enlarged to on the page, so that it does not jump."""

_STILL_SECONDS = 0.35
"""Time without a change after which the whole picture is made."""

_QUICK_MODEL_S = 0.06
"""Seconds that a model may take to be asked while something is dragged, too."""

Edit = Callable[[State, Scene], State]
"""A new state, from the one that is and the scene it shows."""

EditPerson = Callable[[State, Person, int], State]
"""The same, from the state, a person of the scene, and the person's number."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What the page shows."""

    state: State
    sampled: SampledScene
    rendering: Rendering
    picture: UInt8[np.ndarray, "h w 3"]
    """With its layers, RGB."""
    is_still: bool
    """Whether it is the whole picture, not a small one."""
    seconds: float
    """Time that drawing and rendering took."""
    score: Plausibility
    """The person's whose handles are shown."""
    found: Sequence[Float[np.ndarray, "17 3"]] = ()
    similarities: Sequence[float] = ()
    """OKS of each of `found`."""


@dataclass
class Session:
    """The state with its history, and the thread that shows it.

    `shown` is called with each picture, `said` with messages, both on the session's thread.
    """

    state: State
    body: Body
    shown: Callable[[Shown], None] = lambda _: None
    said: Callable[[str], None] = say
    model: Model | None = None
    layers: Layers = field(default_factory=Layers)
    person_index: int = 0

    def __post_init__(self) -> None:
        self.history = History(self.state)
        self.last: Shown | None = None
        self._renderer = Renderer(self.body)
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._model_seconds = np.inf
        self._is_stale = True
        self._thread = threading.Thread(target=self._run, name="studio", daemon=True)

    def start(self) -> None:
        """Show the first picture and take changes from then on."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what it is doing."""
        self._jobs.put(None)
        self._thread.join(timeout=10)

    def submit(self, job: Callable[[], None]) -> None:
        """Let the thread call a function. What it raises is said."""
        self._jobs.put(job)

    def change(self, edit: Edit, key: object = None) -> None:
        """Let the thread change the state. Changes of the same `key` in a row are undone at
        once."""

        def job() -> None:
            assert self.last is not None
            new = edit(self.history.now, self.last.sampled.scene)
            self.history.push(new, key, time.monotonic())

        self.submit(job)

    def change_person(self, edit: EditPerson, key: object = None) -> None:
        """Let the thread change the state by the person that is chosen, as the scene has them."""

        def change(state: State, scene: Scene) -> State:
            number = self.person_index
            return edit(state, scene.people[number], number)

        self.change(change, key)

    def redraw(self) -> None:
        """Show the picture again, of changed layers or another person; on the thread only."""
        self._is_stale = True

    def _run(self) -> None:
        self._try(lambda: self.show_now(is_still=True))
        while True:
            waiting = self.last is not None and not self.last.is_still
            try:
                jobs = [self._jobs.get(timeout=_STILL_SECONDS if waiting else None)]
            except queue.Empty:
                self._try(lambda: self.show_now(is_still=True))
                continue
            while not self._jobs.empty():
                jobs.append(self._jobs.get_nowait())
            for job in jobs:
                if job is None:
                    return
                self._try(job)
            if self._is_stale or self.last is None or self.last.state is not self.history.now:
                self._try(lambda: self.show_now(is_still=False))

    def _try(self, job: Callable[[], None]) -> None:
        try:
            job()
        except UserError as error:
            self._refuse(str(error))
        except Exception as error:  # a defect of ours must not end the session
            traceback.print_exc()
            self._refuse(f"{type(error).__name__}: {error}")

    def _refuse(self, why: str) -> None:
        """Say why a change is refused, and go back to the state that is shown."""
        if self.last is not None and self.history.now is not self.last.state:
            self.history.drop()
            self._is_stale = True
        self.said(why)

    def show_now(self, is_still: bool) -> None:
        """Draw and render the state, small or whole; on the thread, or where none was started."""
        self._is_stale = False
        start = time.perf_counter()
        state = self.history.now
        sampled = draw(state, self.body)
        self.person_index = min(self.person_index, len(sampled.people) - 1)
        rendering = render_sampled(self._renderer, sampled, None if is_still else PREVIEW_SIDE)
        seconds = time.perf_counter() - start
        found: Sequence[Float[np.ndarray, "17 3"]] = ()
        similarities: Sequence[float] = ()
        if self.model is not None and (is_still or self._model_seconds < _QUICK_MODEL_S):
            asked = time.perf_counter()
            found, similarities = self.model.find(rendering)
            self._model_seconds = time.perf_counter() - asked
        self.last = Shown(
            state=state,
            sampled=sampled,
            rendering=rendering,
            picture=draw_layers(rendering, self.layers, found, SHOWN_SIDE),
            is_still=is_still,
            seconds=seconds,
            score=plausibility(sampled.people[self.person_index]),
            found=found,
            similarities=similarities,
        )
        self.shown(self.last)
