"""How much of the light from all sides bodies take from skin, clothes and the floor near them."""

from repogen.rendering.kernels.modules import PICTURE
from repogen.warp_setup import wp

CAPSULES = 15
"""Capsules of a person: the torso has two."""
_CAPSULES = wp.constant(CAPSULES)

REACH = 0.6
"""Metres from a person's bounding sphere within which the person takes light."""
_REACH = wp.constant(wp.float32(REACH))

_FLOOR_REACH = wp.constant(wp.float32(0.12))
"""Height in metres at which a body takes half of the light that the floor below it reflects."""

_EDGE = wp.constant(wp.float32(0.1))
"""Share of the floor's map over which occlusion fades to none at its border."""


@wp.struct
class Capsule:
    """The points within `radius` metres of the segment from `end` along `axis`, metres. `length` is
    the axis's, `inverse` is one over its square."""

    end: wp.vec3
    axis: wp.vec3
    radius: float
    length: float
    inverse: float


@wp.struct
class Bodies:
    """People as those who take light: `CAPSULES` capsules each, and the spheres around them as
    (x, y, z, radius); world frame, metres. `floor_z` is far below without a floor."""

    capsules: wp.array(dtype=Capsule)
    spheres: wp.array(dtype=wp.vec4)
    floor_z: float


@wp.func
def capsule_occlusion(capsule: Capsule, at: wp.vec3, normal: wp.vec3) -> float:
    """Share of the cosine-weighted sky that a capsule hides from a point with a unit normal.

    The form factor of a sphere of radius r at a distance l is cos (r / l)², that of an infinite
    cylinder cos (r / l); a capsule lies between them by its length.
    """
    from_end = at - capsule.end
    along = wp.clamp(wp.dot(from_end, capsule.axis) * capsule.inverse, 0.0, 1.0)
    towards = along * capsule.axis - from_end
    height = wp.dot(towards, normal)
    if height <= 0.0:
        return 0.0
    inverse = 1.0 / (wp.length(towards) + 1.0e-6)
    size = wp.min(capsule.radius * inverse, 1.0)
    long = capsule.length * inverse
    return height * inverse * size * (size + long / (long + 2.0) * (1.0 - size))


@wp.func
def open_share(bodies: Bodies, at: wp.vec3, normal: wp.vec3) -> float:
    """Share of the light from all sides that reaches a point past everybody's capsules."""
    share = float(1.0)
    for person in range(bodies.spheres.shape[0]):
        sphere = bodies.spheres[person]
        away = at - wp.vec3(sphere[0], sphere[1], sphere[2])
        reach = sphere[3] + _REACH
        if wp.length_sq(away) < reach * reach:
            for i in range(person * _CAPSULES, (person + 1) * _CAPSULES):
                share *= 1.0 - capsule_occlusion(bodies.capsules[i], at, normal)
    # Each capsule hides more than its nearest sphere does, and clothes make it thicker.
    return share * share


@wp.func
def body_occlusion(bodies: Bodies, at: wp.vec3, normal: wp.vec3) -> float:
    """`open_share` of a point of a body; the floor is dark where the body nearly touches it."""
    share = open_share(bodies, at, normal)
    above = wp.max(at[2] - bodies.floor_z, 0.0) / _FLOOR_REACH
    return share * (1.0 - 0.5 * (1.0 - normal[2]) / (1.0 + above * above))


@wp.struct
class FloorMap:
    """`open_share` of points of the floor: `size` x `size` texels of `share`, in rows. `matrix` and
    `offset` take points of the camera's frame to texels; `size` is 0 without a floor near by."""

    share: wp.array(dtype=wp.float32)
    size: wp.int32
    matrix: wp.mat33
    offset: wp.vec3


@wp.kernel(module=PICTURE)
def fill_floor(
    bodies: Bodies,
    corner: wp.vec2,
    step: float,
    size: int,
    share: wp.array(dtype=wp.float32),
):
    """Fill a `FloorMap`; texel 0 is at `corner` (x, y), texels are `step` metres wide."""
    v, u = wp.tid()
    x = corner[0] + step * (float(u) + 0.5)
    y = corner[1] + step * (float(v) + 0.5)
    at = wp.vec3(x, y, bodies.floor_z)
    hidden = 1.0 - open_share(bodies, at, wp.vec3(0.0, 0.0, 1.0))
    last = float(size - 1)
    border = wp.min(wp.min(float(u), last - float(u)), wp.min(float(v), last - float(v)))
    share[v * size + u] = 1.0 - hidden * wp.min(border / (_EDGE * last), 1.0)


@wp.func
def floor_share(floor: FloorMap, point: wp.vec3) -> float:
    """Share of the light from all sides that reaches a point of the floor (camera frame), bilinear;
    1 outside of the map."""
    if floor.size == 0:
        return 1.0
    t = floor.matrix * point + floor.offset
    x = t[0] - 0.5
    y = t[1] - 0.5
    x0 = int(wp.floor(x))
    y0 = int(wp.floor(y))
    if x0 < 0 or y0 < 0 or x0 >= floor.size - 1 or y0 >= floor.size - 1:
        return 1.0
    fx = x - float(x0)
    fy = y - float(y0)
    i = y0 * floor.size + x0
    upper = (1.0 - fx) * floor.share[i] + fx * floor.share[i + 1]
    lower = (1.0 - fx) * floor.share[i + floor.size] + fx * floor.share[i + floor.size + 1]
    return (1.0 - fy) * upper + fy * lower
