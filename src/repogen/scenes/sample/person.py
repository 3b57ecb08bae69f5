"""Drawing one person: body, pose and clothes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

import numpy as np

from repogen.assets import check_pack_file, item_picture
from repogen.assets.sources import path_of
from repogen.bodies import Body
from repogen.bodies.anny import AnnyBody
from repogen.bodies.intersection import intersecting_share
from repogen.bodies.skeleton import Angles
from repogen.bodies.surface import layer_vertices
from repogen.errors import UserError
from repogen.mixes import Mix
from repogen.people.balance import (
    CARRIED,
    LOW_TRUNK,
    RAISED_FOOT,
    foot_height,
    settled,
    trunk_height,
)
from repogen.people.covering import ensure_covered, wears_skirt
from repogen.people.hanging import parts_skirts
from repogen.people.outfit import Outfit, sample_outfit
from repogen.people.person import Given, Person
from repogen.people.styles import restyle
from repogen.people.wardrobe import dress, dress_tightly, undress, wear_picture
from repogen.picture_checks import check_rgba_once
from repogen.poses.acrobatic import ACROBATIC, sample_acrobatic_pose
from repogen.poses.clips import Pose, Vector
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.motion import sample_motion
from repogen.poses.orientation import OF_POSE, parse_orientations, sample_orientation
from repogen.poses.sampler import Component, sampled_poses
from repogen.poses.sampling import named_pose, sample_body_pose, sample_hands, sample_variance
from repogen.scenes.config import SceneConfig
from repogen.scenes.rng import Streams
from repogen.usable_files import draw_readable

_LESS = 1e-3
"""A raised foot matters among poses for which all else holds."""

_TRIES = 20
"""Poses drawn for one person, at most, with --max-intersection."""

_OUTFITS = 10
"""Outfits drawn again, at most, for somebody whose pose no skirt suits."""

_OF_POSE = parse_orientations((OF_POSE,))


def sample_person(
    config: SceneConfig, streams: Streams, body: Body, given: Given | None = None
) -> tuple[Person, float]:
    """A random person at the origin, facing -y, and the metres between them and the floor. What is
    `given` is not drawn; with a pose the person is as with a file of `--poses` that holds just it.
    """
    given = given or Given()
    shape = body.sample_shape(streams.rng("shape"), config.people.ages, config.people.gender)
    shape |= given.shape
    hands = sample_hands(streams.rng("hands"))
    # Measured hands replace random ones; the body's joints come first.
    poses = (
        pose._replace(angles=pose.angles | hands | pose.angles)
        for pose in _turned(config, streams, given.pose)
    )
    limit = config.pose.max_intersection
    if limit is None and not config.people.balance:
        pose = next(poses)
    else:
        is_drawn = config.pose.pose is None and given.pose is None
        tries = islice(poses, _TRIES if is_drawn else 1)
        pose = first_within(_judged(config, body, shape, tries))
    person = Person(
        body=body.name,
        shape=shape,
        face=body.sample_face(streams.rng("face")),
        angles=pose.angles,
        outfit=given.outfit
        or _outfit(config, streams, body, shape.get("gender", 0.5), pose.angles),
        position=(0.0, 0.0, 0.0),
        yaw_deg=0.0,
        orientation=pose.orientation,
    )
    return person, pose.clearance


def component_of(config: SceneConfig, streams: Streams) -> Component | None:
    """The component of --sampler that a person is drawn from; None for somebody who is drawn as the
    other options say."""
    learnt = config.pose.learnt
    return None if learnt is None else learnt.choose(streams.rng("sampler"))


def _turned(config: SceneConfig, streams: Streams, given: Pose | None) -> Iterator[Pose]:
    """The person's pose and orientation, then further draws for when they are rejected."""
    if given is not None:
        yield given._replace(orientation=_orientation(_OF_POSE, streams, given.orientation))
        return
    component = component_of(config, streams)
    if component is not None and config.pose.learnt is not None:
        yield from sampled_poses(streams.rng("pose"), config.pose.learnt, component)
    for pose in _poses(config, streams):
        turned = _orientation(config.pose.orientations, streams, pose.orientation)
        yield pose._replace(orientation=turned)


def _orientation(mix: Mix, streams: Streams, of_pose: Vector) -> Vector:
    return sample_orientation(streams.rng("orientation"), mix, of_pose)


def _judged(
    config: SceneConfig, body: Body, shape: Mapping[str, float], poses: Iterable[Pose]
) -> Iterator[tuple[Pose, float]]:
    """The poses, tipped with --balance, and by how much each exceeds what the options allow: a
    share of the skin or metres, 0 or less where nothing does."""
    for pose in poses:
        posed = body.pose(shape, {}, pose.angles)
        excess = [-np.inf]
        if config.pose.max_intersection is not None:
            share = intersecting_share(body.surface, posed)
            excess.append(share - config.pose.max_intersection)
        if config.people.balance and not pose.clearance:
            orientation, off = settled(body.surface, posed, pose.orientation)
            pose = pose._replace(orientation=orientation)
            excess.append(off - CARRIED)
            if "lying" in dict(config.pose.orientations):
                excess.append(trunk_height(body.surface, posed, orientation) - LOW_TRUNK)
            if config.people.ground == "bed":
                raised = foot_height(body.surface, posed, orientation) - RAISED_FOOT
                excess.append(_LESS * raised)
        yield pose, max(excess)


def first_within(judged: Iterable[tuple[Pose, float]]) -> Pose:
    """The first pose without an excess above 0, else the one with the least.

    `judged`, at least one, are consumed only up to the returned pose where that is the first.
    """
    found: tuple[Pose, float] | None = None
    for pose, excess in judged:
        if found is None or excess < found[1]:
            found = pose, excess
        if excess <= 0:
            break
    assert found is not None
    return found[0]


def _poses(config: SceneConfig, streams: Streams) -> Iterator[Pose]:
    """The person's pose, then further draws for when it is rejected."""
    bounds = config.pose.joint_bounds
    rng = streams.rng("motion")
    measured = config.pose.poses is not None and rng.random() < config.pose.poses_share
    if not measured:
        rng = streams.rng("pose")
    variance = config.pose.pose_variance
    if variance == "random":
        variance = sample_variance(streams.rng("variance"))
    while True:
        if config.pose.pose is not None:
            yield named_pose(config.pose.pose, bounds)
        elif measured:
            motion = config.pose.motion
            yield sample_motion(rng, motion, config.pose.poses_noise, config.pose.poses_mirror)
        elif config.pose.pose_distribution == ACROBATIC:
            yield Pose(sample_acrobatic_pose(rng))
        else:
            distribution = DISTRIBUTIONS[config.pose.pose_distribution]
            yield Pose(sample_body_pose(rng, bounds, distribution, variance))


def _outfit(
    config: SceneConfig, streams: Streams, body: Body, feminine: float, angles: Angles
) -> Outfit:
    skirts = len(layer_vertices(body.surface, "skirt")) > 0 and not parts_skirts(angles)
    painted = sample_outfit(streams.rng("outfit"), feminine, config.people.patterns, skirts)
    rng = streams.rng("garments")
    if config.people.textures is not None:
        if len(body.surface.uv) < 2:
            raise UserError(f"--textures: the files of {body.name} hold no texture coordinates")
        files = config.people.texture_files
        root = config.people.textures
        return draw_readable(lambda: _checked(wear_picture(rng, painted, files, root)))
    if config.people.wardrobe == "none":
        return undress(painted)
    if not isinstance(body, AnnyBody):
        return replace(painted, shoes="bare") if config.people.ground == "bed" else painted

    def dressed() -> Outfit:
        outfit = drawn()
        for _ in range(_OUTFITS if parts_skirts(angles) else 0):
            if not wears_skirt(body, outfit):
                break
            outfit = drawn()
        return outfit

    def drawn() -> Outfit:
        patterns, wardrobe = config.people.patterns, config.people.wardrobe
        if wardrobe == "sport" or wardrobe == "swim":
            tight = dress_tightly(rng, painted, feminine, patterns, wardrobe, config.packs)
            return _checked(tight)
        in_bed = config.people.ground == "bed"
        outfit = dress(rng, painted, feminine, patterns, wardrobe, config.packs, in_bed)
        outfit = _checked(outfit)
        if config.people.styles:
            outfit = restyle(streams.rng("styles"), outfit, body)
        return ensure_covered(body, outfit, painted) if outfit.worn else outfit

    return draw_readable(dressed)


def _checked(outfit: Outfit) -> Outfit:
    """The outfit; raises `UserError` where one of its textures cannot be read."""
    pictures = [item_picture(item.pack, item.kind, item.name) for item in outfit.worn]
    for picture in (*pictures, *([path_of(outfit.picture)] if outfit.picture else [])):
        check_pack_file(picture)
        check_rgba_once(picture)
    return outfit
