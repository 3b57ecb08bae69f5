"""Random lenses: each has the widest field of view that the options allow."""

import numpy as np
import pytest

from repogen.cameras.lens import MODELS, half_width
from repogen.cameras.optics import check_optics, sample_distortion
from repogen.errors import UserError

WIDEST = {"pinhole": 174.0, "opencv": 100.0, "equidistant": 220.0, "kannala-brandt": 220.0}


@pytest.mark.parametrize("model", MODELS)
def test_every_random_lens_has_the_checked_field_of_view(model):
    check_optics(model, (40.0, WIDEST[model]))
    rng = np.random.default_rng(0)
    for _ in range(300):
        distortion = sample_distortion(rng, model)
        assert len(distortion) in MODELS[model]
        assert half_width(model, distortion, WIDEST[model]) > 0


@pytest.mark.parametrize(
    ("model", "fov", "circle", "words"),
    [
        ("fisheye", (90, 90), None, "lens"),
        ("opencv", (90, 130), None, "folds back"),
        ("equidistant", (90, 230), None, "at most 220"),
        ("pinhole", (90, 90), (180, 185), "no image circle"),
        ("equidistant", (90, 90), (0, 185), "more than 0"),
        ("equidistant", (90, 90), (185, 180), "lower value first"),
    ],
)
def test_invalid_optics_are_user_errors(model, fov, circle, words):
    with pytest.raises(UserError, match=words):
        check_optics(model, fov, circle)


def test_the_ends_of_a_range_of_fields_of_view_are_in_order():
    with pytest.raises(UserError, match="--fov 10 5: give the lower value first"):
        check_optics("pinhole", (10, 5))
