"""Where a network tells rendered people from photographs: a linear classifier ("rendered or
photograph") on the features after each stage of MoveNet.

    python ../tools/turing_sheet.py --photographs ANNOTATIONS.json:IMAGES --ours DATASET --out OUT
    python domain_gap.py OUT/key.json

Features are the mean and the spread of each channel over the crop. Accuracy is cross-validated over
images; 50 % is a guess. The control tells two halves of the first key's photographs apart.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import tyro
from torch import Tensor, nn
from torch.nn import functional

from repogen.coco.crops import Window, downsample_factor, warp_crop
from repogen.datasets.sets import take_uniformly
from repogen.models.movenet import MoveNet, scale_pixels
from repogen.models.packaged import packaged_weights
from repogen.models.weights import load_model

BLOCKS = (0, 2, 5, 9, 12, 15, 16)
"""Blocks of the network with features of their own: the last of each width."""

FOLDS = 5

PENALTY = 0.01
"""Weight of the sum of squared coefficients, beside the mean loss."""

STEPS = 50
"""Steps of L-BFGS."""

BATCH = 32


@dataclass
class Options:
    """Which people, and which network."""

    keys: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """key.json of tools/turing_sheet.py, each a column of the table."""
    weights: str = "lightning"
    """Packaged network."""
    people: int = 400
    """Most people of each kind."""


def main(options: Options) -> None:
    """Print a table: each row a stage, each column a key, and one the control."""
    model, _ = load_model(packaged_weights(options.weights))
    assert isinstance(model, MoveNet)
    columns: dict[str, dict[str, float]] = {}
    for path in options.keys:
        key = json.loads(path.read_text())
        kinds = {
            kind: [person for person in key if person["kind"] == kind]
            for kind in ("photographs", "ours")
        }
        count = min(options.people, *map(len, kinds.values()))
        kinds = {
            kind: [people[i] for i in take_uniformly(np.arange(len(people)), count)]
            for kind, people in kinds.items()
        }
        found = {kind: pooled_features(model, people) for kind, people in kinds.items()}
        photographs = [person["file"] for person in kinds["photographs"]]
        rendered = [person["file"] for person in kinds["ours"]]
        half = np.arange(len(photographs)) % 2 == 0
        name = path.parent.name
        for stage, real in found["photographs"].items():
            both = np.concatenate([real, found["ours"][stage]])
            labels = np.arange(len(both)) >= len(real)
            score = accuracy(both, labels, photographs + rendered)
            columns.setdefault(name, {})[stage] = score
            if path == options.keys[0]:
                columns.setdefault("control", {})[stage] = accuracy(real, half, photographs)
    print(f"| stage | {' | '.join(columns)} |")
    print("|---" * (1 + len(columns)) + "|")
    for stage in next(iter(columns.values())):
        print(f"| {stage} | {' | '.join(f'{100 * c[stage]:.0f} %' for c in columns.values())} |")


def stages(model: MoveNet) -> dict[str, nn.Module]:
    """The modules after which features are taken, by their names in the table."""
    blocks = {f"block {i + 1}": model.blocks[i] for i in BLOCKS}
    merges = {f"pyramid 1/{16 >> i}": merge for i, merge in enumerate(model.merge)}
    return {"stem": model.stem, **blocks, "last": model.last, **merges}


@torch.no_grad()
def pooled_features(model: MoveNet, people: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Mean and spread over the crop of each channel after each stage, and of the pixels:
    (n, 2 channels)."""
    out: dict[str, list[Tensor]] = {}

    def keep(stage: str) -> Callable[..., None]:
        def hook(_module: object, _inputs: object, maps: Tensor) -> None:
            flat = maps.flatten(2)
            out.setdefault(stage, []).append(torch.cat([flat.mean(2), flat.std(2)], dim=1))

        return hook

    hooks = [m.register_forward_hook(keep(stage)) for stage, m in stages(model).items()]
    size = model.variant.size
    for first in range(0, len(people), BATCH):
        crops = np.stack([read(person, size) for person in people[first : first + BATCH]])
        pixels = scale_pixels(torch.from_numpy(crops))
        keep("pixels")(None, None, pixels)
        model.eval()(pixels)
    for hook in hooks:
        hook.remove()
    return {stage: torch.cat(parts).numpy() for stage, parts in out.items()}


def read(person: dict[str, Any], size: int) -> np.ndarray:
    """The crop (RGB) of a person of a key, as large as the network's input."""
    x, y, side = person["window"]
    window = Window((x, y), (side, side))
    factor = downsample_factor(window, (size, size))
    picture = cv2.imread(person["file"], cv2.IMREAD_COLOR)
    small = cv2.resize(picture, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return warp_crop(small, window, factor, (size, size))[..., ::-1]


def accuracy(features: np.ndarray, labels: np.ndarray, files: list[str]) -> float:
    """Share of crops whose label (bool) a logistic regression on the crops of other images finds;
    of equally many crops of each label."""
    _, image = np.unique(files, return_inverse=True)
    fold = np.random.default_rng(0).permutation(image.max() + 1)[image] % FOLDS
    right = np.zeros(len(labels), bool)
    for held_out in range(FOLDS):
        test = fold == held_out
        x = (features - features[~test].mean(axis=0)) / (features[~test].std(axis=0) + 1e-6)
        score = logistic_regression(x[~test], labels[~test])
        right[test] = (score(x[test]) > 0) == labels[test]
    return float(right.mean())


def logistic_regression(x: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The logit of the label by features, fitted to features (n, d) and labels (n)."""
    inputs, wanted = torch.from_numpy(x).float(), torch.from_numpy(labels).float()
    layer = nn.Linear(x.shape[1], 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = functional.binary_cross_entropy_with_logits(layer(inputs)[:, 0], wanted)
        value = value + PENALTY * layer.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return lambda other: layer(torch.from_numpy(other).float())[:, 0].detach().numpy()


if __name__ == "__main__":
    main(tyro.cli(Options))
