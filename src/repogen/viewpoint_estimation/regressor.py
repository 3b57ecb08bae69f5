"""A network from 17 2D keypoints to the direction of the camera, seen from the subject.

Keypoints can be ambiguous: without a face, front and back differ little, and a short leg may be
raised or seen end-on. So the network returns a distribution, a mixture of von Mises-Fisher. On
the same held-out people a single von Mises-Fisher and a softmax over 600 directions had a lower
likelihood and a larger median error: the first puts its only peak between two likely directions,
the second has coarse cells. The sum of the mixtures over people charts all likely directions by
their probability.
"""

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from repogen.arrays import Float
from repogen.coco.crops import FLIP
from repogen.processes import torch_in_one_thread
from repogen.viewpoint_estimation.mixture import (
    Mixture,
    average_mixtures,
    log_density,
    outputs_to_mixture,
)
from repogen.viewpoint_estimation.training_data import drop_joints, sample_labels

COMPONENTS = 6

_UPRIGHT_WEIGHTS = np.array(
    [0.6, 0.6, 0.6, 0.6, 0.6, 1, 1, 0.3, 0.3, 0, 0, -0.6, -0.6, -0.8, -0.8, -1, -1]
)
"""The weight of each joint in the body's up direction: shoulders up, ankles down, wrists none."""


def keypoints_to_features(keypoints: Float[np.ndarray, "n 17 3"]) -> Float[np.ndarray, "n 51"]:
    """The network's input: x and y of the labelled joints, normalised, then which are labelled.

    The roll of the camera, the position and the scale do not depend on the direction, so they are
    removed: the joints are centred, rotated until the body is upright, and scaled to unit size.
    """
    labelled = (keypoints[:, :, 2] > 0).astype(np.float64)
    count = np.maximum(labelled.sum(axis=1, keepdims=True), 1)
    points = keypoints[:, :, 0] + 1j * keypoints[:, :, 1]
    points = (points - (points * labelled).sum(axis=1, keepdims=True) / count) * labelled
    size = np.sqrt((np.abs(points) ** 2).sum(axis=1, keepdims=True) / count)
    weights = _UPRIGHT_WEIGHTS - (_UPRIGHT_WEIGHTS * labelled).sum(axis=1, keepdims=True) / count
    up = np.angle((points * weights).sum(axis=1, keepdims=True))
    points = points * np.exp(-1j * (up + np.pi / 2)) / np.maximum(size, 1e-9)
    return np.concatenate([points.real, points.imag, labelled], axis=1).astype(np.float32)


class ViewRegressor(nn.Module):
    """A network of three residual layers from `keypoints_to_features` to a mixture over directions.

    `rng` draws the initial weights.
    """

    def __init__(self, rng: np.random.Generator, width: int = 256) -> None:
        super().__init__()
        self.first = nn.Linear(51, width)
        self.hidden = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU()) for _ in range(3)
        )
        self.last = nn.Linear(width, 5 * COMPONENTS)
        with torch.no_grad():  # torch's own initialisation uses its global generator
            for layer in (m for m in self.modules() if isinstance(m, nn.Linear)):
                bound = 1 / np.sqrt(layer.in_features)
                weight = rng.uniform(-bound, bound, (layer.out_features, layer.in_features))
                layer.weight.copy_(torch.from_numpy(weight))
                layer.bias.zero_()

    def forward(self, x: Float[Tensor, "n 51"]) -> Mixture:
        """Mixtures over directions in the subject's frame: z up, the subject faces -y."""
        x = nn.functional.silu(self.first(x))
        for layer in self.hidden:
            x = x + layer(x)
        return outputs_to_mixture(self.last(x))


def train_regressor(
    rng: np.random.Generator,
    points: Float[np.ndarray, "p 17 3"],
    steps: int = 3000,
    batch: int = 512,
    width: int = 256,
) -> ViewRegressor:
    """Train a regressor on people with the 3D keypoints `points`, from new views at every step.

    `points` are metres, as `sample_people` returns them.
    """
    network = ViewRegressor(rng, width)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=2e-3, total_steps=steps, pct_start=0.05
    )
    with torch_in_one_thread():
        for _ in tqdm(range(steps), desc="training", unit="step", disable=None):
            labels, towards = sample_labels(rng, points, batch)
            mixture = network(torch.from_numpy(keypoints_to_features(drop_joints(rng, labels))))
            target = torch.from_numpy(towards).float()[:, None]
            loss = -log_density(mixture, target).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def estimate_views(network: ViewRegressor, keypoints: Float[np.ndarray, "n 17 3"]) -> Mixture:
    """Estimate the camera direction of each person; keypoints (x, y, v) with v = 0 are unknown.

    The result averages the mixtures of the keypoints and of their mirror image, mirrored back, so
    that mirrored keypoints give exactly the mirrored mixture.
    """
    flip = torch.tensor([-1.0, 1.0, 1.0])
    plain = network(torch.from_numpy(keypoints_to_features(keypoints)))
    mirrored = network(
        torch.from_numpy(keypoints_to_features(keypoints[:, FLIP] * [-1.0, 1.0, 1.0]))
    )
    return average_mixtures(plain, mirrored._replace(means=mirrored.means * flip))
