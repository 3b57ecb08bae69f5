"""Amodal boxes and their overlaps."""

import numpy as np
import pytest

from repogen.cameras.lens import MODELS
from repogen.environment.occluders import occluder_surface
from repogen.rendering.amodal import amodal_boxes, overlap_boxes
from repogen.rendering.buffers import mesh_buffers
from repogen.rendering.kernels.codes import CULLING_OF_VISIBLE, NO_PERSON
from repogen.rendering.kernels.raster import NEAR
from repogen.rendering.mesh import join
from repogen.scenes import SceneConfig, sample_scene

WIDE = {"pinhole": 100.0, "opencv": 90.0, "equidistant": 200.0, "kannala-brandt": 200.0}


@pytest.mark.parametrize("lens", MODELS)
def test_amodal_boxes_hold_people_and_their_clothes(body, renderer, lens):
    config = SceneConfig(
        image_size=200, lens=lens, fov=(WIDE[lens], WIDE[lens]), framing="paper",
        views=("sphere",), distance=(0.9, 1.5), people=(2, 2), spread=1.0,
        backgrounds="plain", wardrobe="painted",
    )  # fmt: skip
    seen, whole = [], []
    for index in range(3):
        scene = sample_scene(config, 1, index, body)
        rendering = renderer.render(scene)
        camera, mesh = scene.camera, rendering.mesh
        people = mesh.people[rendering.gbuffer.seen_faces]
        for i, box in enumerate(rendering.amodal_boxes):
            faces = mesh.faces[rendering.gbuffer.seen_faces[people == i]]
            points = rendering.vertices[np.unique(faces)].astype(float)
            pixels = camera.to_pixels(points[camera.in_view(points)])
            if len(pixels):
                seen.append((box, pixels))
            every = rendering.vertices[np.unique(mesh.faces[mesh.people == i])].astype(float)
            every = every[camera.in_view(every) & (camera.depth_of(every) > 0.05)]
            if len(every):
                whole.append((box, camera.to_pixels(every)))
    assert len(seen) >= 3
    for box, pixels in seen:
        assert (pixels.min(axis=0) > box[:2] - 0.01).all()
        assert (pixels.max(axis=0) < box[2:] + 0.01).all()
    assert len(whole) >= len(seen)
    for box, pixels in whole:
        assert (box[:2] > pixels.min(axis=0) - 0.01).all()
        assert (box[2:] < pixels.max(axis=0) + 0.01).all()


def naive_boxes(buffers, screen_vertices, culling, people):
    """Naive version of `amodal_boxes`."""
    used = np.unique(buffers.mesh.faces[np.isin(culling, CULLING_OF_VISIBLE)])
    used = used[screen_vertices[used, 2] > NEAR]
    owners = buffers.mesh.static_vertices["person"][used]
    rows = []
    for owner in (*range(people), NO_PERSON):
        x, y, _ = screen_vertices[used[owners == owner]].T
        rows.append(
            [f(v, initial=i) for f, i in ((np.min, np.inf), (np.max, -np.inf)) for v in (x, y)]
        )
    return np.array(rows)


def test_amodal_boxes_match_the_naive_ones(body):
    buffers = mesh_buffers(
        join([(body.surface, 0), (body.surface, 1), (occluder_surface("ball"), NO_PERSON)]), "cpu"
    )
    rng = np.random.default_rng(0)
    for _ in range(3):
        faces, vertices = len(buffers.faces), len(buffers.screen_vertices)
        culling = (rng.integers(0, 5, faces) * (rng.random(faces) < 0.01)).astype(np.uint8)
        screen = rng.normal(0, 100, (vertices, 3)).astype(np.float32)
        buffers.face_culling.assign(culling)
        buffers.screen_vertices.assign(screen)
        found = amodal_boxes(buffers, 3)
        assert (found == naive_boxes(buffers, screen, culling, 3)).all()


def test_overlap_boxes_hold_the_overlaps_with_all_other_boxes():
    nothing = [np.inf, np.inf, -np.inf, -np.inf]
    boxes = np.array([[0, 0, 10, 10], [13, 4, 20, 9], [30, 0, 40, 10], nothing, [5, 9, 6, 50]])
    found = overlap_boxes(boxes)
    assert found[0].tolist() == [3, 2, 12, 12]
    assert found[1].tolist() == [11, 2, 12, 11]
    assert (found[2:4] == nothing).all()
    assert found[4].tolist() == [3, 7, 8, 12]
    boxes[1, 0] = 14.5
    assert overlap_boxes(boxes)[1].tolist() == nothing
    assert overlap_boxes(boxes[:1]).tolist() == [nothing]
