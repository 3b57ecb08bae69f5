"""A small regressor, trained once on a few hundred people for a few hundred steps."""

import numpy as np
import pytest

from repogen.viewpoint_estimation.training_data import sample_people


@pytest.fixture(scope="session")
def points(body):
    return sample_people(np.random.default_rng(0), body, 400)


@pytest.fixture(scope="session")
def strangers(body):
    """Keypoints of people that the regressor is not trained on."""
    return sample_people(np.random.default_rng(1), body, 120)


@pytest.fixture(scope="session")
def trained(points, strangers):
    from repogen.viewpoint_estimation.regressor import train_regressor
    from repogen.viewpoint_estimation.trained import TrainedRegressor, held_out_errors

    network = train_regressor(np.random.default_rng(0), points, steps=400, batch=256)
    return TrainedRegressor(
        network, held_out_errors(np.random.default_rng(1), network, strangers, count=1000)
    )
