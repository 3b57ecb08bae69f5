"""CPU time of a picture of `repogen studio` while something is dragged, and when it is still.

    python benchmarks/studio.py --frames 25

All that the server does for a frame counts: drawing the scene, posing, rendering, labels, drawing
them, sending meshes and picture to viser. No browser is connected.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from measuring import line

from repogen import load_body
from repogen.generation.config import GenerateConfig
from repogen.studio.model import Model
from repogen.studio.page import Page
from repogen.studio.server import serving
from repogen.studio.session import PREVIEW_SIDE, Session, Shown
from repogen.studio.state import State, view_now, with_joint, with_view


def dragged_joint(state: State, shown: Shown, i: int) -> State:
    """The state after the i-th movement of a slider of the left elbow."""
    person = shown.sampled.people[0].person
    return with_joint(state, person, 0, "left_elbow", (0.0, -2.0 * i, 0.0))


def dragged_view(state: State, shown: Shown, i: int) -> State:
    """The state after the i-th movement of the camera over the sphere."""
    view = view_now(state, shown.sampled.scene)
    return with_view(state, replace(view, azimuth_deg=3.0 * i, elevation_deg=20.0 + 0.5 * i))


Edit = Callable[[State, Shown, int], State]


def measure(session: Session, frames: int, edit: Edit, is_still: bool) -> list[float]:
    """CPU milliseconds of each frame, after the first five."""
    out = []
    for i in range(frames + 5):
        started = time.process_time()
        session.history.push(edit(session.history.now, session.last, i), "drag", 0.0)
        session.show_now(is_still)
        out.append(1000 * (time.process_time() - started))
    return out[5:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3, help="People who are posed")
    options = parser.parse_args()
    body = load_body()
    with serving("127.0.0.1", 0, "benchmark") as (server, _):
        for name, model in (("", None), (" with lightning", Model(Path("lightning")))):
            for what, edit in (("a joint", dragged_joint), ("the camera", dragged_view)):
                for is_still in (False, True):
                    found: list[float] = []
                    for seed in range(options.seeds):
                        state = State(GenerateConfig(seed=seed, views="front"))
                        session = Session(state, body, model=model)
                        Page(server, session, Path(mkdtemp()), None)
                        session.show_now(True)
                        found += measure(session, options.frames, edit, is_still)
                        server.gui.reset()
                    size = "512 px, still" if is_still else f"{PREVIEW_SIDE} px, dragged"
                    line(f"{what}, {size}{name}", found, "ms of CPU")
                    rate = 1000 / np.array(found)
                    line("", [*rate], "frames/s of one core")


if __name__ == "__main__":
    main()
