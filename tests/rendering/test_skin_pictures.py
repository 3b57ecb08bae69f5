"""Skin textures, placed by the body's texture coordinates."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from test_picture import EVEN, NAKED, light_of, standing

from repogen.assets.sources import Source, path_of, source_of
from repogen.cameras.camera import View, look_at
from repogen.colors import to_srgb
from repogen.errors import UserError
from repogen.people.outfit import Fabric, WornGarment
from repogen.rendering.paints import outfits_to_paints
from repogen.scenes import SceneConfig, sample_scene

SIDE = 1024


def share_of_height(z):
    return np.clip((z + 1.0) / 2.0, 0, 1)


@pytest.fixture(scope="module")
def heights(body, tmp_path_factory):
    """A skin texture that is red on top of the body and green at the bottom."""
    surface = body.surface
    picture = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    for face in np.flatnonzero(surface.faces_of("skin")):
        share = share_of_height(surface.canonical[surface.faces[face], 2].mean())
        red, green = np.rint(255 * to_srgb(np.array([share, 1 - share])))
        corners = np.rint(surface.uv[surface.face_uv[face]] * SIDE).astype(np.int32)
        cv2.fillConvexPoly(picture, corners, (0, int(green), int(red)))
    path = tmp_path_factory.mktemp("textures") / "heights.png"
    cv2.imwrite(str(path), picture)
    return path


def test_a_skin_texture_follows_the_texture_coordinates(body, renderer, heights):
    scene = standing(
        body,
        NAKED | {"bottom": "shorts", "hem": 9.0, "picture": source_of(heights, heights.parent)},
    )
    rendering = renderer.render(scene)
    g = rendering.gbuffer
    inside = g.to_image(g.by_pixel(g.covered).sum(axis=2)) == 4
    rows, columns = np.nonzero(inside)
    color = light_of(rendering.image)[rows, columns]
    camera = scene.camera
    # The whole body is about as far away as its hips: rows are heights.
    height = (camera.cy - rows - 0.5) * camera.translation[2] / camera.fy
    found = color[:, 0] / np.maximum(color[:, 0] + color[:, 1], 1e-3)
    assert len(rows) > 1000
    off = np.abs(found - share_of_height(height))
    assert np.median(off) < 0.03
    assert np.quantile(off, 0.95) < 0.08


def test_clothes_are_painted_over_a_skin_texture(body, renderer, heights):
    cloth = Fabric("#3050a0", "#3050a0", "plain", 0.1, 0.0)
    base = {"hair": "bald", "top": "shirt", "sleeve": 0.7, "waist": 0.0, "top_fabric": cloth}
    base |= {"bottom": "trousers", "hem": -0.8, "shoes": "shoes", "bottom_fabric": cloth}
    plain, pictured = (
        renderer.render(standing(body, base | extra)).image.astype(int)
        for extra in ({"picture": None}, {"picture": source_of(heights, heights.parent)})
    )
    differs = (np.abs(plain - pictured) > 12).any(axis=2)
    rows = np.nonzero(differs)[0]
    clothed = (rows > 50) & (rows < 130)
    assert differs.sum() > 50
    assert clothed.mean() < 0.03


def test_brows_are_not_painted_over_a_texture_or_worn_eyebrows(body):
    outfit = standing(body).people[0].outfit
    worn = WornGarment("mine", "eyebrows", "thick", ())
    others = replace(outfit, picture=Source("a.png", "0" * 64)), replace(outfit, worn=(worn,))
    assert outfits_to_paints([outfit, *others])["brow_opacity"].tolist() == pytest.approx(
        [0.8, 0, 0]
    )


def test_people_with_skin_textures_of_a_folder_wear_nothing_else(body, renderer, heights):
    config = SceneConfig(image_size=128, textures=heights.parent, backgrounds="plain")
    scene = sample_scene(config, 3, 0, body)
    outfit = scene.people[0].outfit
    assert path_of(outfit.picture) == heights
    assert (outfit.hair, outfit.top, outfit.shoes, outfit.worn) == ("bald", "bare", "bare", ())
    image = renderer.render(scene).image.astype(int)
    covered = renderer.render(scene).gbuffer
    inside = covered.to_image(covered.by_pixel(covered.covered).sum(axis=2)) == 4
    # No part of the texture is blue.
    assert np.median(image[inside][:, 0]) < 0.5 * np.median(image[inside].max(axis=1))


def test_a_texture_folder_without_pictures_is_a_user_error(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(UserError, match="none of its 1 image files can be read"):
        SceneConfig(textures=tmp_path)


@pytest.mark.parametrize("hem", [-0.07, -0.1])
def test_short_shorts_go_on_below_the_crotch(body, renderer, hem):
    """Seen from below, with the legs apart, the middle between the hips is blue cloth."""
    cloth = Fabric("#2030f0", "#2030f0", "plain", 0.1, 0.0)
    suit = NAKED | {"skin": "#c09070", "bottom": "shorts", "hem": hem, "bottom_fabric": cloth}
    camera = look_at(View(0.0, -75.0, 0.0, 1.5), (0.0, 0.0, -0.1), 0.0, 256, 30.0)
    apart = {"left_hip": (0.0, 0.0, 75.0), "right_hip": (0.0, 0.0, -75.0)}
    image = renderer.render(standing(body, suit, lights=EVEN, camera=camera, **apart)).image
    red, blue = (light_of(image)[..., channel] for channel in (0, 2))
    middle = (slice(100, 150), slice(122, 135))
    assert (blue > red)[middle].mean() > 0.95
    assert 0.05 < (red > 1.2 * blue).mean() < 0.6
