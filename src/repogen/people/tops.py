"""Tops that hang loose over the hips, and tops tucked into trousers or a skirt.

Shapes are cylinders around the trunk: a radius in metres for each direction, of the T-pose.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from repogen.arrays import Bool, Float, Int
from repogen.bodies.anny import AnnyBody
from repogen.people.alterations import altered
from repogen.people.cutting import Cloth, cut, mix, uncut
from repogen.people.garments import FittedGarment, mixed_bones, skin_of
from repogen.people.hanging import Hanging, outwards
from repogen.people.outfit import Style
from repogen.people.regions import connected

_CHEST, WIDEST = 0.3, 0.26
"""Height from which loose tops hang down, and the |x| of the trunk, metres."""

_DIRECTIONS, _ROWS = 24, 6
_CLEAR = 0.012
"""Metres between loose cloth and what is below it, at least."""

_FRONT, _BACK = -0.14, 0.11
"""y of belly and back on the T-pose, metres."""

_INSIDE, _UNDER = 0.02, 0.006
"""Metres of a tucked top below the edge of the trousers, and from the trousers inwards."""

_HOLLOW = 0.6
"""Half the angle of a hollow of the trousers, radians, that a tucked top bridges."""

_OVER, _BLOUSE = 0.02, 0.08
"""Metres above that edge at which a tucked top is widest, and from there to where it is as it was
made."""

_HEM = 0.05
"""Metres between the highest and the lowest point of a top's hem."""

_SWAY, _SLIDE = 0.06, 0.03
"""Metres by which a loose hem leaves the body, and slides above where it was made: no skin is bare
by that. See `Hanging`."""

_NEAR, _FAR = 0.01, 0.04
"""Metres by which cloth is moved from which on other skin is under it, and alone moves it."""

Profile = Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]]
"""A number for each direction (radians)."""


def with_top(body: AnnyBody, original: FittedGarment, style: Style) -> FittedGarment:
    """The garment with its top tucked or loose, where it has one that can be."""
    at = original.surface.canonical.astype(np.float64)
    top, bottom = find_pieces(original.surface.faces, at)
    if not top.any():
        return original
    if style.waist is not None:
        return _tucked(body, original, at, top, bottom, style.waist)
    return _loose(body, original, at, top, style)


def find_pieces(
    faces: Int[np.ndarray, "f 3"], at: Float[np.ndarray, "v 3"]
) -> tuple[Bool[np.ndarray, " v"], Bool[np.ndarray, " v"]]:
    """Vertices of what ends at the hips and reaches the chest, and of trousers or skirt."""
    piece = connected(faces, len(at))
    lowest, highest = np.full(piece.max() + 1, np.inf), np.full(piece.max() + 1, -np.inf)
    np.minimum.at(lowest, piece, at[:, 2])
    np.maximum.at(highest, piece, at[:, 2])
    top = (highest > 0.4) & (lowest > -0.2)
    bottom = (highest < 0.2) & (highest - lowest > 0.15)
    return top[piece], bottom[piece]


def _polar(
    at: Float[np.ndarray, "n 3"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Direction (radians) and distance from the axis of the trunk."""
    return np.arctan2(at[:, 1], at[:, 0]), np.hypot(at[:, 0], at[:, 1])


def _profile(angle: Float[np.ndarray, " n"], value: Float[np.ndarray, " n"]) -> Profile:
    """The largest value in each of `_DIRECTIONS`, joined smoothly."""
    sector = np.floor(angle / (2 * np.pi) * _DIRECTIONS).astype(int) % _DIRECTIONS
    most = np.full(_DIRECTIONS, -np.inf)
    np.maximum.at(most, sector, value)
    known = np.flatnonzero(np.isfinite(most))
    middles = (known + 0.5) / _DIRECTIONS * 2 * np.pi
    return lambda a: np.interp(a, middles, most[known], period=2 * np.pi)


def _loose(
    body: AnnyBody,
    original: FittedGarment,
    at: Float[np.ndarray, "v 3"],
    top: Bool[np.ndarray, " v"],
    style: Style,
) -> FittedGarment:
    trunk = top & (np.abs(at[:, 0]) < WIDEST) & (at[:, 2] < _CHEST)
    near_chest = top & (np.abs(at[:, 0]) < WIDEST) & (np.abs(at[:, 2] - _CHEST) < 0.05)
    if not (trunk.any() and near_chest.any()):
        return original
    hem = float(at[trunk, 2].min())
    angle, radius = _polar(at)
    chest = _profile(angle[near_chest], radius[near_chest])
    # What the lowered hem hangs over: skin, and the garment's other pieces.
    skin = body.surface.canonical[skin_of(body).vertices]
    below = np.concatenate([skin, at])
    ends = below[(below[:, 2] > hem - style.drop - 0.03) & (below[:, 2] < hem + 0.03)]
    end_angle, end_radius = _polar(ends)
    hips = _profile(end_angle, end_radius)
    a, down = angle[trunk], np.clip((_CHEST - at[trunk, 2]) / (_CHEST - hem), 0, 1)
    wanted = (1 - down) * chest(a) + down * (hips(a) + _CLEAR + style.loose)
    # All layers of the top move as the outermost one.
    missing = wanted - _outermost(a, down, radius[trunk])
    out = np.maximum(missing, 0) * np.minimum(4 * down, 1)
    shift = np.zeros_like(at)
    shift[trunk, 0], shift[trunk, 1] = out * np.cos(a), out * np.sin(a)
    shift[trunk, 2] = -style.drop * down**1.5
    moved = _moved(body, original, uncut(original.surface.faces, len(at)), shift)
    return replace(moved, hanging=_free_hem(original.hanging, at, trunk, down, style))


def _free_hem(
    skirt: Hanging | None,
    at: Float[np.ndarray, "v 3"],
    trunk: Bool[np.ndarray, " v"],
    down: Float[np.ndarray, " n"],
    style: Style,
) -> Hanging:
    """What hangs of a loose top, and of the skirt below it."""
    share = np.zeros(len(at))
    share[trunk] = np.clip(2 * down - 1, 0, 1)
    reach, lift = _SWAY * share, (style.drop + _SLIDE) * share
    if skirt is not None:
        reach, lift = np.maximum(reach, skirt.reach), np.maximum(lift, skirt.lift)
    return Hanging(outwards(at), reach, lift, style.loose * share)


def _outermost(
    angle: Float[np.ndarray, " n"], down: Float[np.ndarray, " n"], radius: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """The largest radius around each vertex, in direction and height, smooth over both."""
    column = angle / (2 * np.pi) * _DIRECTIONS % _DIRECTIONS
    row = down * _ROWS
    most = np.zeros((_ROWS + 1, _DIRECTIONS))
    nearest = np.rint(row).astype(int), np.rint(column).astype(int) % _DIRECTIONS
    np.maximum.at(most, nearest, radius)
    # Directions without a vertex are between their neighbours; rows without one are as the last.
    for line, above in zip(most, [np.full(_DIRECTIONS, radius.max()), *most], strict=False):
        known = np.flatnonzero(line)
        if len(known):
            line[:] = np.interp(np.arange(_DIRECTIONS), known, line[known], period=_DIRECTIONS)
        else:
            line[:] = above
    low, left = np.minimum(row.astype(int), _ROWS - 1), column.astype(int)
    up, right = row - low, column - left
    after = (left + 1) % _DIRECTIONS
    upper = (1 - right) * most[low, left] + right * most[low, after]
    lower = (1 - right) * most[low + 1, left] + right * most[low + 1, after]
    return (1 - up) * upper + up * lower


def _tucked(
    body: AnnyBody,
    original: FittedGarment,
    at: Float[np.ndarray, "v 3"],
    top: Bool[np.ndarray, " v"],
    bottom: Bool[np.ndarray, " v"],
    waist: tuple[float, float],
) -> FittedGarment:
    trunk = top & (np.abs(at[:, 0]) < WIDEST) & (at[:, 2] < _CHEST)
    if not (trunk.any() and bottom.any()):
        return original

    def above(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        return points[:, 2] - np.interp(points[:, 1], (_FRONT, _BACK), waist)

    # Short tops are pulled down into the trousers.
    hem = float(at[trunk, 2].min())
    missing = max(0.0, hem + _HEM + _INSIDE - min(waist))
    pulled = np.zeros_like(at)
    pulled[trunk, 2] = -missing * ((_CHEST - at[trunk, 2]) / (_CHEST - hem)) ** 1.5
    beyond = np.full(len(at), -1.0)
    beyond[trunk] = -_INSIDE - above((at + pulled)[trunk])
    beyond[bottom] = above(at[bottom])
    faces = original.surface.faces
    cloth = cut(uncut(faces, len(at)), beyond)
    added = cloth.added(faces, len(at))
    pulled, points, on_top = (
        np.concatenate([values, mix(values, *added)]) for values in (pulled, at, 1.0 * top)
    )
    points += pulled
    angle, radius = _polar(points)
    height = above(points)
    edge = (on_top < 0.5) & (np.abs(height) < 1e-6)
    edge[: len(at)] &= bottom
    if not edge.any():
        return original
    turns = angle + np.linspace(-_HOLLOW, _HOLLOW, 7)[:, None]
    girth = np.interp(turns, angle[edge], radius[edge], period=2 * np.pi)
    inside = np.clip(1 - height / _OVER, 0, 1)
    gathered = np.clip(1 - (height - _OVER) / _BLOUSE, 0, 1)
    outer = radius + gathered * np.maximum(girth.max(axis=0) + _UNDER - radius, 0)
    wanted = (1 - inside) * outer + inside * (
        girth.min(axis=0) - _UNDER + 2 * np.minimum(height, 0)
    )
    near = (on_top > 0.5) & (np.abs(points[:, 0]) < WIDEST) & (height < 0.15)
    out = np.where(near, wanted - radius, 0)
    shift = pulled + np.stack([out * np.cos(angle), out * np.sin(angle), 0 * out], axis=1)
    return _moved(body, original, cloth, shift)


def _moved(
    body: AnnyBody, original: FittedGarment, cloth: Cloth, shift: Float[np.ndarray, "v 3"]
) -> FittedGarment:
    """The garment of `cloth` with its vertices moved on the T-pose, metres.

    Vertices that are lower move with the skin where they are, and faces have its labels.
    """
    out = altered(original, cloth)
    assert out.alteration is not None
    used = np.zeros(cloth.count, dtype=bool)
    used[cloth.faces] = True
    shift = shift[used]
    surface, skin = out.surface, skin_of(body)
    at = surface.canonical + shift
    lower = np.flatnonzero(shift[:, 2] < -_NEAR)
    share = np.clip(-shift[lower, 2] / _FAR, 0, 1)
    under = skin.vertices[skin.nearest_vertex.query(at[lower])[1]]
    bones, weights = out.bones.copy(), out.weights.copy()
    width = bones.shape[1]
    skin_bones, skin_weights = (values[under, :width] for values in body.skinning)
    own, shares = mixed_bones(
        np.concatenate([bones[lower], skin_bones]),
        np.concatenate([weights[lower], skin_weights]),
        np.arange(2 * len(lower)).reshape(2, -1).T,
        np.column_stack([1 - share, share]).astype(weights.dtype),
    )
    bones[lower], weights[lower] = own, shares
    moved = np.flatnonzero(np.abs(shift[surface.faces]).max(axis=(1, 2)) > _NEAR)
    parts, keypoints = surface.face_parts.copy(), surface.face_keypoints.copy()
    more = surface.face_extra_keypoints
    nearest = skin.faces[skin.nearest_face.query(at[surface.faces[moved]].mean(axis=1))[1]]
    parts[moved] = body.surface.face_parts[nearest]
    keypoints[moved] = body.surface.face_keypoints[nearest]
    if more is not None and body.surface.face_extra_keypoints is not None:
        more = more.copy()
        more[moved] = body.surface.face_extra_keypoints[nearest]
    height = float(np.ptp(surface.canonical[:, 2]))
    return replace(
        out,
        surface=replace(
            surface, face_parts=parts, face_keypoints=keypoints, face_extra_keypoints=more
        ),
        bones=bones,
        weights=weights,
        alteration=replace(out.alteration, shift=shift, height=height),
    )
