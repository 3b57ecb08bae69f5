"""Shadow maps: what blocks the light, and surfaces that are in it."""

from dataclasses import replace

import numpy as np
import pytest
from test_picture import NAKED, dyed, standing

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
