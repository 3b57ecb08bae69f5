"""Skin and socks stay under the clothes over them."""

import numpy as np
import pytest

from repogen.assets.packs import CORE
from repogen.bodies.kernels import find_faces
from repogen.bodies.protocol import LAYERS
from repogen.people.posing import pose_person
from repogen.people.tucking import bind, tucked
from repogen.scenes import SceneConfig, sample_scene
from repogen.warp_setup import wp

OPTIONS = {"image_size": 256, "wardrobe": "packs", "packs": (CORE,), "backgrounds": "#808080",
           "pose_distribution": "acrobatic", "views": ("sphere",)}  # fmt: skip


def scene_of(body, index):
    return sample_scene(SceneConfig(**OPTIONS), 1, index, body)


def share_outside(rendering):
    """The share of the picture's samples of a person that see a covered face of the body with the
    outside of a garment at most 4 cm behind it."""
    mesh, at = rendering.mesh, rendering.vertices
    under = np.zeros(len(at), dtype=bool)
    for garment in rendering.people[0].garments:
        under[np.flatnonzero(garment.fitted.covered)] = True
    seen, samples = np.unique(
        rendering.gbuffer.faces[rendering.gbuffer.covered], return_counts=True
    )
    covered = under[mesh.faces[seen]].all(axis=1)
    if not covered.any():
        return 0.0
    middles = at[mesh.faces[seen[covered]]].mean(axis=1)
    rays = middles / np.linalg.norm(middles, axis=1, keepdims=True)
    cloth = mesh.faces[mesh.layers == LAYERS.index("cloth")]
    device = [wp.array(one, dtype=wp.vec3, device="cpu") for one in (at, middles, rays)]
    garments = wp.Mesh(device[0], wp.array(cloth.ravel(), dtype=wp.int32, device="cpu"))
    found = wp.empty(len(rays), dtype=wp.int32, device="cpu")
    weights = wp.empty(len(rays), dtype=wp.vec3, device="cpu")
    inputs = [garments.id, *device[1:], 0.0, 0.04]
    wp.launch(find_faces, dim=len(rays), inputs=inputs, outputs=[found, weights], device="cpu")
    a, b, c = at[cloth[found.numpy()]].swapaxes(0, 1)
    facing = (np.cross(b - a, c - a) * rays).sum(axis=1) < 0
    return samples[covered][(found.numpy() >= 0) & facing].sum() / samples.sum()


def test_skin_and_paint_under_garments_do_not_come_out(body, renderer):
    shares = [share_outside(renderer.render(scene_of(body, index))) for index in range(20)]
    assert np.mean(shares) < 0.001
    assert np.max(shares) < 0.01


def test_what_is_outside_a_garment_is_put_back_below_it_and_all_else_stays(body):
    moved = 0
    for index in range(8):
        posed = pose_person(body, scene_of(body, index).people[0])
        suit, *others = posed.garments
        for other in others:
            under = bind(other.fitted, suit.fitted)
            before, after = other.vertices, tucked(other.vertices, under, suit.vertices)
            way = np.linalg.norm(after - before, axis=1)
            assert way.max() < 0.0251
            assert not np.delete(way, under.vertices).any()
            again = tucked(after, under, suit.vertices)
            near = way[under.vertices] < 0.0249
            assert again[under.vertices[near]] == pytest.approx(
                after[under.vertices[near]], abs=1e-5
            )
            moved += (way > 0).sum()
    assert moved > 100


def test_vertices_are_bound_to_the_face_over_them(body):
    scene = scene_of(body, 3)
    posed = pose_person(body, scene.people[0])
    bound = 0
    for other in posed.garments[1:]:
        under = bind(other.fitted, posed.garments[0].fitted)
        over = posed.garments[0].fitted.surface.canonical
        at = np.einsum("nk,nki->ni", under.weights, over[under.faces])
        assert under.weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
        own = other.fitted.surface.canonical[under.vertices]
        assert np.linalg.norm(at - own, axis=1).max(initial=0) < 0.061
        bound += len(own)
    assert bound > 100
