"""One picture of one person, and its COCO labels."""

import json

import cv2

import repogen

config = repogen.SceneConfig(views=("top",), image_size=512)
scene = repogen.sample_scene(config, seed=7, index=0)
rendering = repogen.render(scene)
cv2.imwrite("hello.jpg", rendering.image)
with open("hello.json", "w") as out:
    json.dump(repogen.label(rendering), out)
print("hello.jpg", "hello.json")
