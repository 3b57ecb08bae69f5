"""One person in one pose, seen from all around: a scene is data, so change its camera alone."""

from dataclasses import replace

import cv2
import numpy as np

import repogen
from repogen.cameras import View, look_at

scene = repogen.sample_scene(repogen.SceneConfig(pose="stretch", image_size=256), seed=3)
pictures = []
for elevation in (-80, -40, 0, 40, 80):
    row = []
    for azimuth in (0, 90, 180, 270):
        view = View(azimuth, elevation, roll_deg=0, distance_m=2.6)
        camera = look_at(view, target=(0, 0, 0), yaw_deg=0, width=256, fov_deg=55)
        row.append(repogen.render(replace(scene, camera=camera)).image)
    pictures.append(np.hstack(row))
cv2.imwrite("views.jpg", np.vstack(pictures))
print("views.jpg")
