"""Drawing people: their bodies, poses and clothes, and others around the first."""

from collections.abc import Iterator
from itertools import islice

from repogen.bodies import Body
from repogen.bodies.anny import AnnyBody
from repogen.bodies.intersection import least_intersecting
from repogen.errors import UserError
from repogen.people.outfit import Outfit, sample_outfit
from repogen.people.person import Person
from repogen.people.posing import decent, seen_points
from repogen.people.wardrobe import dress, wear_picture
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.motion import sample_motion
from repogen.poses.sampling import (
    Angles,
    named_pose,
    sample_body_pose,
    sample_face,
    sample_hands,
)
from repogen.scenes.config import SceneConfig
from repogen.scenes.rng import stream
from repogen.scenes.sample.crowd import place_next, sparse

_TRIES = 20
"""How many poses --max-intersection lets draw for one person."""

_PEOPLE_APART = 2**32
"""More than any run has images."""


def sample_crowd(
    config: SceneConfig, seed: int, index: int, body: Body, first: Person
) -> tuple[Person, ...]:
    """The first person of image `index` and those around, as many as find room."""
    rng = stream(seed, index, "crowd")
    people = [first]
    count = int(rng.integers(config.people.people[0], config.people.people[1] + 1))
    floor = None
    if config.people.ground == "floor":
        floor = float(seen_points(body, first)[:, 2].min())
    taken = [sparse(seen_points(body, first))]
    for place in range(1, count):
        # Other people's numbers are those of images far away in the same run.
        person = sample_person(config, seed, index + place * _PEOPLE_APART, body)
        whole = seen_points(body, person)
        found = place_next(rng, person, whole, taken, floor, config.people.spread)
        if found is not None:
            people.append(found)
            taken.append(sparse(seen_points(body, found)))
    return tuple(people)


def _poses(config: SceneConfig, seed: int, index: int) -> Iterator[Angles]:
    """One person's pose, then those to take in its place if it is refused."""
    bounds = config.pose.joint_bounds
    rng = stream(seed, index, "motion")
    measured = config.pose.poses is not None and rng.random() < config.pose.poses_share
    if not measured:
        rng = stream(seed, index, "pose")
    while True:
        if config.pose.pose is not None:
            yield named_pose(config.pose.pose, bounds)
        elif measured:
            motion = config.pose.motion
            yield sample_motion(rng, motion, config.pose.poses_noise, config.pose.poses_mirror)
        else:
            distribution = DISTRIBUTIONS[config.pose.pose_distribution]
            yield sample_body_pose(rng, bounds, distribution, config.pose.pose_variance)


def sample_person(config: SceneConfig, seed: int, index: int, body: Body) -> Person:
    """The person of image `index`, at the origin and facing -y."""
    shape = body.sample_shape(stream(seed, index, "shape"), config.people.ages)
    hands = sample_hands(stream(seed, index, "hands"))
    # Measured hands win, and body joints come first.
    poses = (angles | hands | angles for angles in _poses(config, seed, index))
    if config.pose.max_intersection is None:
        angles = next(poses)
    else:
        angles = least_intersecting(
            body, shape, islice(poses, _TRIES), config.pose.max_intersection
        )
    return Person(
        body=body.name,
        shape=shape,
        face=sample_face(stream(seed, index, "face"), body.face_labels),
        angles=angles,
        outfit=_outfit(config, seed, index, body, shape.get("gender", 0.5)),
        position=(0.0, 0.0, 0.0),
        yaw_deg=0.0,
    )


def _outfit(config: SceneConfig, seed: int, index: int, body: Body, feminine: float) -> Outfit:
    skirts = bool(body.surface.faces_of("skirt").any())
    outfit = sample_outfit(stream(seed, index, "outfit"), feminine, config.people.patterns, skirts)
    rng = stream(seed, index, "garments")
    if config.people.textures is not None:
        if len(body.surface.uv) < 2:
            raise UserError(f"--textures: the files of {body.name} hold no texture coordinates")
        return wear_picture(rng, outfit, config.people.texture_files)
    if not isinstance(body, AnnyBody):
        return outfit
    dressed = dress(rng, outfit, feminine, config.people.patterns, config.people.wardrobe)
    return decent(body, dressed, outfit) if dressed.worn else outfit
