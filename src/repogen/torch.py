"""Datasets for training loops of torch (extra `train`): `from repogen.torch import PoseDataset`."""

from repogen.coco.augmentation import Augmentation
from repogen.training.torch_datasets import PLAIN, LiveDataset, PoseDataset, collate_images

__all__ = ["PLAIN", "Augmentation", "LiveDataset", "PoseDataset", "collate_images"]
