"""A scene goes through JSON unchanged: keep it, edit it, make the picture again."""

import json

import cv2

import repogen

scene = repogen.sample_scene(repogen.SceneConfig(backgrounds="#9fb8c8"), seed=5, index=2)
text = repogen.scene_to_json(scene)
assert repogen.scene_from_json(text) == scene

edited = json.loads(text)
edited["people"][0]["angles"]["left_elbow"] = [0, -110, 0]
edited["people"][0]["outfit"]["top_fabric"]["pattern"] = "stripes"
cv2.imwrite("before.jpg", repogen.render(scene).image)
cv2.imwrite("after.jpg", repogen.render(repogen.scene_from_json(json.dumps(edited))).image)
print("before.jpg", "after.jpg")
