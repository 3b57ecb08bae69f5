"""Scenes as glTF: read without repogen, and compared with the pictures and their labels."""

import json
import shutil
import struct
from dataclasses import replace

import numpy as np
import pytest

from repogen import SceneConfig, UserError, convert, sample_scene
from repogen.datasets.reading import open_dataset, read_scenes
from repogen.environment.backgrounds import Plain
from repogen.environment.sensor import PERFECT
from repogen.formats.scene_gltf import scene_to_glb
from repogen.labels.maps import depth_map

Z_UP = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], float)
"""From glTF's world to ours."""


class Glb:
    """A binary glTF file: its JSON and its accessors."""

    def __init__(self, data):
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert (kind, size % 4) == (b"JSON", 0)
        self.json = json.loads(data[20 : 20 + size])
        rest, kind = struct.unpack_from("<I4s", data, 20 + size)
        assert (kind, 28 + size + rest) == (b"BIN\0", len(data))
        self.data = data[28 + size :]

    def numbers(self, accessor):
        entry = self.json["accessors"][accessor]
        view = self.json["bufferViews"][entry["bufferView"]]
        kind = {5126: "<f4", 5125: "<u4"}[entry["componentType"]]
        part = self.data[view["byteOffset"] :][: view["byteLength"]]
        return np.frombuffer(part, kind).reshape(entry["count"], -1)

    def node(self, name):
        (found,) = (node for node in self.json["nodes"] if node.get("name") == name)
        return found

    def mesh(self, name):
        """Positions, colours and triangles of a node; they are in our world."""
        points, colors, faces = [], [], []
        for part in self.json["meshes"][self.node(name)["mesh"]]["primitives"]:
            faces.append(self.numbers(part["indices"]).reshape(-1, 3) + sum(len(p) for p in points))
            points.append(self.numbers(part["attributes"]["POSITION"]))
            colors.append(self.numbers(part["attributes"]["COLOR_0"]))
        return tuple(map(np.concatenate, (points, colors, faces)))

    def pixels(self, points):
        """Where its camera sees points of our world, by the rules of glTF."""
        camera = self.json["cameras"][0]
        perspective, extras = camera["perspective"], camera["extras"]
        matrix = np.array(self.node("camera")["matrix"]).reshape(4, 4).T
        x, y, z, _ = np.linalg.inv(matrix) @ np.column_stack([points, np.ones(len(points))]).T
        half = np.tan(perspective["yfov"] / 2)
        across = (x / -z / half / perspective["aspectRatio"] + 1) / 2
        down = (1 - y / -z / half) / 2
        left, top, width, height = extras["window"]
        return np.column_stack([
            (across - left) / width * extras["width"], (down - top) / height * extras["height"],
        ])  # fmt: skip


@pytest.fixture(scope="module")
def scenes(people, tmp_path_factory):
    """Each image's entry, annotations, scene, and its glTF file."""
    out = convert(people, tmp_path_factory.mktemp("gltf") / "out", to="gltf")
    table = json.loads((people / "annotations" / "person_keypoints.json").read_text())
    found = []
    for image, scene in zip(table["images"], read_scenes(open_dataset(people)), strict=True):
        path = out / "scenes" / image["file_name"].replace("jpg", "glb")
        own = [a for a in table["annotations"] if a["image_id"] == image["id"]]
        found.append((own, scene, Glb(path.read_bytes())))
    return found


def test_the_camera_sees_people_where_their_boxes_are(scenes):
    compared = 0
    for annotations, scene, glb in scenes:
        shown = []
        for number in range(len(scene.people)):
            points, colors, _ = glb.mesh(f"person {number + 1}")
            assert len(points) > 5000
            assert (colors[:, 3] > 0).all()
            at = glb.pixels(points)
            shown.append(np.concatenate([at.min(axis=0), np.ptp(at, axis=0)]))
        for annotation in annotations:
            off = np.abs(np.array(shown) - annotation["amodal_bbox"]).max(axis=1)
            assert off.min() < 1.0
            compared += 1
    assert compared >= 6


def test_everything_lies_below_a_node_that_turns_z_up_to_y_up(scenes):
    for _, scene, glb in scenes:
        (root,) = glb.json["scenes"][0]["nodes"]
        world = glb.json["nodes"][root]
        x, y, z, w = world["rotation"]
        up = np.array([2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)])
        np.testing.assert_allclose(up, [0, 1, 0], atol=1e-7)
        assert sorted([root, *world["children"]]) == list(range(len(glb.json["nodes"])))
        assert any(node.get("name") == "occluders" for node in glb.json["nodes"]) == bool(
            scene.occluders
        )


def test_lights_have_our_directions_and_strengths(scenes):
    compared = 0
    for _, scene, glb in scenes:
        lamps = glb.json["extensions"]["KHR_lights_punctual"]["lights"]
        for number, (lamp, light) in enumerate(zip(lamps, scene.lights, strict=True)):
            node = glb.node(f"light {number + 1}")
            matrix = np.array(node["matrix"]).reshape(4, 4).T
            np.testing.assert_allclose(matrix[:3, 2], light.direction, atol=1e-9)
            np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-9)
            assert np.linalg.det(matrix[:3, :3]) > 0
            # A white matt surface reflects 1 / pi of the illuminance.
            radiance = np.array(lamp["color"]) * lamp["intensity"] / np.pi
            np.testing.assert_allclose(radiance, light.color)
            compared += 1
    assert compared > 3


def test_colors_are_those_of_the_picture_in_white_light(renderer):
    scene = sample_scene(SceneConfig(views="front", wardrobe="painted", image_size=512), seed=3)
    scene = replace(
        scene, lights=(), ambient=1.0, tinted=False, sensor=PERFECT, background=Plain("#000000")
    )
    rendering = renderer.render(scene)
    glb = Glb(scene_to_glb(scene, renderer.colored_mesh(scene)))
    points, colors, _ = glb.mesh("person 1")
    at = glb.pixels(points)
    inside = (at > 2).all(axis=1) & (at < 510).all(axis=1)
    columns, rows = at[inside].astype(int).T
    depth = depth_map(rendering)[rows, columns] / 1000
    front = np.abs(scene.camera.to_camera(points[inside])[:, 2] - depth) < 0.01
    assert front.sum() > 1000
    light = (rendering.image[rows, columns, ::-1][front] / 255.0) ** 2.2
    for channel in range(3):
        ours, seen = colors[inside][front][:, channel], light[:, channel]
        assert np.corrcoef(ours, seen)[0, 1] > 0.9
        assert 0.5 < seen.mean() / ours.mean() < 1.1  # the rest is ambient occlusion


def test_a_floor_is_where_the_background_has_it(renderer):
    scene = sample_scene(SceneConfig(views="top", wardrobe="painted", backgrounds="builtin"), 5)
    glb = Glb(scene_to_glb(scene, renderer.colored_mesh(scene)))
    points, colors, faces = glb.mesh("floor")
    person, _, _ = glb.mesh("person 1")
    np.testing.assert_allclose(points[:, 2], scene.background.floor_z, rtol=1e-6)
    assert (points[:, :2].min(axis=0) < person[:, :2].min(axis=0)).all()
    assert (points[:, :2].max(axis=0) > person[:, :2].max(axis=0)).all()
    a, b, c = points[faces].transpose(1, 0, 2)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    assert (colors[:, :3] == colors[0, :3]).all()


@pytest.mark.parametrize("kept", [slice(1, None), slice(0, 1)])
def test_images_without_their_scenes_are_named(people, tmp_path, kept):
    shutil.copytree(people, tmp_path / "people")
    path = tmp_path / "people" / "scenes.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[kept]))
    with pytest.raises(UserError, match=r"\.jpg has no scene in its place; repogen validate"):
        convert(tmp_path / "people", tmp_path / "out", to="gltf")


def test_trimesh_reads_the_scene(people, scenes, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    out = convert(people, tmp_path / "out", to="gltf")
    _, scene, glb = scenes[0]
    loaded = trimesh.load(out / "scenes" / "00000001.glb", process=False).to_geometry()
    meshes = [glb.mesh(node["name"]) for node in glb.json["nodes"] if "mesh" in node]
    assert len(loaded.faces) == sum(len(faces) for _, _, faces in meshes)
    ours = np.concatenate([points[faces.ravel()] for points, _, faces in meshes])
    theirs = loaded.vertices[loaded.faces.ravel()] @ Z_UP[:3, :3].T
    for select in (np.min, np.max, np.mean):
        np.testing.assert_allclose(select(theirs, axis=0), select(ours, axis=0), atol=1e-4)
    assert scene.people
