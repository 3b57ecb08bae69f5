"""A learnt distribution of poses, orientations and views, as a TOML file (docs/mining.md).

It is a mixture: each component is a pose, the way the whole person is turned, and the view of the
camera, each with a spread. People beyond the components' share are drawn as the options say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from repogen.arrays import Float
from repogen.bodies.rotations import vectors_to_matrices
from repogen.bodies.skeleton import BODY_JOINTS, Angles
from repogen.cameras.camera import angles_to_direction, direction_to_angles
from repogen.errors import UserError, unknown_choice
from repogen.poses.clips import Pose, Vector
from repogen.poses.orientation import without_heading
from repogen.poses.plausibility import range_excess
from repogen.records import Angle, Between, Length, decode
from repogen.toml_files import read_toml

SAMPLER_FORMAT = "repogen-sampler"

LEARNT_VIEW = "learnt"
"""The name of the views that components draw."""

_TRIES = 20
"""Draws of a pose or view, at most, until it is within what is allowed."""

_Spread = Annotated[float, Between(0, 180)]
_Joints = Annotated[dict[str, tuple[Angle, Angle, Angle]], Length(0, len(BODY_JOINTS))]


@dataclass(frozen=True)
class Component:
    """One part of the mixture. Degrees; a spread is a standard deviation."""

    weight: Annotated[float, Between(0, 1)]
    """Share of the component among the components."""
    orientation: tuple[Angle, Angle, Angle]
    """How the whole person is turned, as in `Pose`."""
    orientation_spread: _Spread
    """Standard deviation of a turn about each of three axes."""
    azimuth: Annotated[float, Between(-180, 180)]
    elevation: Annotated[float, Between(-90, 90)]
    """The camera's direction from the person, as in `View`."""
    view_spread: _Spread
    """Standard deviation of the direction, along each of two axes across it."""
    roll: Annotated[float, Between(-180, 180)]
    roll_spread: _Spread
    angles: _Joints
    """The rotation vector of each joint, as in `Pose`; joints left out do not rotate."""
    spread: _Joints
    """Standard deviations of the three components of each joint's vector."""

    def __post_init__(self) -> None:
        for joint in (*self.angles, *self.spread):
            if joint not in BODY_JOINTS:
                raise unknown_choice("joint of a component", joint, BODY_JOINTS)
        if min((value for vector in self.spread.values() for value in vector), default=0) < 0:
            raise UserError("the spread of a joint should not be below 0")

    @cached_property
    def _table(self) -> tuple[Float[np.ndarray, "21 3"], Float[np.ndarray, "21 3"]]:
        still = (0.0, 0.0, 0.0)
        mean = [self.angles.get(joint, still) for joint in BODY_JOINTS]
        return np.array(mean), np.array([self.spread.get(joint, still) for joint in BODY_JOINTS])

    def draw_pose(self, rng: np.random.Generator, max_excess: float) -> Pose:
        """A random pose. It is drawn again, at most 20 times, where joints exceed the range of
        motion by more than `max_excess` degrees in all; then the one that exceeds it least."""
        mean, spread = self._table
        best: tuple[float, Angles] | None = None
        for _ in range(_TRIES):
            drawn = (mean + spread * rng.normal(size=mean.shape)).round(6).tolist()
            angles = {joint: (x, y, z) for joint, (x, y, z) in zip(BODY_JOINTS, drawn, strict=True)}
            excess = sum(range_excess(angles).values())
            if best is None or excess < best[0]:
                best = excess, angles
            if excess <= max_excess:
                break
        assert best is not None
        return Pose(best[1], self._orientation(rng))

    def _orientation(self, rng: np.random.Generator) -> Vector:
        turn = np.radians(self.orientation_spread * rng.normal(size=3))
        matrices = vectors_to_matrices(np.stack([turn, np.radians(self.orientation)]))
        return without_heading(np.einsum("ij,jk->ik", matrices[0], matrices[1]))

    def draw_view(
        self,
        rng: np.random.Generator,
        azimuths: tuple[float, float] | None,
        elevations: tuple[float, float] | None,
    ) -> tuple[float, float, float]:
        """A random azimuth, elevation and roll in degrees (see `View`).

        It is drawn again, at most 20 times, until it is in the ranges that are given; then it is
        moved to their ends.
        """
        middle = angles_to_direction(self.azimuth, self.elevation)
        left = angles_to_direction(self.azimuth + 90, 0.0)
        up = np.cross(middle, left)
        azimuth = elevation = 0.0
        for _ in range(_TRIES):
            across, along = np.tan(
                np.radians(np.clip(self.view_spread * rng.normal(size=2), -89, 89))
            )
            azimuth, elevation = direction_to_angles(middle + across * left + along * up)
            if _within(azimuth, azimuths, 360.0) and _within(elevation, elevations):
                break
        if azimuths and not _within(azimuth, azimuths, 360.0):
            azimuth = float(np.clip(azimuth, *azimuths))
        if elevations:
            elevation = float(np.clip(elevation, *elevations))
        return azimuth, elevation, float(self.roll + self.roll_spread * rng.normal())


def _within(value: float, limits: tuple[float, float] | None, period: float = 0.0) -> bool:
    """Whether a value, or one that differs from it by a multiple of `period`, is in the limits."""
    if limits is None:
        return True
    low, high = limits
    return low <= (low + (value - low) % period if period else value) <= high


@dataclass(frozen=True)
class Sampler:
    """A mixture of components, and a share of people who are drawn as the options say."""

    explore: Annotated[float, Between(0, 1)]
    """Share of people who are drawn as the options say."""
    max_excess: Annotated[float, Between(0, 10_000)]
    """Degrees by which a pose may exceed the range of motion (`range_excess`), summed over the
    joints."""
    components: Annotated[tuple[Component, ...], Length(1, 256)]
    format: str = SAMPLER_FORMAT
    version: Annotated[int, Between(1, 1)] = 1

    def __post_init__(self) -> None:
        if self.format != SAMPLER_FORMAT:
            raise UserError(f'needs format = "{SAMPLER_FORMAT}", not "{self.format}"')
        total = sum(component.weight for component in self.components)
        if abs(total - 1) > 1e-3:
            raise UserError(f"the components' weights sum to {total:g}; they should sum to 1")

    def choose(self, rng: np.random.Generator) -> Component | None:
        """A component at random; None for somebody who is drawn as the options say."""
        if rng.random() < self.explore:
            return None
        weights = np.array([component.weight for component in self.components])
        return self.components[int(rng.choice(len(weights), p=weights / weights.sum()))]


def read_sampler(path: Path) -> Sampler:
    """The sampler in a TOML file. Raises `UserError` for any other file."""
    return decode(read_toml(path, "--sampler"), Sampler, f"--sampler {path}")


def sampler_to_toml(sampler: Sampler) -> str:
    """The text of a sampler's TOML file; floats keep every digit."""
    lines = [
        f'format = "{sampler.format}"',
        f"version = {sampler.version}",
        f"explore = {sampler.explore!r}",
        f"max_excess = {sampler.max_excess!r}",
    ]
    for component in sampler.components:
        tables = {"angles": component.angles, "spread": component.spread}
        lines += ["", "[[components]]"]
        lines += [
            f"{key} = {_value(value)}" for key, value in vars(component).items()
            if key not in tables and not key.startswith("_")
        ]  # fmt: skip
        for name, table in tables.items():
            lines += ["", f"[components.{name}]"]
            lines += [f"{joint} = {_value(vector)}" for joint, vector in table.items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(repr(float(part)) for part in value)}]"
    return repr(float(value))


def sampled_poses(
    rng: np.random.Generator, sampler: Sampler, component: Component
) -> Iterator[Pose]:
    """Poses of a component without end."""
    while True:
        yield component.draw_pose(rng, sampler.max_excess)
