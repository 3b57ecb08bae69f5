"""Garments on the body: a jacket that is an offset copy of the body's skin."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from repogen.assets import Garment
from repogen.assets.garments import write_garment
from repogen.assets.packs import make_item, write_index
from repogen.bodies.protocol import LAYERS
from repogen.errors import UserError
from repogen.labels.annotation import annotate
from repogen.people import posing
from repogen.people.covering import ensure_covered
from repogen.people.garments import (
    TUCK,
    fit_garment,
    fitted_garment,
    pose_garments,
)
from repogen.people.outfit import REGIONS, Fabric, WornGarment
from repogen.scenes import SceneConfig, sample_scene

TREE = (3924, 10589), (1524, 4370), (1892, 3946)


@pytest.fixture(scope="module")
def jacket(body):
    """The skin between neck and hips, arms to the elbows, 2 cm (0.2 decimetres) out to the front,
    up and to the left, riding on single vertices."""
    surface = body.surface
    skin = surface.faces[surface.faces_of("skin")]
    at = surface.canonical
    inside = (at[:, 2] > 0.0) & (at[:, 2] < 0.5) & (np.abs(at[:, 0]) < 0.4)
    faces = skin[inside[skin].all(axis=1)]
    used, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3)
    count = len(used)
    return Garment(
        kind="clothes", name="jacket", uuid="1", licence="ours",
        refs=np.repeat(used[:, None], 3, axis=1).astype(np.int32),
        weights=np.tile(np.float32([1, 0, 0]), (count, 1)),
        offsets=np.tile(np.float32([0.0, 0.0, 0.2]), (count, 1)),
        scale_refs=np.array(TREE, dtype=np.int32), scale_lengths=np.zeros(3, dtype=np.float32),
        faces=faces.astype(np.int32),
        face_uv=np.zeros((len(faces), 3, 2), dtype=np.float32),
        hidden=np.zeros(0, dtype=np.int32), z_depth=50, tags=(), two_sided=True,
    )  # fmt: skip


@pytest.fixture
def installed_jacket(jacket, tmp_path, monkeypatch):
    folder = tmp_path / "mine" / "clothes"
    folder.mkdir(parents=True)
    write_garment(folder / "jacket.safetensors", jacket)
    cv2.imwrite(str(folder / "jacket.png"), np.full((64, 64, 4), (40, 200, 40, 255), np.uint8))
    paths = [folder / "jacket.safetensors", folder / "jacket.png"]
    item = make_item(folder.parent, paths, "clothes", "jacket", "1", "ours", ())
    write_index(folder.parent, "mine", None, "here", [item])
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path))
    fitted_garment.cache_clear()
    yield WornGarment("mine", "clothes", "jacket", (None,) * (REGIONS + 1))
    fitted_garment.cache_clear()


def test_on_the_average_body_a_garment_has_its_own_offsets(body, jacket, tmp_path):
    fitted = fit_garment(body, jacket, tmp_path / "none.png")
    own = jacket.refs[:, 0]
    # The front is -y; in T-pose the trunk is not rotated.
    trunk = np.abs(body.surface.canonical[own, 0]) < 0.1
    away = fitted.surface.canonical - body.surface.canonical[own]
    assert np.abs(away[trunk] - [0, -0.02, 0]).max() < 0.004


def test_a_garment_moves_with_the_skin_under_it(body, jacket, tmp_path):
    fitted = fit_garment(body, jacket, tmp_path / "none.png")
    own = jacket.refs[:, 0]
    rng = np.random.default_rng(0)
    for _ in range(3):
        angles = {joint: tuple(rng.uniform(-60, 60, 3)) for joint in ("left_shoulder", "spine2")}
        posed = body.pose({"age": 2 / 3, "weight": rng.uniform(0.3, 1)}, {}, angles)
        ((_, vertices),) = pose_garments(body, [fitted], posed)
        away = np.linalg.norm(vertices - posed.vertices[own], axis=1)
        assert away.min() > 0.005
        assert away.max() < 0.045


def test_skin_far_inside_a_garments_border_is_hidden(body, jacket, tmp_path):
    fitted = fit_garment(body, jacket, tmp_path / "none.png")
    front = np.abs(body.surface.canonical[:, [0, 2]] - [0, 0.25]).max(axis=1) < 0.08
    front &= body.surface.canonical[:, 1] < 0
    skin = np.unique(body.surface.faces[body.surface.faces_of("skin")])
    chest = np.intersect1d(np.flatnonzero(front), skin)
    assert fitted.hidden[chest].mean() > 0.9
    far = np.flatnonzero(body.surface.canonical[:, 2] < -0.3)
    assert not fitted.covered[far].any()
    assert (fitted.covered | ~fitted.hidden).all()


def test_a_garment_changes_the_picture_and_not_the_labels(body, renderer, installed_jacket):
    config = SceneConfig(
        image_size=256, views=("front",), azimuth=(0, 0), elevation=(0, 0), roll=(0, 0),
        pose="stand", backgrounds="#000000", person_share=(0.9, 0.9), wardrobe="painted",
    )  # fmt: skip
    scene = sample_scene(config, 4, 0, body)
    person = scene.people[0]
    worn = replace(person.outfit, worn=(installed_jacket,))
    dressed = renderer.render(replace(scene, people=(replace(person, outfit=worn),)))
    (bare_label,) = annotate(renderer.render(scene))
    (dressed_label,) = annotate(dressed)
    assert dressed_label["keypoints"][0::3] == bare_label["keypoints"][0::3]
    assert dressed_label["keypoints"][2::3] == bare_label["keypoints"][2::3]
    layers = dressed.mesh.layers[dressed.gbuffer.seen_faces]
    assert (layers == LAYERS.index("cloth")).mean() > 0.15
    x, y = (int(v) for v in np.mean([dressed_label["keypoints"][15:17],
                                     dressed_label["keypoints"][18:20]], axis=0))  # fmt: skip
    b, g, r = dressed.image[y + 8, x].astype(int)
    assert g > 1.5 * max(b, r)


def test_covered_skin_is_moved_inwards(body, renderer, installed_jacket):
    scene = sample_scene(SceneConfig(wardrobe="painted", backgrounds="plain"), 4, 0, body)
    person = scene.people[0]
    outfit = replace(person.outfit, worn=(installed_jacket,), hair="bald")
    rendering = renderer.render(replace(scene, people=(replace(person, outfit=outfit),)))
    posed = scene.camera.to_camera(rendering.people[0].body.vertices.astype(float))
    moved = np.linalg.norm(rendering.vertices[: len(posed)] - posed, axis=1)
    skin = np.zeros(len(posed), dtype=bool)
    skin[body.surface.faces[body.surface.faces_of("skin")]] = True
    fitted = fitted_garment(body, "mine", "clothes", "jacket")
    under = skin & (fitted.covered | fitted.hidden)
    assert under.sum() > 500
    assert moved[under] == pytest.approx(TUCK, abs=1e-5)
    assert moved[skin & ~under] == pytest.approx(0, abs=1e-5)


def test_a_dyed_garment_has_the_fabrics_colour(body, renderer, installed_jacket):
    config = SceneConfig(
        image_size=128, views=("front",), azimuth=(0, 0), elevation=(0, 0), roll=(0, 0),
        pose="stand", backgrounds="#000000", person_share=(0.9, 0.9), wardrobe="painted",
    )  # fmt: skip
    scene = sample_scene(config, 4, 0, body)
    red = Fabric("#d01010", "#d01010", "plain", 0.1, 0.1)
    worn = replace(installed_jacket, fabrics=(red,) * (REGIONS + 1))
    person = scene.people[0]
    outfit = replace(person.outfit, worn=(worn,))
    rendering = renderer.render(replace(scene, people=(replace(person, outfit=outfit),)))
    g = rendering.gbuffer
    cloth = rendering.mesh.layers[np.where(g.covered, g.faces, 0)] == LAYERS.index("cloth")
    mask = g.to_image(g.half_covered(cloth & g.covered)) > 0
    b, green, r = rendering.image[mask].astype(float).mean(axis=0)
    assert r > 2 * max(b, green)


def test_garments_on_another_body_than_anny_are_a_user_error(body, installed_jacket):
    class Other:
        name = "other"
        pose = body.pose

    person = sample_scene(SceneConfig(wardrobe="painted", backgrounds="plain"), 0, 0, body).people[
        0
    ]
    worn = replace(person.outfit, worn=(installed_jacket,))
    with pytest.raises(UserError, match="fit the body anny"):
        posing.pose_person(Other(), replace(person, outfit=worn))


def test_chest_and_hips_left_bare_by_garments_are_painted(body, installed_jacket):
    config = SceneConfig(wardrobe="painted", backgrounds="plain")
    painted = sample_scene(config, 0, 0, body).people[0].outfit
    painted = replace(painted, top="shirt", waist=0.0, bottom="trousers", hem=-0.8)
    bare = replace(painted, top="bare", waist=9.0, bottom="shorts", hem=9.0)
    jacket = ensure_covered(body, replace(bare, worn=(installed_jacket,)), painted)
    assert (jacket.top, jacket.waist) == ("bare", 9.0)
    assert (jacket.bottom, jacket.hem) == ("trousers", -0.8)
    nothing = ensure_covered(body, bare, painted)
    assert replace(nothing, worn=()) == painted
