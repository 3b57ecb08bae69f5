"""Kernels agree with Python about every code, in whatever order the names are."""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import repogen
from repogen.cameras.camera import View, look_at
from repogen.cameras.lens import MODELS
from repogen.environment.rooms import FLOOR_PATTERNS
from repogen.people.outfit import HAIR_STYLES, PATTERNS
from repogen.rendering import kernels
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.scene import Scene

PACKAGE = Path(repogen.__file__).parent
TUPLES = {
    "bodies/protocol.py": ("LAYERS",),
    "people/outfit.py": ("PATTERNS", "HAIR_STYLES"),
    "environment/rooms.py": ("FLOOR_PATTERNS",),
    "cameras/lens.py": ("MODELS",),
}
DISTORTION = {"opencv": (-0.2, 0.05, 0.0, 0.0, 0.0), "kannala-brandt": (0.05, 0.0, 0.0, 0.0)}


def scenes(body):
    """Scenes that use every pattern, hair style, floor and lens, with skirts and occluders."""
    config = SceneConfig(image_size=64, backgrounds="builtin", occluders=(1, 1))
    out = []
    for i, pattern in enumerate(PATTERNS):
        scene = sample_scene(config, 0, i, body)
        person, background = scene.people[0], scene.background
        lens = list(MODELS)[i % len(MODELS)]
        outfit = replace(
            person.outfit,
            hair=HAIR_STYLES[i % len(HAIR_STYLES)],
            bottom=("skirt", "shorts")[i % 2],
            hem=-0.4,
            top_fabric=replace(person.outfit.top_fabric, pattern=pattern),
            bottom_fabric=replace(person.outfit.bottom_fabric, pattern=PATTERNS[-i]),
        )
        floor = FLOOR_PATTERNS[i % len(FLOOR_PATTERNS)]
        view = View(45.0 * i, 30.0, 0.0, 2.5)
        camera = look_at(view, (0.0, 0.0, 0.0), 0.0, 64, 70.0, lens, DISTORTION.get(lens, ()))
        out.append(
            replace(
                scene,
                people=(replace(person, outfit=outfit),),
                background=replace(background, floor_pattern=floor),
                camera=camera,
            )
        )
    return out


def hashes(renderer, found):
    return [hashlib.sha256(renderer.render(scene).image.tobytes()).hexdigest() for scene in found]


def main():
    """Prints the hashes of the scenes on stdin."""
    from repogen.bodies.anny import AnnyBody
    from repogen.rendering.renderer import Renderer

    found = [Scene.from_json(data) for data in json.load(sys.stdin)]
    print(json.dumps([list(PATTERNS), hashes(Renderer(AnnyBody()), found)]))


def reverse_tuples(package):
    """Reverses the order of all names that have codes, in a copy of the package's source."""
    for file, names in TUPLES.items():
        text = (package / file).read_text()
        for name in names:
            before = text
            text = re.sub(
                rf"^{name} = (\([^)]*\)|{{[^}}]*}})$",
                rf"{name} = type(\1)(reversed([*(getattr(\1, 'items', \1.__iter__)())]))",
                text,
                flags=re.M,
            )
            assert text != before
        (package / file).write_text(text)


@pytest.mark.slow
def test_reordering_layers_patterns_and_lenses_changes_no_pixel(body, renderer, tmp_path):
    found = scenes(body)
    shutil.copytree(PACKAGE, tmp_path / "repogen", ignore=shutil.ignore_patterns("__pycache__"))
    reverse_tuples(tmp_path / "repogen")
    result = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps([scene.to_json() for scene in found]),
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    patterns, reordered = json.loads(result.stdout)
    assert tuple(patterns) == PATTERNS[::-1]
    assert reordered == hashes(renderer, found)


def compared_numbers(tree):
    """Lines and values of integers other than 0 and 1 in comparisons."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [s for s in (node.left, *node.comparators) if isinstance(s, ast.Constant)]
            yield from (
                f"line {node.lineno}: {side.value}"
                for side in sides
                if type(side.value) is int and side.value not in (0, 1)
            )


@pytest.mark.parametrize(
    "file", sorted(Path(kernels.__file__).parent.glob("*.py")), ids=lambda path: path.stem
)
def test_kernels_compare_codes_by_name(file):
    """No bare integer stands for a layer, a pattern or a culling mode."""
    assert list(compared_numbers(ast.parse(file.read_text()))) == []


if __name__ == "__main__":
    main()
