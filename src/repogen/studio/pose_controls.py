"""The tab of poses: a named pose, joints with their bounds, plausibility."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from repogen.arrays import Float
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.people.person import Person
from repogen.poses.clips import Pose, Vector
from repogen.poses.motion import mirrored_pose
from repogen.poses.sampling import NAMED_POSES
from repogen.studio.frames import PELVIS, rotation_to_angles, rotation_to_orientation
from repogen.studio.option_tables import POSE
from repogen.studio.range_arcs import AXIS_NAMES, joint_limits
from repogen.studio.session import Session, Shown
from repogen.studio.state import (
    State,
    pose_now,
    with_joint,
    with_named_pose,
    with_orientation,
    with_pose,
    without_pose,
)
from repogen.studio.widgets import Gui, OptionWidget, on_change, on_press, put

_DRAWN = "as the options draw it"
_BEYOND_DEG = 30.0
"""Degrees that a slider reaches beyond the bounds of its joint."""

_AXES = ("left", "up", "front")
"""Where the axes x, y and z of rotation vectors point, as the person sees it in T-pose."""

Rotation = Float[Any, "3 3"]


class PoseControls:
    """Widgets that pose one person. `chosen` is called with the joint whose sliders are shown."""

    def __init__(self, gui: Gui, session: Session, chosen: Callable[[str], None]) -> None:
        self._session, self._chosen = session, chosen
        self.joint = "left_shoulder"
        self._named = gui.add_dropdown("Pose", (_DRAWN, "by hand", *NAMED_POSES))
        on_change(self._named, self._name)
        self._joint = gui.add_dropdown(
            "Joint", (PELVIS, *BODY_JOINTS), initial_value=self.joint,
            hint="Or click a joint's ball in the 3D view; drag the rings around it to turn it.",
        )  # fmt: skip
        on_change(self._joint, self.choose)
        self._angles = gui.add_folder(None)
        self._gui = gui
        self._limited: tuple[str, list[tuple[float, float]]] = "", []
        self._sliders: list[Any] = []
        buttons = gui.add_button_group("", ("Reset joint", "Mirror", "Draw again"))
        on_press(buttons, lambda: self._press(buttons.value))
        self._score = gui.add_markdown("")
        with gui.add_folder("How options draw poses"):
            self._options = [OptionWidget(gui, session, option) for option in POSE]

    def choose(self, joint: str) -> None:
        """Show the sliders of a joint, on the session's thread."""

        def job() -> None:
            self.joint = joint
            self._chosen(joint)
            if self._session.last is not None:
                self._show_joint(self._session.last)
                self._session.redraw()

        self._session.submit(job)

    def turn(self, rotation: Rotation, phase: str) -> None:
        """Turn the chosen joint's axes to where the columns of a rotation point in the world."""
        joint = self.joint

        def edit(state: State, person: Person, number: int) -> State:
            if joint == PELVIS:
                turned = rotation_to_orientation(person, rotation)
                return with_orientation(state, person, number, turned)
            newest = replace(person, angles=pose_now(state, person, number).angles)
            vector = rotation_to_angles(newest, joint, rotation)
            return with_joint(state, person, number, joint, vector)

        if phase == "update":
            self._session.change_person(edit, ("turn", joint))

    def show(self, shown: Shown) -> None:
        """Show the pose of a whole picture."""
        by_hand = shown.state.given(self._session.person_index).pose is not None
        name = shown.state.config.pose.pose or _DRAWN
        put(self._named, "value", "by hand" if by_hand else name)
        self._show_joint(shown)
        for option in self._options:
            option.show(shown)

    def show_score(self, shown: Shown) -> None:
        """Show how plausible the pose is."""
        on_floor = shown.state.config.people.ground != "air"
        put(self._score, "content", shown.score.text(on_floor))

    def _show_joint(self, shown: Shown) -> None:
        number = self._session.person_index
        pose = pose_now(shown.state, shown.sampled.scene.people[number], number)
        put(self._joint, "value", self.joint)
        limits = joint_limits(shown.state.config.pose.joint_bounds, self.joint)
        if (self.joint, limits) != self._limited:
            self._limited = self.joint, limits
            self._make_sliders()
        for slider, value in zip(self._sliders, self._vector(pose), strict=True):
            put(slider, "min", min(float(slider.min), value))
            put(slider, "max", max(float(slider.max), value))
            put(slider, "value", round(value, 1))

    def _make_sliders(self) -> None:
        """The sliders of a joint, which show its bounds: viser's cannot be moved."""
        joint, limits = self._limited
        for slider in self._sliders:
            slider.remove()
        beyond = 0.0 if joint == PELVIS else _BEYOND_DEG
        with self._angles:
            self._sliders = [
                self._gui.add_slider(
                    f"{axis}, {color} (°)", low - beyond, high + beyond, 0.5, 0.0,
                    hint=f"Turns about the person's {towards} in T-pose. The marks are the bounds, "
                    f"as is the {color} arc in the 3D view.",
                    marks=tuple((end, f"{end:.0f}°") for end in dict.fromkeys((low, high))),
                )
                for axis, towards, color, (low, high) in zip(
                    "xyz", _AXES, AXIS_NAMES, limits, strict=True
                )
            ]  # fmt: skip
        for axis, slider in enumerate(self._sliders):
            on_change(slider, partial(self._turn_axis, axis))

    def _vector(self, pose: Pose) -> Vector:
        if self.joint == PELVIS:
            return pose.orientation
        return pose.angles.get(self.joint, (0.0, 0.0, 0.0))

    def _turn_axis(self, axis: int, value: float) -> None:
        joint = self.joint

        def edit(state: State, person: Person, number: int) -> State:
            vector = list(self._vector(pose_now(state, person, number)))
            vector[axis] = float(value)
            turned = (vector[0], vector[1], vector[2])
            if joint == PELVIS:
                return with_orientation(state, person, number, turned)
            return with_joint(state, person, number, joint, turned)

        self._session.change_person(edit, (joint, axis))

    def _name(self, name: str) -> None:
        def edit(state: State, person: Person, number: int) -> State:
            if name == "by hand":
                return with_pose(state, number, pose_now(state, person, number))
            if name == _DRAWN:
                return without_pose(state, number)
            return with_named_pose(state, person, number, name)

        self._session.change_person(edit, None)

    def _press(self, button: str) -> None:
        def edit(state: State, person: Person, number: int) -> State:
            if button == "Reset joint" and self.joint == PELVIS:
                return with_orientation(state, person, number, (0.0, 0.0, 0.0))
            if button == "Reset joint":
                return with_joint(state, person, number, self.joint, (0.0, 0.0, 0.0))
            if button == "Mirror":
                return with_pose(state, number, mirrored_pose(pose_now(state, person, number)))
            return without_pose(state, number)

        self._session.change_person(edit, None)
