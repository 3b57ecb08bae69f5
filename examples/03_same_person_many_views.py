"""One person in one pose from many directions: a scene is data, so replace its camera."""

from dataclasses import replace

import numpy as np
from PIL import Image

import repogen

scene = repogen.sample_scene(repogen.SceneConfig(pose="stretch", image_size=256), seed=3)
rows = []
for elevation in (-80, -40, 0, 40, 80):
    row = []
    for azimuth in (0, 90, 180, 270):
        view = repogen.View(azimuth, elevation, roll_deg=0, distance_m=2.6)
        camera = repogen.look_at(view, target=(0, 0, 0), yaw_deg=0, width=256, fov_deg=55)
        row.append(repogen.render(replace(scene, camera=camera)).image)
    rows.append(np.hstack(row))
Image.fromarray(np.vstack(rows)).save("views.jpg")
print("views.jpg")
