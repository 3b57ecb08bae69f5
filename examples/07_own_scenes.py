"""A dataset of your own scenes: here each person is seen from eight sides."""

from collections.abc import Iterator
from dataclasses import replace

import repogen


def scenes() -> Iterator[repogen.Scene]:
    config = repogen.SceneConfig(views=("front",), image_size=256)
    for person in range(2):
        scene = repogen.sample_scene(config, seed=5, index=person)
        target, yaw_deg = scene.people[0].position, scene.people[0].yaw_deg
        for azimuth in range(0, 360, 45):
            view = repogen.View(azimuth, elevation_deg=20, roll_deg=0, distance_m=3)
            camera = repogen.look_at(view, target, yaw_deg, width=256, fov_deg=50)
            yield replace(scene, camera=camera, view_name="around")


if __name__ == "__main__":  # worker processes import this file
    folder = repogen.generate("own-scenes", scenes=scenes())
    print(repogen.preview(folder, columns=8), repogen.validate(folder))
