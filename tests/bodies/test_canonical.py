"""The map from other bodies to the one on which outfits are measured."""

import numpy as np
import pytest

from repogen.bodies.canonical import HEIGHTS, REACHES, to_canonical
from repogen.bodies.protocol import PosedBody
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import UserError


@pytest.fixture(scope="module")
def average(body):
    """anny's average adult in T-pose, its skin alone."""
    tpose = body.pose({"age": 2 / 3}, {}, {})
    skin = np.unique(body.surface.faces[body.surface.faces_of("skin")])
    return PosedBody(vertices=tpose.vertices[skin].astype(float), keypoints=tpose.keypoints)


def test_landmarks_equal_those_of_annys_average_adult(average):
    at = dict(zip(COCO_KEYPOINTS, average.keypoints, strict=True))
    for name in ("ankle", "knee", "shoulder", "eye"):
        assert at[f"left_{name}"][[2, 1]] == pytest.approx(HEIGHTS[name], abs=2e-3)
    for name in ("shoulder", "elbow", "wrist"):
        assert at[f"left_{name}"][0] == pytest.approx(REACHES[name], abs=2e-3)
    ends = average.vertices[:, 2].min(), average.vertices[:, 2].max(), average.vertices[:, 0].max()
    marks = HEIGHTS["sole"][0], HEIGHTS["crown"][0], REACHES["fingertip"]
    assert ends == pytest.approx(marks, abs=2e-3)


def test_annys_average_adult_is_mapped_to_itself(average):
    assert np.abs(to_canonical(average.vertices, average) - average.vertices).max() < 3e-3


@pytest.mark.parametrize("seed", range(5))
def test_a_stretched_body_is_mapped_back_to_anny(average, seed):
    """The limbs are stretched between landmarks and the spine is bent; the map undoes both."""
    rng = np.random.default_rng(seed)
    z, y = np.array(list(HEIGHTS.values())).T
    steps = np.diff(z) * rng.uniform(0.7, 1.4, len(z) - 1)
    heights = np.append(0, np.cumsum(steps))
    heights -= heights[list(HEIGHTS).index("hip")]
    depths = y + rng.uniform(-0.05, 0.05, len(y))
    depths[list(HEIGHTS).index("hip")] = 0
    # The mesh's ends have the depth of the landmark beside them.
    depths[0], depths[-1] = depths[1] + y[0] - y[1], depths[-2] + y[-1] - y[-2]
    reaches = np.cumsum(np.append(0, np.diff(list(REACHES.values())) * rng.uniform(0.7, 1.4, 4)))

    def other(points):
        return np.stack(
            [
                np.sign(points[:, 0])
                * np.interp(np.abs(points[:, 0]), list(REACHES.values()), reaches),
                points[:, 1] + np.interp(points[:, 2], z, depths - y),
                np.interp(points[:, 2], z, heights),
            ],
            axis=1,
        )

    tpose = PosedBody(other(average.vertices), other(average.keypoints))
    assert np.abs(tpose.vertices - average.vertices).max() > 0.05
    back = to_canonical(tpose.vertices, tpose)
    assert np.abs(back - average.vertices).max() < 6e-3


def test_a_body_not_in_tpose_is_a_user_error(average):
    lying = PosedBody(average.vertices[:, [0, 2, 1]], average.keypoints[:, [0, 2, 1]])
    with pytest.raises(UserError, match="not in T-pose: its landmarks by height in metres, sole"):
        to_canonical(average.vertices, lying)
