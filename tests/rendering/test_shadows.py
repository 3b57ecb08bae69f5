"""Shadow maps: what blocks the light, and surfaces that are in it."""

from dataclasses import replace

import numpy as np
import pytest
from test_backdrop import ROOM
from test_picture import NAKED, dyed, samples_covered, standing

from repogen.cameras.camera import View, look_at
from repogen.environment.lights import DirectionalLight
from repogen.environment.occluders import Occluder
from repogen.people.outfit import Fabric
from repogen.rendering import renderer as renderer_module
from repogen.rendering.kernels.codes import LAYER_TIGHTS

FRONT = DirectionalLight((0.0, -0.9, 0.436), (1.0, 1.0, 1.0), True)


def test_no_light_passes_through_painted_shoes(body, renderer, monkeypatch):
    maps = []
    scene_lighting = renderer_module.scene_lighting

    def kept(*arguments):
        maps.append(scene_lighting(*arguments))
        return maps[-1]

    monkeypatch.setattr(renderer_module, "scene_lighting", kept)
    rendering = renderer.render(standing(body, NAKED | {"shoes": "boots"}, lights=(FRONT,)))
    (lighting,) = maps
    mesh = rendering.mesh
    low = (mesh.static_vertices["canonical"][mesh.faces][..., 2] < -0.78).all(axis=1)
    shoes = low & (mesh.layers == LAYER_TIGHTS)
    assert shoes.sum() > 100
    light = lighting.lights.numpy()[0]
    middles = rendering.vertices[mesh.faces[shoes]].mean(axis=1)
    x, y, z = (middles @ light["matrix"].reshape(3, 3).T + light["offset"]).T
    depths = lighting.shadow_depths.numpy().reshape(lighting.shadow_size, -1)
    found = depths[y.astype(int), x.astype(int)]
    # At outlines a texel's middle is beside the shoe.
    assert np.mean(found <= z + 0.01) > 0.85


@pytest.mark.parametrize("elevation", [8, 20, 40])
@pytest.mark.parametrize("length", [2.0, 4.5])
def test_flat_surfaces_in_slanting_light_have_no_stripes(body, renderer, elevation, length):
    """A bed that nobody stands in front of is as bright with shadows as without them."""
    tilt = np.radians(elevation)
    light = DirectionalLight((0.0, -np.cos(tilt), np.sin(tilt)), (0.5, 0.5, 0.5), True)
    linen = Fabric("#c0c0c0", "#c0c0c0", "plain", 0.1, 0.0)
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    bed = Occluder("mattress", (0.0, 0.0, -0.9), (1.6, length, 0.4), axes, linen)
    camera = look_at(View(0, 50, 0, 4.0), (0.0, 0.0, -0.9), 0.0, 200, 60.0)
    scene = dyed(standing(body, NAKED, camera=camera, lights=(light,)), "#c0c0c0")
    person = replace(scene.people[0], position=(0.0, length / 2 + 0.6, 0.0))
    scene = replace(scene, people=(person,), occluders=(bed,))
    with_shadow = renderer.render(scene)
    without = renderer.render(replace(scene, lights=(replace(light, shadow=False),)))
    g = with_shadow.gbuffer
    of_bed = np.zeros(g.covered.shape, bool)
    of_bed[g.covered] = with_shadow.mesh.people[g.faces[g.covered]] < 0
    top = g.to_image(g.by_pixel(of_bed).sum(axis=2)) == 4
    assert top.sum() > 5000
    off = np.abs(with_shadow.image.astype(int) - without.image).max(axis=2)[top]
    assert np.mean(off > 1) < 0.01


def floor_light(renderer, body, light, monkeypatch):
    """The light's square on the floor 1.5 m below the hips, and metres of a texel."""
    kept = []
    squares = renderer_module.floor_light_squares

    def keep(scene, lighting):
        kept.append((squares(scene, lighting), lighting.shadow_texel * lighting.shadow_size))
        return kept[-1][0]

    monkeypatch.setattr(renderer_module, "floor_light_squares", keep)
    scene = replace(standing(body, NAKED, lights=(light,)), background=replace(ROOM, floor_z=-0.97))
    renderer.render(scene)
    ((found, side),) = kept
    return found[0], side / found.shape[1]


def test_floor_shadows_are_softer_with_the_distance_to_what_throws_them(
    body, renderer, monkeypatch
):
    """Across the light's rays, feet have sharp shadows and the head a soft one."""
    light = DirectionalLight((0.0, -0.8, 0.6), (1.0, 1.0, 1.0), True)
    share, texel = floor_light(renderer, body, light, monkeypatch)
    assert share.min() < 0.02
    assert share.max() == 1

    def edge(row):
        """Metres over which the light falls from 0.9 to 0.1 at one side of a row's shadow."""
        values = share.T[row]
        first = int(np.argmax(values < 0.1))
        return texel * (first - int(np.flatnonzero(values[:first] > 0.9)[-1]))

    rows = np.flatnonzero((share < 0.1).any(axis=0))  # the person lies along the square's rows
    ends = [edge(rows[k]) for k in (3, -4)]
    assert min(ends) < 0.06
    assert max(ends) > 1.5 * min(ends)


def test_floor_shadows_at_grazing_views_are_means_of_what_pixels_see(body, renderer):
    """A small picture of a shadow from just above the floor is like the mean of a large one."""
    light = DirectionalLight((0.45, 0.78, 0.435), (1.5, 1.5, 1.5), True)
    pictures = []
    for size in (128, 512):
        camera = look_at(View(60, 2, 0, 5.0), (0.0, 0.0, -0.75), 0.0, size, 50.0)
        scene = standing(body, NAKED, camera=camera, lights=(light,))
        scene = replace(scene, background=replace(ROOM, floor_z=-0.97))
        rendering = renderer.render(scene)
        free = samples_covered(rendering) == 0
        grey = rendering.image[..., 2].astype(np.float32)  # the floor is red
        step = size // 128
        grey = grey.reshape(128, step, 128, step).mean(axis=(1, 3))
        pictures.append((grey, free.reshape(128, step, 128, step).all(axis=(1, 3))))
    (small, free), (large, free_too) = pictures
    floor = free & free_too
    floor[:67] = False
    assert (large[floor] < 0.9 * np.median(large[floor])).sum() > 60
    shadow = floor & (large < 0.95 * np.median(large[floor]))
    assert np.abs(small - large)[shadow].mean() < 8
