"""From seventeen 2D keypoints to where the camera stood, seen from the subject.

Two people can look alike from different sides: without a face, front and back differ little,
and a short leg may be raised or seen from its end. So the network answers with a distribution, a
mixture of von Mises-Fisher. A single von Mises-Fisher and a softmax over 600 directions were
tried on the same held-out people: both gave them less likelihood and a greater median error, the
one because it puts its only peak between two answers, the other because its cells are coarse
where a person is clear. Summed over people, the mixtures chart every place they may have been
seen from, each by its chance.
"""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm import tqdm

from repogen.coco.crops import FLIP
from repogen.viewpoint_estimation.mixture import (
    Mixture,
    average_mixtures,
    log_density,
    outputs_to_mixture,
)
from repogen.viewpoint_estimation.sampling import drop_joints, sample_labels

COMPONENTS = 6

_UPRIGHT_WEIGHTS = np.array(
    [0.6, 0.6, 0.6, 0.6, 0.6, 1, 1, 0.3, 0.3, 0, 0, -0.6, -0.6, -0.8, -0.8, -1, -1]
)
"""Which way each joint pulls when a person is turned upright: shoulders up, ankles down. The
hands say nothing."""


def keypoints_to_features(keypoints: Float[np.ndarray, "n 17 3"]) -> Float[np.ndarray, "n 51"]:
    """Labelled joints about their middle, of unit size, the body upright; then which those are.

    How a picture is rolled says nothing of the direction, so roll is taken out, with place and
    scale: the body's up (of its labelled joints, each with its pull) is turned to the picture's.
    """
    seen = (keypoints[:, :, 2] > 0).astype(np.float64)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    at = keypoints[:, :, 0] + 1j * keypoints[:, :, 1]
    at = (at - (at * seen).sum(axis=1, keepdims=True) / count) * seen
    size = np.sqrt((np.abs(at) ** 2).sum(axis=1, keepdims=True) / count)
    pull = _UPRIGHT_WEIGHTS - (_UPRIGHT_WEIGHTS * seen).sum(axis=1, keepdims=True) / count
    up = np.angle((at * pull).sum(axis=1, keepdims=True))
    at = at * np.exp(-1j * (up + np.pi / 2)) / np.maximum(size, 1e-9)
    return np.concatenate([at.real, at.imag, seen], axis=1).astype(np.float32)


class ViewRegressor(nn.Module):
    """Features of keypoints to a mixture over directions; three residual layers."""

    def __init__(self, rng: np.random.Generator, width: int = 256) -> None:
        super().__init__()
        self.first = nn.Linear(51, width)
        self.hidden = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU()) for _ in range(3)
        )
        self.last = nn.Linear(width, 5 * COMPONENTS)
        with torch.no_grad():  # torch's own beginning would come from its global generator
            for layer in (m for m in self.modules() if isinstance(m, nn.Linear)):
                bound = 1 / np.sqrt(layer.in_features)
                drawn = rng.uniform(-bound, bound, (layer.out_features, layer.in_features))
                layer.weight.copy_(torch.from_numpy(drawn))
                layer.bias.zero_()

    def forward(self, x: Float[Tensor, "n 51"]) -> Mixture:
        """Directions in the subject's frame (world axes of a subject that faces -y)."""
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
    """A regressor that has learnt from people posed as `points`, seen anew at every step."""
    network = ViewRegressor(rng, width)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=2e-3, total_steps=steps, pct_start=0.05
    )
    with _one_thread():
        for _ in tqdm(range(steps), desc="learning", unit="step", disable=None):
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


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """More than one gain nothing on matrices this small, and sums would depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.no_grad()
def estimate_views(network: ViewRegressor, keypoints: Float[np.ndarray, "n 17 3"]) -> Mixture:
    """Where each person was seen from; keypoints with v = 0 are taken as unknown.

    The mean of the answers to the picture and to its mirror image, mirrored back: so a mirrored
    picture has exactly the mirrored answer.
    """
    flip = torch.tensor([-1.0, 1.0, 1.0])
    plain = network(torch.from_numpy(keypoints_to_features(keypoints)))
    mirrored = network(
        torch.from_numpy(keypoints_to_features(keypoints[:, FLIP] * [-1.0, 1.0, 1.0]))
    )
    return average_mixtures(plain, mirrored._replace(means=mirrored.means * flip))
