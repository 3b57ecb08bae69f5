"""Effects of the sensor: each is as strong as stated, and none moves a person."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from repogen.assets.sources import source_of
from repogen.cameras.camera import View, look_at
from repogen.colors import to_linear
from repogen.environment.backgrounds import Photo, Plain
from repogen.environment.rooms import Room
from repogen.environment.sensor import PERFECT, Sensor
from repogen.labels.annotation import annotate, image_record
from repogen.rendering.blur import disc_blur, motion_blur
from repogen.rendering.image_circle import apply_image_circle
from repogen.rendering.kernels.lens import camera_to_lens
from repogen.rendering.sensor import (
    apply_sensor,
    background_depth,
    circle_of_confusion,
    defocus_background,
    needs_compositing,
    noise_std,
    vignette_factor,
)
from repogen.scenes import SceneConfig, sample_scene

EVERYTHING = Sensor(
    exposure_ev=0.3,
    white_balance=(1.1, 1.0, 0.9),
    camera_motion=(11.0, 40.0),
    iso=800.0,
    noise_seed=5,
    vignette=0.3,
    rescale=0.4,
    enlarge="cubic",
)


@pytest.fixture(scope="module")
def scene(body):
    scene = sample_scene(SceneConfig(image_size=160, roll=(0, 0)), 0, 4, body)
    camera = look_at(View(20, 10, 0, 3.0), (0.0, 0.0, 0.0), 0.0, 160, 50.0)
    return replace(scene, camera=camera, background=Plain("#406080"))


@pytest.fixture(scope="module")
def sharp(scene, renderer):
    return renderer.render(scene)


def picture(size=(120, 160)):
    """A smooth random picture, well below clipping."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.random((*size, 3)), (0, 0), 4)
    low, high = noise.min(), noise.max()
    return np.rint(20 + 150 * (noise - low) / (high - low)).astype(np.uint8)


def grey(level, size=(200, 200)):
    return np.full((*size, 3), level, np.uint8)


def light_of(image):
    """Linear RGB."""
    return to_linear(image[..., ::-1] / 255)


def dot(at=(50, 61), size=(101, 121), channels=3):
    light = np.zeros((*size, channels), np.float32)
    light[at] = 1
    return light


def centroid(light):
    """Row and column of the middle of a one-channel picture's light, pixels."""
    rows, columns = np.indices(light.shape)
    return np.array([(rows * light).sum(), (columns * light).sum()]) / light.sum()


def test_a_perfect_sensor_changes_no_byte(scene, sharp, renderer):
    image = picture()
    assert apply_sensor(image, PERFECT) is image
    assert defocus_background(image, scene) is image
    assert not needs_compositing(scene, np.array([0.5, 40.0]))
    again = renderer.render(replace(scene, sensor=Sensor(focus_m=2.0, noise_seed=9)))
    assert (again.image == sharp.image).all()


def test_one_stop_of_exposure_doubles_the_light():
    image = picture()
    brighter = apply_sensor(image, Sensor(exposure_ev=1.0))
    fine = brighter.max(axis=2) < 255
    assert fine.mean() > 0.5
    step = np.diff(to_linear(np.arange(257) / 255))[brighter[..., ::-1]]
    assert (np.abs(light_of(brighter) - 2 * light_of(image)) <= 0.75 * step)[fine].all()


def test_a_shorter_exposure_keeps_clipped_white():
    """Clipped pixels stay white; others are darkened."""
    image = grey(255)
    image[:100] = 128
    darker = apply_sensor(image, Sensor(exposure_ev=-1.0))
    assert (darker[100:] == 255).all()
    assert light_of(darker)[50, 50] == pytest.approx(light_of(image)[50, 50] / 2, rel=0.02)


def test_white_balance_multiplies_linear_red_green_and_blue():
    gains = (1.3, 0.9, 0.6)
    cast = apply_sensor(grey(110), Sensor(white_balance=gains))
    assert light_of(cast)[0, 0] / light_of(grey(110))[0, 0] == pytest.approx(gains, rel=0.01)


@pytest.mark.parametrize("size", [(81, 121), (64, 64)])
def test_a_vignette_darkens_corners_by_its_loss_and_not_the_centre(size):
    loss = 0.4
    factor = vignette_factor(*size, loss)
    height, width = size
    middle = factor[(height - 1) // 2, (width - 1) // 2]
    assert middle == pytest.approx(1, abs=3 * loss / (height**2 + width**2))
    assert factor[0, 0] == pytest.approx(1 - loss, abs=0.02)
    assert factor == pytest.approx(factor[::-1, ::-1], abs=1e-6)
    image = grey(180, size)
    out = apply_sensor(image, Sensor(vignette=loss))
    assert (out[height // 2, width // 2] == 180).all()
    assert light_of(out)[0, 0] / light_of(image)[0, 0] == pytest.approx(1 - loss, rel=0.04)


@pytest.mark.parametrize("iso", [200.0, 1600.0])
@pytest.mark.parametrize("level", [90, 170])
def test_noise_has_zero_mean_and_the_standard_deviation_of_noise_std(iso, level):
    image = grey(level)
    error = light_of(apply_sensor(image, Sensor(iso=iso, noise_seed=2))) - light_of(image)
    std = float(noise_std(np.float32(light_of(image)[0, 0, 0]), iso))
    assert error.std(axis=(0, 1)) == pytest.approx(std, rel=0.05)
    assert error.mean() == pytest.approx(0, abs=0.03 * std)
    assert np.abs(np.corrcoef(error.reshape(-1, 3).T) - np.eye(3)).max() < 0.05
    neighbours = np.corrcoef(error[:, 1:].ravel(), error[:, :-1].ravel())[0, 1]
    assert 0.1 < neighbours < 0.4
    assert np.abs(error / std).max() < 6
    far = np.corrcoef(error[:, 3:].ravel(), error[:, :-3].ravel())[0, 1]
    assert abs(far) < 0.02


def test_noise_depends_on_its_seed_only():
    one, again, other = (
        apply_sensor(grey(100), Sensor(iso=400.0, noise_seed=seed)) for seed in (1, 1, 2)
    )
    assert (one == again).all()
    assert (one != other).mean() > 0.3


def test_noise_grows_with_light_and_iso():
    assert noise_std(np.float32(0.8), 400) > 1.8 * noise_std(np.float32(0.2), 400)
    assert noise_std(np.float32(0.5), 1600) == pytest.approx(
        2 * noise_std(np.float32(0.5), 400), rel=0.03
    )


@pytest.mark.parametrize("length", [0.6, 3.0, 7.9, 8.5, 20.0, 31.0])
@pytest.mark.parametrize("angle", [0.0, 37.0, 90.0, 200.0])
def test_motion_blur_keeps_light_and_centre_and_has_the_given_length(length, angle):
    out = motion_blur(dot(), length, angle)[..., 1].astype(float)
    assert out.sum() == pytest.approx(1, abs=1e-5)
    assert centroid(out) == pytest.approx([50, 61], abs=1e-4)
    rows, columns = np.indices(out.shape)
    along = (columns - 61) * np.cos(np.radians(angle)) + (rows - 50) * np.sin(np.radians(angle))
    across = (rows - 50) * np.cos(np.radians(angle)) - (columns - 61) * np.sin(np.radians(angle))
    # A uniform line's variance is length^2 / 12; sharing between taps adds at most 1/4 of a pixel.
    assert (along**2 * out).sum() - length**2 / 12 == pytest.approx(0.15, abs=0.15)
    assert (across**2 * out).sum() < 0.5
    assert np.abs(along[out > 0]).max() <= length / 2 + 1.5


@pytest.mark.parametrize("diameter", [1.5, 4.0, 9.0, 14.0, 30.0])
def test_disc_blur_keeps_light_and_centre_and_has_the_given_diameter(diameter):
    out = disc_blur(dot(), diameter)[..., 0].astype(float)
    assert out.sum() == pytest.approx(1, abs=0.01)
    shrink = np.ceil(diameter / 9)
    # The dot moves to the centre of its pixel in the shrunk picture.
    assert centroid(out) == pytest.approx([50, 61], abs=1e-4 if shrink == 1 else shrink / 2)
    edge = np.zeros((100, 120, 3), np.float32)
    edge[:, 60:] = 1
    crossing = np.interp(0.5, disc_blur(edge, diameter)[50, :, 0], np.arange(120) + 0.5)
    assert crossing == pytest.approx(60, abs=0.05 if shrink == 1 else 0.35)
    rows, columns = np.indices(out.shape)
    variance = (((rows - 50) ** 2 + (columns - 61) ** 2) * out).sum()
    assert variance == pytest.approx(diameter**2 / 8, rel=0.2, abs=0.25)


@pytest.mark.parametrize("shrink", ["area", "linear"])
@pytest.mark.parametrize("enlarge", ["linear", "cubic"])
@pytest.mark.parametrize("factor", [0.23, 0.5, 0.77])
def test_rescaling_moves_nothing(shrink, enlarge, factor):
    rows, columns = np.indices((150, 170))
    blob = np.exp(-((rows - 70.3) ** 2 + (columns - 90.6) ** 2) / (2 * 9**2))
    image = np.repeat(np.rint(250 * blob)[..., None], 3, axis=2).astype(np.uint8)
    out = apply_sensor(image, Sensor(rescale=factor, shrink=shrink, enlarge=enlarge))
    assert out.shape == image.shape
    assert (out != image).any()
    before, after = centroid(image[..., 0].astype(float)), centroid(out[..., 0].astype(float))
    assert after == pytest.approx(before, abs=0.05)


def test_rescaling_removes_detail():
    stripes = grey(40, (128, 128))
    stripes[:, ::2] = 220
    assert apply_sensor(stripes, Sensor(rescale=0.3)).std() < 0.2 * stripes.std()


def test_the_circle_of_confusion_is_that_of_a_thin_lens(scene):
    """A 50 mm lens at f/2, focused at 2 m, images a point at 8 m as a disc of 0.48 mm."""
    focal, opening, focus, depth = 0.05, 0.025, 2.0, 8.0
    behind = 1 / (1 / focal - 1 / focus)
    disc = opening * abs(behind - 1 / (1 / focal - 1 / depth)) * (1 / focal - 1 / depth)
    pixels_per_metre = scene.camera.fx / behind
    sensor = Sensor(aperture_m=opening, focus_m=focus)
    assert float(circle_of_confusion(scene.camera, sensor, np.array(depth))) == pytest.approx(
        disc * pixels_per_metre, rel=1e-9
    )
    assert float(circle_of_confusion(scene.camera, sensor, np.array(focus))) == 0


def test_the_background_has_the_depth_of_the_floor(body, scene):
    room = sample_scene(SceneConfig(image_size=64, backgrounds="builtin"), 0, 0, body).background
    assert isinstance(room, Room)
    room = replace(room, floor_z=-1.0)
    above = look_at(View(0, 90, 0, 3.0), (0.0, 0.0, 0.0), 0.0, 64, 50.0)
    assert background_depth(replace(scene, background=room, camera=above)) == pytest.approx(4.0)
    below = look_at(View(0, -40, 0, 3.0), (0.0, 0.0, 0.0), 0.0, 64, 50.0)
    assert background_depth(replace(scene, background=room, camera=below)) == np.inf
    assert background_depth(scene) == np.inf


def silhouette(scene, renderer, **sensor):
    """Share of each pixel that sees people, from pictures in front of black and of white."""
    black, white = (
        light_of(
            renderer.render(
                replace(scene, background=Plain(color), ambient=0.2, sensor=Sensor(**sensor))
            ).image
        )
        for color in ("#000000", "#ffffff")
    )
    # Ambient light changes with the background, but only on people.
    return 1 - (white - black).clip(0, 1).min(axis=2)


def test_focus_on_the_person_blurs_only_the_background(scene, renderer, tmp_path):
    """Pixels full of the person keep every byte: no halo and no moved edge."""
    path = tmp_path / "detail.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 200, (160, 160, 3), dtype=np.uint8))
    # At this distance people are in the depth of field: their discs are below a pixel.
    camera = replace(scene.camera, translation=(0.0, 0.0, 12.0), fx=700.0, fy=700.0)
    photo = Photo(source_of(path, tmp_path), (0.0, 0.0, 1.0, 1.0), False)
    scene = replace(scene, background=photo, camera=camera)
    focused = replace(scene, sensor=Sensor(aperture_m=0.12, focus_m=12.0))
    before, after = renderer.render(scene), renderer.render(focused)
    counts = before.gbuffer.to_image(before.gbuffer.counts)
    inside = counts == before.gbuffer.samples**2
    assert inside.sum() > 500
    assert (after.image == before.image)[inside].all()
    assert after.image[counts == 0].std() < 0.4 * before.image[counts == 0].std()


def test_people_out_of_focus_are_blurred_without_moving(scene, sharp, renderer):
    blurred = replace(scene, sensor=Sensor(aperture_m=0.1, focus_m=1.5))
    assert needs_compositing(blurred, np.array([3.0]))
    out = renderer.render(blurred)
    assert (out.image != sharp.image).any()
    assert (out.gbuffer.depth_face_keys == sharp.gbuffer.depth_face_keys).all()
    assert annotate(out) == annotate(sharp)
    before = silhouette(scene, renderer)
    after = silhouette(scene, renderer, aperture_m=0.1, focus_m=1.5)
    assert centroid(after) == pytest.approx(centroid(before), abs=0.1)
    assert after.sum() == pytest.approx(before.sum(), rel=0.03)


def test_people_motion_blurs_people_and_not_the_background(scene, sharp, renderer):
    moving = replace(scene, sensor=Sensor(people_motion=(8.0, 0.0)))
    out = renderer.render(moving)
    near = cv2.dilate(sharp.gbuffer.to_image(sharp.gbuffer.counts), np.ones((1, 13))) > 0
    assert (out.image == sharp.image)[~near].all()
    assert (out.image != sharp.image)[near].any(axis=1).mean() > 0.5
    before, after = silhouette(scene, renderer), silhouette(scene, renderer, people_motion=(8, 0))
    assert centroid(after) == pytest.approx(centroid(before), abs=0.1)
    assert annotate(out) == annotate(sharp)


def test_composited_people_look_like_people_drawn_on_the_background(scene, sharp, renderer):
    """Drawn over black and composited they are the same, except for rounding."""
    apart = renderer.render(replace(scene, sensor=Sensor(people_motion=(1e-4, 0.0)))).image
    difference = np.abs(apart.astype(int) - sharp.image)
    assert difference.max() <= 6
    assert difference.mean() < 0.05


def test_effects_work_when_all_people_are_out_of_view(scene, renderer):
    away = replace(scene.people[0], position=(50.0, 0.0, 0.0))
    moving = replace(scene, people=(away,), sensor=Sensor(people_motion=(5.0, 0.0), aperture_m=0.1))
    assert (renderer.render(moving).image == renderer.render(moving).image[0, 0]).all()


def test_an_image_lists_its_active_effects(scene):
    assert image_record(scene, "1.jpg")["effects"] == {}
    sensor = Sensor(vignette=0.25, camera_motion=(3.0, 10.0))
    assert image_record(replace(scene, sensor=sensor), "1.jpg")["effects"] == {
        "camera_motion": [3.0, 10.0],
        "vignette": 0.25,
    }


def digest():
    image = apply_sensor(picture((300, 400)), EVERYTHING)
    soft = disc_blur(to_linear(image / 255).astype(np.float32), 13.0)
    return hashlib.sha256(image.tobytes() + soft.tobytes()).hexdigest()


def test_effects_give_the_same_bytes_with_any_number_of_threads():
    threads = cv2.getNumThreads()
    try:
        found = set()
        for count in (1, 2, 4):
            cv2.setNumThreads(count)
            found |= {digest(), digest()}
    finally:
        cv2.setNumThreads(threads)
    assert len(found) == 1


def test_effects_give_the_same_bytes_in_another_process():
    code = f"import sys; sys.path.insert(0, {str(__file__.rpartition('/')[0])!r}); "
    code += "from test_effects import digest; print(digest())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == digest()


def test_a_scene_with_all_effects_gives_the_same_picture_twice(scene, renderer):
    full = replace(
        EVERYTHING, aperture_m=0.06, focus_m=1.8, people_motion=(4.0, 70.0), camera_motion=(3.0, 0)
    )
    full = replace(scene, sensor=full)
    first = renderer.render(full).image
    renderer.render(scene)
    assert (renderer.render(full).image == first).all()


def test_outside_of_the_image_circle_is_black_and_its_edge_is_soft():
    camera = look_at(View(0, 90, 0, 2.0), (0.0, 0.0, 0.0), 0.0, 400, 190.0, "equidistant")
    bright = np.full((400, 400, 3), 200, np.uint8)
    assert apply_image_circle(bright, camera, camera_to_lens(camera)) is bright
    camera = replace(camera, circle_deg=180.0)
    found = apply_image_circle(bright, camera, camera_to_lens(camera))
    y, x = np.mgrid[:400, :400] + 0.5
    away = np.hypot(x - camera.cx, y - camera.cy) / camera.fx / np.radians(90)
    assert (found[away > 1] == 0).all()
    assert (found[away < 0.989] == 200).all()
    edge = (away < 1) & (away > 0.99)
    order = np.argsort(away[edge])
    fading = found[edge][order, 0].astype(int)
    assert (np.diff(fading) <= 0).all()
    assert len(set(fading)) > 20
    assert (bright == 200).all()
