"""What the studio shows, as data: options, the number of the image, and what was set by hand.

The scene is a pure function of it, by the same code that draws datasets. So a pose that was set by
hand is the pose of a file of `--poses`, and a camera that was moved by hand is a range of
`--azimuth`, `--elevation`, `--roll` and `--distance` whose ends are equal. No option draws one
body or one outfit: a scene has these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from repogen.bodies import Body
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.cameras.camera import View, view_of
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.limits import MAX_PEOPLE
from repogen.people.outfit import Outfit
from repogen.people.person import Given, Person, with_given
from repogen.people.posing import PosedPerson, move_person, pose_person
from repogen.poses.clips import Pose, Vector
from repogen.poses.sampling import named_pose
from repogen.scenes.rng import Streams
from repogen.scenes.sample.person import sample_person
from repogen.scenes.sample.scene import SampledScene, sample_posed_scene
from repogen.scenes.sample.shots import frame, sample_camera
from repogen.scenes.scene import Scene


@dataclass(frozen=True)
class State:
    """Options, the index of the image from 0, and what was set by hand.

    `people` is what was set of them, by number from 0; `view` is the camera's of the first person.
    With a scene that was `opened`, nothing is drawn: people stand where it has them.
    """

    config: GenerateConfig
    index: int = 0
    people: tuple[tuple[int, Given], ...] = ()
    view: View | None = None
    opened: Scene | None = None

    @property
    def by_hand(self) -> str:
        """What was set by hand, in words; empty for a scene that the options draw."""
        given = [given for _, given in self.people]
        parts = {
            "opened scene": self.opened,
            "pose": any(one.pose for one in given),
            "body": any(one.shape for one in given),
            "outfit": any(one.outfit for one in given),
            "view": self.view,
        }
        return ", ".join(name for name, is_set in parts.items() if is_set)

    def given(self, person_index: int) -> Given:
        """What was set of a person."""
        return dict(self.people).get(person_index, Given())


def draw(state: State, body: Body) -> SampledScene:
    """The scene with its people as they are posed. Raises `UserError` where the options cannot be
    drawn from."""
    if state.opened is not None:
        return _changed(state, state.opened, body)
    config = drawn_config(state)
    return sample_posed_scene(config, config.seed, state.index, body, dict(state.people))


def drawn_config(state: State) -> GenerateConfig:
    """The options with the view that was set by hand."""
    if state.view is None:
        return state.config
    view = state.view
    return with_options(
        state.config,
        "camera",
        azimuth=(view.azimuth_deg, view.azimuth_deg),
        elevation=(view.elevation_deg, view.elevation_deg),
        roll=(view.roll_deg, view.roll_deg),
        distance=(view.distance_m, view.distance_m),
    )


def _changed(state: State, scene: Scene, body: Body) -> SampledScene:
    """An opened scene with what was set by hand."""
    posed = tuple(_changed_person(body, one, state.given(i)) for i, one in enumerate(scene.people))
    people = tuple(one.person for one in posed)
    camera = scene.camera
    if state.view is not None:
        first, streams = people[0], Streams(state.config.seed, state.index)
        camera = sample_camera(state.config, streams, state.view, first.position, first.yaw_deg)
        points = np.concatenate([one.outer_points for one in posed])
        camera = frame(state.config, streams, camera, points)
    return SampledScene(replace(scene, people=people, camera=camera), posed)


def _changed_person(body: Body, person: Person, given: Given) -> PosedPerson:
    """A person of an opened scene; with another body or outfit they stand as high as before."""
    posed = pose_person(body, with_given(person, given))
    if not given.shape and given.outfit is None:
        return posed
    before = pose_person(body, with_given(person, Given(given.pose)))
    x, y, z = person.position
    return move_person(body, posed, (x, y, z + before.lowest - posed.lowest), person.yaw_deg)


def with_options(config: GenerateConfig, group: str, **options: object) -> GenerateConfig:
    """The config with options of a group (empty: of no group) replaced. What it has read of
    backgrounds is kept where that does not depend on them. Raises `UserError` as configs do."""
    values: dict[str, Any] = {**options}
    if not group:
        new = replace(config, **values)
    else:
        new = replace(config, **{group: replace(getattr(config, group), **values)})
    if _backdrop_key(config) == _backdrop_key(new):
        read = {name: value for name, value in vars(config).items() if name in _READ}
        vars(new).update(read)
    return new


_READ = ("backdrop", "floorless")
"""What configs keep of the files that backgrounds name (`functools.cached_property`)."""


def _backdrop_key(config: GenerateConfig) -> tuple[object, ...]:
    return config.environment, config.packs, config.camera.size, config.people.ground


def with_option(state: State, group: str, name: str, value: object) -> State:
    """The state with another option. An opened scene is drawn by the options from then on, with its
    people and from its view. An option of bodies or clothes takes back what was set of these.
    Raises `UserError` for a value that the option refuses."""
    state = released(state)
    taken = _TAKEN_BACK.get((group, name))
    if taken is not None:
        cleared = [(i, replace(one, **{taken: getattr(Given(), taken)})) for i, one in state.people]
        state = replace(state, people=tuple((i, one) for i, one in cleared if one))
    return replace(state, config=with_options(state.config, group, **{name: value}))


_TAKEN_BACK = {
    ("pose", "pose"): "pose",
    **{("people", name): "shape" for name in ("ages", "gender")},
    **{("people", name): "outfit" for name in ("wardrobe", "patterns", "styles")},
}
"""The field of `Given` that an option draws, by its group and name."""


def with_number(state: State, seed: int, index: int) -> State:
    """The state of another image. What was set by hand stays. Raises `UserError` for numbers out
    of range."""
    if not 0 <= index < 2**63:
        raise UserError(f"index {index} must lie between 0 and 2**63 - 1")
    config = with_options(state.config, "", seed=seed)
    return replace(released(state), config=config, index=index)


def released(state: State) -> State:
    """The state in which options draw the scene: an opened one leaves its people's poses, bodies
    and outfits, and its view."""
    scene = state.opened
    if scene is None:
        return state
    people = [with_given(one, state.given(i)) for i, one in enumerate(scene.people)]
    given = [
        (i, Given(pose_now(state, one, i), one.shape, one.outfit)) for i, one in enumerate(people)
    ]
    first = scene.people[0]
    view = state.view or view_of(scene.camera, first.position, first.yaw_deg)
    return replace(state, opened=None, people=tuple(given), view=view)


def opened_scene(scene: Scene, config: GenerateConfig) -> State:
    """The state that shows a scene as it is. Raises `UserError` for one without people."""
    if not scene.people:
        raise UserError(f"scene {scene.index} has no people; the studio shows one at least")
    width, height = scene.camera.width, scene.camera.height
    size = width if width == height else (width, height)
    config = with_options(with_options(config, "", seed=scene.seed), "camera", image_size=size)
    return State(config, scene.index, opened=scene)


def pose_of(person: Person) -> Pose:
    """The pose of a person, fingers included."""
    return Pose(dict(person.angles), person.orientation)


def with_pose(state: State, person_index: int, pose: Pose) -> State:
    """The state with a pose set by hand. Angles are rounded as pose files hold them, so that a
    file of it gives the same picture."""
    angles = {joint: _rounded(vector) for joint, vector in pose.angles.items()}
    rounded = Pose(angles, _rounded(pose.orientation))
    config = state.config
    if config.pose.pose is not None or config.pose.sampler is not None:
        config = with_options(config, "pose", pose=None, sampler=None)
    return with_person(replace(state, config=config), person_index, pose=rounded)


def with_person(state: State, person_index: int, **fields: object) -> State:
    """The state with fields of `Given` of a person."""
    values: dict[str, Any] = {**fields}
    given = replace(state.given(person_index), **values)
    people = {**dict(state.people), person_index: given}
    return replace(state, people=tuple((i, one) for i, one in sorted(people.items()) if one))


def _rounded(vector: Vector) -> Vector:
    x, y, z = np.array(vector, np.float32).tolist()
    return x, y, z


def pose_now(state: State, person: Person, person_index: int) -> Pose:
    """The pose of a person as it was last set by hand, else as it is drawn."""
    return state.given(person_index).pose or pose_of(person)


def with_joint(
    state: State, person: Person, person_index: int, joint: str, vector: Vector
) -> State:
    """The state with one joint of a person, who is as drawn, rotated by hand (degrees)."""
    pose = pose_now(state, person, person_index)
    return with_pose(state, person_index, pose._replace(angles=pose.angles | {joint: vector}))


def with_orientation(state: State, person: Person, person_index: int, orientation: Vector) -> State:
    """The state with a person turned by hand; `orientation` as in `Pose`."""
    pose = pose_now(state, person, person_index)
    return with_pose(state, person_index, pose._replace(orientation=orientation))


def with_named_pose(state: State, person: Person, person_index: int, name: str) -> State:
    """The state with a person in a named pose; hands stay as they are. Raises `UserError` for an
    unknown name."""
    pose = named_pose(name, state.config.pose.joint_bounds)
    still = dict.fromkeys(BODY_JOINTS, (0.0, 0.0, 0.0))
    angles = {**person.angles, **still, **pose.angles}
    return with_pose(state, person_index, Pose(angles, pose.orientation))


def without_pose(state: State, person_index: int) -> State:
    """The state in which the options draw a person's pose."""
    return with_person(released(state), person_index, pose=None)


def with_shape(state: State, person_index: int, shape: Mapping[str, float]) -> State:
    """The state with strengths of a person's body shape labels (see `Person`), in addition to what
    was set before."""
    return with_person(state, person_index, shape={**state.given(person_index).shape, **shape})


def with_outfit(state: State, person_index: int, outfit: Outfit) -> State:
    """The state with a person's outfit."""
    return with_person(state, person_index, outfit=outfit)


def as_drawn(state: State, person_index: int) -> State:
    """The state in which the options draw a person's body and outfit."""
    return with_person(released(state), person_index, shape={}, outfit=None)


def another_person(state: State, number: int, body: Body) -> Person:
    """The `number`-th of other people whom the options draw, from 1: for a body or an outfit.
    Raises `UserError` where they cannot be drawn."""
    streams = Streams(state.config.seed, state.index).of_person(MAX_PEOPLE + number)
    return sample_person(state.config, streams, body)[0]


def view_now(state: State, scene: Scene) -> View:
    """The view of the first person that the scene has."""
    if state.view is not None:
        return state.view
    return view_of(scene.camera, scene.people[0].position, scene.people[0].yaw_deg)


def with_view(state: State, view: View) -> State:
    """The state with a camera moved by hand. Raises `UserError` for a camera that stands at one
    position, and for angles and distances that options refuse."""
    if state.config.camera.fixed and state.opened is None:
        raise UserError(
            "this camera stands at one position (R and t of its file, or the mount); leave out the "
            "camera file to move it"
        )
    moved = replace(state, view=view)
    drawn_config(moved)
    return moved
