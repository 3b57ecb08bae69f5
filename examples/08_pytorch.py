"""A training loop of torch on images that are generated while it runs: a small network learns where
people's joints are."""

import torch
from torch import nn
from torch.utils.data import DataLoader

from repogen.torch import PLAIN, LiveDataset

CROP = (PLAIN.crop[0], PLAIN.crop[1])  # width, height


def main(epochs: int = 3) -> None:
    people = LiveDataset(images=32, image_size=192, views="front", seed=1, crop=PLAIN)
    loader = DataLoader(people, batch_size=8, num_workers=2, persistent_workers=True)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 7, 4), nn.ReLU(), nn.Conv2d(16, 32, 5, 4), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 34),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    size = torch.tensor(CROP)
    for epoch in range(epochs):
        people.set_epoch(epoch)  # other people in each epoch
        errors = []
        for batch in loader:
            labelled = batch["keypoints"][..., 2] > 0
            answer = network(batch["image"] / 255).reshape(-1, 17, 2)
            loss = (answer - batch["keypoints"][..., :2] / size).abs()[labelled].mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            errors.append(loss.item())
        print(f"epoch {epoch}: mean error {sum(errors) / len(errors):.3f} of the crop's sides")


if __name__ == "__main__":  # worker processes import this file
    main()
