"""A scene as JSON: keep it, edit it, render it again."""

import json

from PIL import Image

import repogen

scene = repogen.sample_scene(repogen.SceneConfig(backgrounds="#9fb8c8"), seed=5, index=2)
text = scene.to_json()
assert repogen.Scene.from_json(text) == scene

data = json.loads(text)
data["people"][0]["angles"]["left_elbow"] = [0, -110, 0]
data["people"][0]["yaw_deg"] += 90
edited = repogen.Scene.from_json(json.dumps(data))
Image.fromarray(repogen.render(scene).image).save("before.jpg")
Image.fromarray(repogen.render(edited).image).save("after.jpg")
print("before.jpg after.jpg")
