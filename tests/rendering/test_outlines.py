"""Outlines of people are lit as the surfaces that they end."""

from dataclasses import replace

import cv2
import pytest
from test_picture import standing

from repogen.cameras.camera import View, look_at
from repogen.environment.lights import DirectionalLight
from repogen.people.outfit import Fabric

CLOTH = Fabric("#f0f0f0", "#f0f0f0", "plain", 0.1, 0.0)
SUIT = {"hair": "bald", "top": "shirt", "sleeve": 0.7, "waist": -0.05, "top_fabric": CLOTH,
        "bottom": "trousers", "hem": -0.85, "bottom_fabric": CLOTH, "shoes": "bare"}  # fmt: skip
ABOVE = DirectionalLight((0.0, 0.0, 1.0), (1.0, 1.0, 1.0), False)


@pytest.mark.parametrize("elevation", [0.0, 30.0])
def test_outlines_that_face_away_from_the_light_have_no_bright_specks(body, renderer, elevation):
    camera = look_at(View(0.0, elevation, 0.0, 3.0), (0.0, 0.0, 0.0), 0.0, 256, 45.0)
    scene = standing(body, SUIT, background="#000000", lights=(ABOVE,), camera=camera)
    grey = renderer.render(replace(scene, ambient=0.05)).image[..., 1]
    specks = grey.astype(int) - cv2.medianBlur(grey, 3) > 80
    assert grey.max() > 200
    assert specks.sum() < 8
