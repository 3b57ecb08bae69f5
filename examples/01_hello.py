"""One picture of one person, and its COCO annotations."""

import json
from pathlib import Path

from PIL import Image

import repogen

config = repogen.SceneConfig(views=("top",), image_size=512)
scene = repogen.sample_scene(config, seed=7)
rendering = repogen.render(scene)
Image.fromarray(rendering.image).save("hello.jpg")
Path("hello.json").write_text(json.dumps(rendering.annotations))
print("hello.jpg hello.json")
