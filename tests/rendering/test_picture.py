"""Pictures: coverage, edges, shadows and clothes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from repogen.assets.sources import source_of
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.bodies.surface import layer_vertices
from repogen.cameras.camera import View, look_at
from repogen.colors import from_hex, to_linear
from repogen.environment.backgrounds import Photo, Plain
from repogen.environment.lights import DirectionalLight
from repogen.people.outfit import sample_outfit
from repogen.rendering import renderer as renderer_module
from repogen.rendering.kernels import geometry
from repogen.rendering.kernels.codes import CULL_BACK, LAYER_SKIN, SHADOW_ONLY
from repogen.rendering.paints import outfits_to_paints
from repogen.scenes import SceneConfig, sample_scene

ORIGIN = (0.0, 0.0, 0.0)
NAKED = {"hair": "bald", "top": "bare", "waist": 9.0, "sleeve": 0.0, "shoes": "bare"}
EVEN = tuple(
    DirectionalLight(tuple(float(v) for v in sign * axis), (0.25, 0.25, 0.25), False)
    for axis in np.eye(3)
    for sign in (1, -1)
)
"""Lights on all sides: no shadows, whatever the background."""
FRONT = look_at(View(0, 0, 0, 2.2), ORIGIN, 0.0, 160, 55.0)


def random_scene(body, index=0, **options):
    return sample_scene(SceneConfig(**({"image_size": 160} | options)), 0, index, body)


def standing(body, outfit=None, background="#808080", lights=(), camera=FRONT, **angles):
    """The average adult in T-pose, or with some joints turned, in front of a plain colour."""
    scene = random_scene(body)
    person = scene.people[0]
    person = replace(
        person,
        shape={"age": 2 / 3},
        face={},
        angles=angles,
        outfit=replace(person.outfit, **(outfit or {})),
    )
    return replace(
        scene,
        people=(person,),
        camera=camera,
        lights=lights,
        ambient=0.6,
        background=Plain(background),
    )


def samples_covered(rendering):
    """How many of each pixel's four samples see a face."""
    g = rendering.gbuffer
    return g.to_image(g.by_pixel(g.covered).sum(axis=2))


def light_of(image):
    """Linear RGB."""
    return to_linear(image[..., ::-1] / 255)


def dyed(scene, color):
    """The scene with all people, hair and clothes of one colour."""
    outfit = scene.people[0].outfit
    names = ("skin", "eyes", "hair_color", "shoe_color", "sole_color")
    cloth = replace(outfit.top_fabric, color=color, accent=color, pattern="plain")
    outfit = replace(outfit, **dict.fromkeys(names, color), top_fabric=cloth, bottom_fabric=cloth)
    return replace(scene, people=tuple(replace(p, outfit=outfit) for p in scene.people))


def test_the_same_scene_gives_the_same_picture(body, renderer):
    scene = random_scene(body)
    first = renderer.render(scene)
    renderer.render(random_scene(body, 1, image_size=96))
    again = renderer.render(scene)
    assert (first.image == again.image).all()
    assert (first.gbuffer.depth_face_keys == again.gbuffer.depth_face_keys).all()
    assert first.image.shape == (160, 160, 3)
    assert first.image.dtype == np.uint8


@pytest.mark.parametrize("index", range(3))
def test_samples_lie_on_their_face_at_their_depth(body, renderer, index):
    """A sample's ray meets its face at its depth: nothing is off by half a pixel."""
    rendering = renderer.render(random_scene(body, index))
    g, camera = rendering.gbuffer, rendering.scene.camera
    rows, columns = np.nonzero(g.covered)
    pick = np.random.default_rng(0).choice(len(rows), 800, replace=False)
    rows, columns = rows[pick], columns[pick]
    pixels = np.stack([columns, rows], axis=1) + 0.5
    pixels = pixels / g.samples + [g.left, g.top]
    z = g.depth[rows, columns][:, None]
    points = np.hstack([(pixels - [camera.cx, camera.cy]) / [camera.fx, camera.fy] * z, z])

    a, b, c = rendering.vertices[rendering.mesh.faces[g.faces[rows, columns]]].swapaxes(0, 1)
    normal = np.cross(b - a, c - a)
    size = np.linalg.norm(normal, axis=1, keepdims=True)
    weights = np.stack(
        [
            np.einsum("ni,ni->n", np.cross(q - p, points - p), normal / size**2)
            for p, q in ((b, c), (c, a), (a, b))
        ]
    )
    # Without slivers and grazing triangles, where rounding of the depth weighs much.
    good = (size[:, 0] > 1e-6) & (np.abs(np.einsum("ni,ni->n", normal / size, points / z)) > 0.1)
    assert good.mean() > 0.8
    assert weights[:, good].min() > -0.02
    off_plane = np.einsum("ni,ni->n", points - a, normal / size)
    assert np.abs(off_plane[good]).max() < 1e-4


def test_the_gbuffer_decodes_its_keys(body, renderer):
    g = renderer.render(random_scene(body)).gbuffer
    assert (g.seen_faces == np.unique(g.faces[g.covered])).all()
    assert ((g.depth > 0) == g.covered).all()
    window = g.by_pixel(g.covered)
    assert (window[3, 5] == g.covered[6:8, 10:12].ravel()).all()
    whole = g.to_image(window)
    assert whole.shape == (g.height, g.width, 4)
    assert whole.sum() == g.covered.sum()
    assert (whole[g.top + 3, g.left + 5] == window[3, 5]).all()


def test_a_windowed_camera_shows_the_same_pixels(body, renderer):
    scene = random_scene(body, 2, backgrounds="#406080")
    whole = renderer.render(scene)
    covered = samples_covered(whole)
    y, x = (int(v) for v in np.argwhere(covered == 4).mean(axis=0))
    window = scene.camera.windowed(x - 30, y - 20, 60, 40, 1.0)
    part = renderer.render(replace(scene, camera=window))
    rows, columns = slice(max(y - 20, 0), y + 20), slice(max(x - 30, 0), x + 30)
    expected = whole.image[rows, columns]
    shown = part.image[-min(y - 20, 0) :, -min(x - 30, 0) :][
        : expected.shape[0], : expected.shape[1]
    ]
    # The lens is the same to the last bits of a float: a sample or two may see the neighbour.
    assert (np.abs(shown.astype(int) - expected) <= 2).mean() > 0.995


def test_a_picture_without_people_in_view_is_the_background(body, renderer):
    scene = random_scene(body, backgrounds="#406080")
    aside = scene.camera.windowed(5000, 5000, 160, 120, 1.0)
    rendering = renderer.render(replace(scene, camera=aside))
    assert rendering.image.shape == (120, 160, 3)
    assert (rendering.image == [0x80, 0x60, 0x40]).all()
    assert not rendering.gbuffer.covered.any()
    assert len(rendering.gbuffer.seen_faces) == 0


@pytest.mark.parametrize(
    ("background", "person"),
    [("#000000", "#f2f2f2"), ("#ffffff", "#101010"), ("#2040c0", "#f0e020")],
)
def test_people_have_no_halo(body, renderer, background, person):
    for index in range(3):
        scene = dyed(random_scene(body, index, backgrounds=background), person)
        rendering = renderer.render(replace(scene, lights=EVEN))
        covered, image = samples_covered(rendering), rendering.image.astype(int)
        behind = np.rint(255 * from_hex(background)[::-1]).astype(int)
        assert (image[covered == 0] == behind).all()

        # On the edge: between the background and the person's colours nearby.
        inside = (covered == 4)[..., None]
        kernel = np.ones((5, 5), np.uint8)
        low = cv2.erode(np.where(inside, rendering.image, 255).astype(np.uint8), kernel)
        high = cv2.dilate(np.where(inside, rendering.image, 0).astype(np.uint8), kernel)
        edge = (covered > 0) & (covered < 4) & (low <= high).all(axis=2)
        assert edge.sum() > 100
        fine = (image >= np.minimum(low, behind) - 6) & (image <= np.maximum(high, behind) + 6)
        assert fine[edge].mean() > 0.99


def test_edges_are_blended_in_linear_light(body, renderer):
    """A pixel that a person covers by a quarter, half or three quarters is that bright."""
    brightness = {k: [] for k in (1, 2, 3)}
    for index in range(4):
        scene = dyed(random_scene(body, index, backgrounds="#000000"), "#c0c0c0")
        rendering = renderer.render(replace(scene, lights=EVEN))
        covered, light = samples_covered(rendering), light_of(rendering.image)[..., 1]
        full = (covered == 4).astype(float)
        share = cv2.blur(full, (5, 5))
        near = cv2.blur(light * full, (5, 5)) / np.maximum(share, 1e-9)
        for k, found in brightness.items():
            here = (covered == k) & (share > 0.2)
            found.extend(light[here] / near[here])
    for k, found in brightness.items():
        assert np.median(found) == pytest.approx(k / 4, rel=0.1)


def test_a_small_picture_is_the_large_one_downsampled(body, renderer):
    for index in range(6):
        scene = dyed(random_scene(body, index, backgrounds="#606060"), "#a0a0a0")
        scene = replace(scene, lights=EVEN)
        large = replace(scene, camera=scene.camera.windowed(0, 0, 640, 640, 4.0))
        small, large = renderer.render(scene), light_of(renderer.render(large).image)
        expected = cv2.resize(large, (160, 160), interpolation=cv2.INTER_AREA)
        off = np.abs(light_of(small.image) - expected).max(axis=2)
        assert np.median(off) < 0.01
        assert np.quantile(off[samples_covered(small) == 4], 0.999) < 0.2


def test_a_photograph_is_shown_unchanged_behind_people(body, renderer, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "p.png"), pixels)
    photo = Photo(source_of(tmp_path / "p.png", tmp_path), (0.0, 0.0, 1.0, 1.0), False)
    rendering = renderer.render(replace(random_scene(body), background=photo))
    outside = samples_covered(rendering) == 0
    assert outside.mean() > 0.3
    assert (rendering.image[outside] == pixels[outside]).all()


LIGHT = DirectionalLight((0.0, -0.447, 0.894), (1.0, 1.0, 1.0), True)
ARMS_FORWARD = {"left_shoulder": (0.0, -90.0, 0.0), "right_shoulder": (0.0, 90.0, 0.0)}


def shadow_pictures(body, renderer, **angles):
    """Linear green with the light, without its shadows, and without the light; and a rendering."""
    choices = {"with": (LIGHT,), "unshadowed": (replace(LIGHT, shadow=False),), "dark": ()}
    outfit = NAKED | {"bottom": "shorts", "hem": -0.12}
    renderings = {
        name: renderer.render(dyed(standing(body, outfit, lights=lights, **angles), "#c0c0c0"))
        for name, lights in choices.items()
    }
    return {name: light_of(r.image)[..., 1] for name, r in renderings.items()}, renderings["with"]


def test_outstretched_arms_cast_a_shadow_on_the_legs(body, renderer):
    light, rendering = shadow_pictures(body, renderer, **ARMS_FORWARD)
    assert (light["with"] <= light["unshadowed"] + 0.01).all()
    darker = light["with"] < 0.6 * light["unshadowed"]
    knees = rendering.people[0].body.keypoints[COCO_KEYPOINTS.index("left_knee") :][:2]
    camera = rendering.scene.camera
    knee = int(camera.to_pixels(camera.to_camera(knees))[:, 1].mean())
    legs = (samples_covered(rendering) == 4)[knee - 10 : knee + 30]
    # The light is above and in front: the shadows of the arms begin on the thighs.
    assert darker[knee - 10 : knee + 30][legs].mean() > 0.1
    without, still = shadow_pictures(body, renderer)  # T-pose: the arms are out of the light's way
    legs = (samples_covered(still) == 4)[knee - 10 : knee + 30]
    assert (without["with"] < 0.6 * without["unshadowed"])[knee - 10 : knee + 30][
        legs
    ].mean() < 0.05


def rays_hit(starts, direction, corners):
    """Whether each ray meets a triangle (Möller and Trumbore) at least 1 cm from its start."""
    a, b, c = corners.swapaxes(0, 1)
    edge1, edge2 = b - a, c - a
    across = np.cross(direction, edge2)
    inverse = 1 / np.where(np.abs(d := np.einsum("fi,fi->f", edge1, across)) < 1e-14, np.inf, d)
    hits = []
    for start in starts:
        offset = start - a
        u = np.einsum("fi,fi->f", offset, across) * inverse
        q = np.cross(offset, edge1)
        v = (q @ direction) * inverse
        t = np.einsum("fi,fi->f", edge2, q) * inverse
        hits.append(((u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0.01)).any())
    return np.array(hits)


def test_shadows_are_where_rays_to_the_light_are_blocked(body, renderer):
    light, rendering = shadow_pictures(body, renderer, **ARMS_FORWARD)
    gain = light["unshadowed"] - light["dark"]
    rows, columns = np.nonzero((samples_covered(rendering) == 4) & (gain > 0.1))
    pick = np.random.default_rng(0).choice(len(rows), 250, replace=False)
    rows, columns = rows[pick], columns[pick]
    lit = (light["with"] - light["dark"])[rows, columns] / gain[rows, columns]

    g, camera = rendering.gbuffer, rendering.scene.camera
    z = g.to_image(g.by_pixel(g.depth).mean(axis=2))[rows, columns]
    focal, centre = [camera.fx, camera.fy], [camera.cx, camera.cy]
    seen = (np.stack([columns, rows], axis=1) + 0.5 - centre) / focal * z[:, None]
    starts = np.hstack([seen, z[:, None]])
    skin = rendering.mesh.faces[rendering.mesh.layers == LAYER_SKIN]
    towards = np.array(camera.rotation) @ LIGHT.direction
    blocked = rays_hit(starts, towards, rendering.vertices[skin].astype(float))
    assert blocked.mean() > 0.1
    assert (~blocked).mean() > 0.3
    assert np.mean((lit < 0.5) == blocked) > 0.93


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_light_from_one_side_lights_that_side(body, renderer, side):
    light = DirectionalLight((side, 0.0, 0.0), (0.8, 0.8, 0.8), True)
    scene = dyed(standing(body, NAKED), "#a0a0a0")
    dark, lit = (
        light_of(renderer.render(replace(scene, lights=lights)).image) for lights in ((), (light,))
    )
    gain = (lit - dark)[..., 1]
    left, right = gain[:, 83:].sum(), gain[:, :77].sum()  # the subject's left is on the right
    assert (left > 1.5 * right) if side > 0 else (right > 1.5 * left)


def rows_changed(before, after):
    """The row of every pixel that clearly differs."""
    return np.nonzero((np.abs(before.image.astype(int) - after.image) > 25).any(axis=2))[0]


@pytest.mark.parametrize(
    ("change", "top", "bottom"),
    [
        ({"hair": "long"}, 0.95, 0.1),
        ({"hair": "short"}, 0.9, 0.6),
        ({"bottom": "skirt", "hem": -0.5}, 0.15, -0.6),
        ({"bottom": "trousers", "hem": -0.8}, 0.15, -0.9),
        ({"shoes": "shoes"}, -0.8, -1.05),
        ({"shoes": "boots"}, -0.65, -1.05),
        ({"top": "t-shirt", "waist": 0.0, "sleeve": 0.4}, 0.65, -0.05),
        ({"skin": "#402010"}, 0.95, -1.05),
    ],
)
@pytest.mark.parametrize("azimuth", [0, 180])
def test_hair_and_clothes_change_the_picture_where_they_are(
    body, renderer, change, top, bottom, azimuth
):
    """Between two heights, metres above the hips; with a margin for the perspective."""
    camera = look_at(View(azimuth, 0, 0, 4.0), ORIGIN, 0.0, 160, 30.0)
    cloth = standing(body).people[0].outfit.top_fabric
    cloth = replace(cloth, color="#d0b090", accent="#d0b090", pattern="plain")
    base = NAKED | {"bottom": "shorts", "hem": -0.25, "skin": cloth.color, "bottom_fabric": cloth}
    base |= {"hair_color": "#703010", "shoe_color": "#1010c0", "sole_color": "#1010c0"}
    if {"top", "bottom"} & set(change):
        green = replace(cloth, color="#109010", accent="#109010")
        change = change | {"bottom_fabric" if "bottom" in change else "top_fabric": green}
    pictures = [
        renderer.render(standing(body, outfit, camera=camera)) for outfit in (base, base | change)
    ]
    rows = rows_changed(*pictures)
    high, low = (80 - camera.fy * z / 4.0 for z in (top, bottom))
    there = (rows > high - 3) & (rows < low + 3)
    assert there.sum() > 25
    assert np.ptp(rows[there]) > 0.3 * (low - high)
    # Noise in skin and folds differs between any two outfits, so not all changes are there.
    assert there.mean() > 0.9


def test_culling_skin_under_clothes_leaves_no_hole(body, renderer, monkeypatch):
    """People look the same whether skin deep inside their clothes is drawn or not."""
    config = SceneConfig(image_size=256, views=("top", "bottom", "front"), backgrounds="plain")
    scenes = [sample_scene(config, 1, index, body) for index in range(60)]
    covered = [renderer.render(scene).gbuffer.covered for scene in scenes]
    launch = renderer_module.launch_batched
    culled = []

    def launch_with_all_skin(device, kernel, count, *arguments):
        launch(device, kernel, count, *arguments)
        if kernel is geometry.cull_faces:
            culling = arguments[-1].numpy().copy()
            culled.append((culling == SHADOW_ONLY).sum())
            culling[culling == SHADOW_ONLY] = CULL_BACK
            arguments[-1].assign(culling)

    monkeypatch.setattr(renderer_module, "launch_batched", launch_with_all_skin)
    for scene, seen in zip(scenes, covered, strict=True):
        everything = renderer.render(scene).gbuffer.covered
        # A few differ: skin reaches through the cloth at joints that are bent far.
        assert (everything & ~seen).sum() < 1e-3 * everything.sum()
    assert len(culled) == len(scenes)
    assert min(culled) > 0


def two_people(body):
    """One a metre behind the other, both facing the camera."""
    scene = standing(body, NAKED)
    near = replace(scene.people[0], position=(0.1, -0.4, 0.0))
    far = replace(scene.people[0], position=(-0.1, 0.6, 0.0), yaw_deg=30.0)
    return scene, near, far


def test_the_nearer_of_two_people_is_seen(body, renderer):
    scene, near, far = two_people(body)
    rendering = renderer.render(replace(scene, people=(far, near)))
    g = rendering.gbuffer
    who = rendering.mesh.people[g.faces]
    both = [renderer.render(replace(scene, people=(p,))) for p in (far, near)]
    masks = [samples_covered(r) == 4 for r in both]
    shown = g.to_image(g.by_pixel(who).min(axis=2) + 1)  # 0 where a sample sees no face
    overlap = masks[0] & masks[1]
    assert overlap.sum() > 200
    assert (shown[overlap] == 2).mean() > 0.99
    alone = masks[0] & (samples_covered(both[1]) == 0)
    assert (shown[alone] == 1).mean() > 0.99


def test_the_order_of_people_does_not_matter(body, renderer):
    scene, near, far = two_people(body)
    images = [
        renderer.render(replace(scene, people=order)).image for order in ((near, far), (far, near))
    ]
    assert (images[0] == images[1]).mean() > 0.999


def test_people_fill_the_share_of_the_picture_asked_for(body, renderer):
    for index in range(25):
        scene = random_scene(body, index, person_share=(0.8, 0.8), backgrounds="#000000")
        rows, columns = np.nonzero(samples_covered(renderer.render(scene)))
        share = (max(np.ptp(rows), np.ptp(columns)) + 1) / 160
        assert 0.77 < share < 0.83


def test_under_a_skirt_is_the_skirts_fabric_up_to_its_top(body):
    """Where a pose lets the surface below through, it does not show."""
    outfit = replace(sample_outfit(np.random.default_rng(0), 1.0), bottom="skirt", waist=-0.05)
    (paint,) = outfits_to_paints([outfit])
    top = body.surface.canonical[layer_vertices(body.surface, "skirt"), 2].max()
    assert 0 < top - paint["belt"] < 0.01
    assert 0 < paint["belt"] - paint["waist"] < 0.01
    (trousers,) = outfits_to_paints([replace(outfit, bottom="trousers")])
    assert trousers["waist"] == pytest.approx(-0.05)
