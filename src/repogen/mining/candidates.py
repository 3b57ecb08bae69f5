"""Candidates: scenes drawn as the options or a sampler say, rendered small, and judged.

A task is some indices of a run; its result depends on nothing else, whatever process does it.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from repogen.arrays import Bool, Float, UInt8
from repogen.bodies import Body, load_body
from repogen.bodies.intersection import intersecting_share
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.bodies.surface import layer_vertices
from repogen.cameras.camera import direction_to_angles, view_of
from repogen.generation.config import GenerateConfig
from repogen.inference.estimate import Estimator
from repogen.inference.network import load_estimator
from repogen.labels.annotation import visible_keypoints
from repogen.labels.convention import labelled_keypoints
from repogen.labels.maps import person_masks
from repogen.mining.config import JudgingConfig
from repogen.mining.difficulty import LOOKS, ask, finds, joint_oks, judge
from repogen.mining.records import Candidate, JudgedPerson
from repogen.models.packaged import packaged
from repogen.people.balance import centre_of_mass, overhang
from repogen.people.person import world_rotation
from repogen.people.posing import PosedPerson
from repogen.poses.plausibility import range_excess
from repogen.processes import torch_in_one_thread
from repogen.rendering.renderer import Renderer, RenderResult
from repogen.scenes.rng import Streams
from repogen.scenes.sample.person import component_of
from repogen.scenes.sample.scene import sample_posed_scene
from repogen.scenes.scene import Scene

SKIN_SAMPLES = 2000
"""Sampled skin faces of a candidate, by which the share of skin inside the body is measured."""

TASK = 16
"""Candidates in a task."""

_LUMA = np.array([0.114, 0.587, 0.299])
"""Weights of blue, green and red (ITU-R BT.601)."""


@dataclass(frozen=True)
class Task:
    """Some candidates of a run, and who is asked about them."""

    config: GenerateConfig
    judging: JudgingConfig
    weights: tuple[str, ...]
    sampler: str
    """SHA-256 of the config's sampler; empty without one: configs are kept, files may change."""
    indices: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Seen:
    """A person who is plausible and can be seen, before an estimator is asked. Pixels of the small
    picture."""

    number: int
    posed: PosedPerson
    truth: Float[np.ndarray, "17 2"]
    visible: Bool[np.ndarray, "17"]
    outside: int
    box: Float[np.ndarray, "4"]
    area: float
    light: float
    excess: float
    inside: float


def judge_task(task: Task) -> list[Candidate]:
    """The judged candidates of a task, in order."""
    config = kept(task.config, task.sampler)
    body, renderer = renderer_of(config.people.body, config.people.body_path, config.device)
    drawn: list[tuple[Scene, str, list[_Seen], float]] = []
    pictures: list[UInt8[np.ndarray, "h w 3"]] = []
    boxes: list[np.ndarray] = []
    for index in task.indices:
        sampled = sample_posed_scene(config, config.seed, index, body)
        plausible, refused = _plausible(task, sampled.people)
        seen: list[_Seen] = []
        scale = small_scale(task.judging, sampled.scene)
        if plausible:
            small = at_scale(sampled.scene, scale)
            result = renderer.render(small, sampled.people)
            seen, refused = _seen(task.judging, result, plausible, scale)
            picture = np.ascontiguousarray(result.image[..., ::-1])
            pictures += [picture] * len(seen)
            boxes += [one.box for one in seen]
        drawn.append((sampled.scene, refused, seen, scale))
    with torch_in_one_thread():
        answers = [
            ask(estimator_of(weights, config.device), pictures, boxes) for weights in task.weights
        ]
        known = _known(task, pictures, boxes, [one for *_, seen, _ in drawn for one in seen])
    start, out = 0, []
    for scene, refused, seen, scale in drawn:
        judged = []
        for one in seen:
            if known[start].sum() >= (task.judging.least_visible if task.judging.teacher else 1):
                found = [found[start] for found in answers]
                judged.append(_judged(task, scene, one, scale, found, known[start]))
            else:
                refused = "unknown"
            start += 1
        by = task.judging.difficulty
        hardest = max(judged, key=lambda person: person.hardness(by)) if judged else None
        out.append(Candidate(scene.index, "" if judged else refused, hardest))
    return out


@dataclass(frozen=True)
class DrawTask:
    """Candidates that become images, the first of them with the index `start`."""

    config: GenerateConfig
    sampler: str
    """As in `Task`."""
    indices: tuple[int, ...]
    start: int


def draw_lines(task: DrawTask) -> list[str]:
    """The scenes of candidates as lines of scenes.jsonl, numbered as images."""
    config = kept(task.config, task.sampler)
    body = load_body(config.people.body, config.device, config.people.body_path)
    out = []
    for image, index in enumerate(task.indices, start=task.start):
        scene = sample_posed_scene(config, config.seed, index, body).scene
        out.append(replace(scene, index=image, group=image).to_json())
    return out


@lru_cache(maxsize=2)
def kept(config: GenerateConfig, sampler: str) -> GenerateConfig:
    """The config with all that it has read, kept between the tasks of a process; `sampler` is the
    SHA-256 of its sampler."""
    return config


def small_scale(judging: JudgingConfig, scene: Scene) -> float:
    """The size of the picture that a scene is judged by, relative to the scene's own; at most 1."""
    return min(1.0, judging.judge_size / max(scene.camera.width, scene.camera.height))


def at_scale(scene: Scene, scale: float) -> Scene:
    """The scene in a picture of another size."""
    camera = scene.camera
    width, height = (max(round(side * scale), 1) for side in (camera.width, camera.height))
    return replace(scene, camera=camera.windowed(0.0, 0.0, width, height, scale))


@lru_cache(maxsize=1)
def renderer_of(name: str, path: Path | None, device: str) -> tuple[Body, Renderer]:
    """A body and its renderer, kept between the tasks of a process."""
    body = load_body(name, device, path)
    return body, Renderer(body, device)


@lru_cache(maxsize=3)
def estimator_of(weights: str, device: str) -> Estimator:
    """An estimator that uses one thread, kept between the tasks of a process. A torch network is on
    `device`."""
    in_torch = not packaged(weights) and not weights.endswith(".onnx")
    return load_estimator(weights, device if in_torch else None, threads=1)


def _plausible(
    task: Task, people: tuple[PosedPerson, ...]
) -> tuple[dict[int, tuple[float, float]], str]:
    """The range of motion's excess and the share of skin inside of each plausible person by index,
    and why the last of the others is not."""
    found, refused = {}, ""
    for number, posed in enumerate(people):
        excess = sum(range_excess(posed.person.angles).values())
        if excess > task.judging.max_excess:
            refused = "motion"
            continue
        inside = intersecting_share(posed.surface, posed.at_origin, SKIN_SAMPLES)
        if inside > task.judging.max_inside:
            refused = "inside"
        elif task.config.people.ground == "floor" and (
            _overhang(posed) > task.judging.max_overhang
        ):
            refused = "balance"
        else:
            found[number] = excess, inside
    return found, refused


def _overhang(posed: PosedPerson) -> float:
    """Metres by which the centre of mass lies beside what carries it, as `settled` measures it."""
    surface, vertices = posed.surface, posed.body.vertices.astype(float)
    centre = centre_of_mass(vertices, surface.faces, surface.faces_of("skin"))
    return float(np.linalg.norm(overhang(vertices[layer_vertices(surface, "skin")], centre)))


def _seen(
    judging: JudgingConfig,
    result: RenderResult,
    plausible: dict[int, tuple[float, float]],
    scale: float,
) -> tuple[list[_Seen], str]:
    """The plausible people whom a person could label, and why the last of the others is none."""
    visible, masks = visible_keypoints(result), person_masks(result)
    camera, found, refused = result.scene.camera, [], "hidden"
    for number, (excess, inside) in plausible.items():
        posed, mask = result.people[number], masks[number] > 0
        points = camera.to_camera(labelled_keypoints(posed.body, "annotators"))
        shown = camera.shows(points)
        seen = shown & visible[number]
        if seen.sum() < judging.least_visible or not mask.any():
            continue
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = np.array([columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1], dtype=float)
        if max(box[2:]) < judging.least_side * scale:
            refused = "small"
            continue
        truth = camera.to_pixels(np.where(seen[:, None], points, [0.0, 0.0, 1.0]))
        light = float((result.image[mask] @ _LUMA).mean() / 255)
        found.append(
            _Seen(number, posed, truth, seen, int((~shown).sum()), box, float(mask.sum()), light,
                  excess, inside)
        )  # fmt: skip
    return found, refused


def _known(
    task: Task,
    pictures: list[UInt8[np.ndarray, "h w 3"]],
    boxes: list[Float[np.ndarray, "4"]],
    people: list[_Seen],
) -> list[Bool[np.ndarray, "17"]]:
    """The joints of each person that count: the visible ones, with --teacher those it finds."""
    if task.judging.teacher is None:
        return [one.visible for one in people]
    teacher = estimator_of(task.judging.teacher, task.config.device)
    found = ask(teacher, pictures, boxes, LOOKS[:1])[:, 0]
    return [
        one.visible & finds(joints, one.truth, one.area)
        for one, joints in zip(people, found, strict=True)
    ]


def _judged(
    task: Task,
    scene: Scene,
    one: _Seen,
    scale: float,
    answers: list[Float[np.ndarray, "k 17 2"]],
    known: Bool[np.ndarray, "17"],
) -> JudgedPerson:
    person, camera = one.posed.person, scene.camera
    parts = [judge(found, one.truth, known, one.area, float(max(one.box[2:]))) for found in answers]
    view = view_of(camera, person.position, person.yaw_deg)
    towards = (camera.position() - np.array(person.position)) @ world_rotation(person)
    azimuth, elevation = direction_to_angles(towards)
    config = kept(task.config, task.sampler)
    component = component_of(config, Streams(config.seed, scene.group))
    still = (0.0, 0.0, 0.0)
    angles = np.array([person.angles.get(joint, still) for joint in BODY_JOINTS])
    return JudgedPerson(
        number=one.number,
        difficulty=tuple(
            (_rounded(p.loss), _rounded(p.swaps), _rounded(p.disagreement)) for p in parts
        ),
        explored=component is None,
        azimuth=_rounded(view.azimuth_deg),
        elevation=_rounded(view.elevation_deg),
        roll=_rounded(view.roll_deg),
        subject_azimuth=_rounded(azimuth),
        subject_elevation=_rounded(elevation),
        orientation=person.orientation,
        angles=tuple(angles.ravel().round(3).tolist()),
        descriptor=tuple(_descriptor(scene, one.posed, towards).round(4).tolist()),
        side=_rounded(float(max(one.box[2:])) / scale),
        visible=int(one.visible.sum()),
        outside=one.outside,
        excess=_rounded(one.excess),
        inside=_rounded(one.inside),
        clothes=_clothes(one.posed),
        light=_rounded(one.light),
        joints=tuple(_joints(found, one, known) for found in answers),
    )


def _joints(
    found: Float[np.ndarray, "k 17 2"], one: _Seen, known: Bool[np.ndarray, "17"]
) -> tuple[float | None, ...]:
    values = joint_oks(found, one.truth, known, one.area).tolist()
    return tuple(None if np.isnan(value) else _rounded(value) for value in values)


def _rounded(value: float) -> float:
    return round(value, 4) + 0.0


def _descriptor(
    scene: Scene, posed: PosedPerson, towards: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "41"]:
    """What people are compared by: the joints below the head by the person's own axes, over the
    length of trunk and leg; the direction of the camera by these axes; the direction of the trunk
    in the picture (shorter where it points at the camera)."""
    points = posed.at_origin.keypoints
    hips, shoulders = points[11:13].mean(axis=0), points[5:7].mean(axis=0)
    bones = [shoulders - hips, *(points[a] - points[b] for a, b in ((11, 13), (13, 15)))]
    length = sum(float(np.linalg.norm(bone)) for bone in bones)
    joints = 2 * (points[5:] - hips) / length
    world = posed.body.keypoints
    ends = np.stack([world[11:13].mean(axis=0), world[5:7].mean(axis=0)])
    trunk = np.diff(ends @ np.array(scene.camera.rotation).T, axis=0)[0]
    trunk /= np.linalg.norm(trunk)
    return np.concatenate([joints.ravel(), towards / np.linalg.norm(towards), trunk[:2]])


def _clothes(posed: PosedPerson) -> str:
    outfit = posed.person.outfit
    names = [item.name for item in outfit.worn if item.kind == "clothes"]
    suits = [name for name in names if "suit" in name] or [
        name for name in names if "shoes" not in name
    ]
    return suits[0] if suits else f"painted, {outfit.top} and {outfit.bottom}"
