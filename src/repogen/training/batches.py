"""Batches of training crops. A crop depends on (seed, epoch, index) alone, so that a resumed run
needs no saved random state."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.data_loader import prepare_data_loader
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from repogen.coco.augmentation import Augmentation
from repogen.coco.crops import CROP_SIZE, PADDING
from repogen.errors import UserError
from repogen.inference.movenet import PADDING as MOVENET_PADDING
from repogen.models.movenet import VARIANTS
from repogen.processors import default_workers
from repogen.training.config import TrainConfig
from repogen.training.mix import DataMix
from repogen.training.sources import sample_crop
from repogen.training.targets import joint_weights, relabel


class Batches:
    """The batches of this process, epoch after epoch.

    The worker processes live as long as the object: the body, the shards and the panoramas they
    read stay in their memory.
    """

    def __init__(self, mix: DataMix, config: TrainConfig, accelerator: Accelerator) -> None:
        workers = config.data.workers
        if workers < 0:
            here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # of torchrun and accelerate
            workers = max(default_workers() // here - 1, 0)
        self._sampler = _EpochSampler(len(mix))
        loader = DataLoader(
            _CropDataset(mix, config),
            batch_size=config.optimizer.batch_size // accelerator.num_processes,
            sampler=self._sampler,
            num_workers=workers,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_use_one_thread,
            prefetch_factor=4 if workers else None,
            persistent_workers=workers > 0,
        )
        self._loader = prepare_data_loader(
            loader,
            accelerator.device,
            accelerator.num_processes,
            accelerator.process_index,
            put_on_device=True,
        )

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Crops (n, h, w, 3), uint8 RGB, and joints (n, 17, 4): x, y in crop pixels, the weight in
        the loss, and 1 where a teacher's answer was corrected.

        Raises `UserError` for an image that cannot be read, in this process or in a worker.
        """
        self._sampler.epoch = number
        try:
            yield from self._loader
        except UserError as error:  # a worker's error has its traceback in the text
            raise UserError(str(error).strip().rpartition("UserError: ")[2]) from None


class _EpochSampler(Sampler):
    """(epoch, index) of every crop of an epoch.

    The epoch travels with the index because persistent workers keep their copy of the dataset.
    """

    def __init__(self, count: int) -> None:
        self.epoch, self._count = 0, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((self.epoch, index) for index in range(self._count))


class _CropDataset(Dataset):
    def __init__(self, mix: DataMix, config: TrainConfig) -> None:
        self._mix, self._config = mix, config
        self._relabel = relabel(config.labels)
        crop, padding = crop_of(config.network.model)
        self._augmentation = Augmentation(
            rotation=config.augmentation.rotation,
            rotated=config.augmentation.rotated,
            half_body=config.augmentation.half_body,
            scale=config.augmentation.scale,
            jitter=config.augmentation.color_jitter,
            degrade=config.augmentation.degrade,
            crop=crop,
            padding=padding,
        )
        self._epoch, self._rows = -1, np.zeros((0, 2), np.int64)

    def __len__(self) -> int:
        return len(self._mix)

    def __getitem__(self, key: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        epoch, index = key
        if epoch != self._epoch:
            self._epoch = epoch
            self._rows = self._mix.epoch(np.random.default_rng([self._config.seed, epoch]))
        source_index, person = self._rows[index].tolist()
        rng = np.random.default_rng([self._config.seed, epoch, index])
        source = self._mix.sources[source_index]
        sample = sample_crop(source, rng, epoch, person, self._augmentation, self._relabel)
        joints = joint_weights(sample.joints, self._config.labels)
        return np.ascontiguousarray(sample.crop), joints.astype(np.float32)


def crop_of(model: str) -> tuple[tuple[int, int], float]:
    """Width and height of a network's crops, and their padding: those of inference."""
    if model not in VARIANTS:
        return CROP_SIZE, PADDING
    size = VARIANTS[model].size
    return (size, size), MOVENET_PADDING


@contextmanager
def worker_errors() -> Iterator[None]:
    """Raise `UserError` where a worker process dies; torch raises `RuntimeError` at any line of
    the main process."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):
            raise
        raise UserError(
            "a worker process that prepares crops died (out of memory, if it printed nothing "
            "above); run the same command again to resume, with fewer --workers if it recurs"
        ) from error


class TimedLoader:
    """An iterator over batches that adds up the seconds spent waiting for the next batch."""

    def __init__(self, batches: Iterator[tuple[Tensor, Tensor]]) -> None:
        self._batches = batches
        self.seconds = 0.0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        start = time.monotonic()
        try:
            return next(self._batches)
        finally:
            self.seconds += time.monotonic() - start


def _use_one_thread(_worker: int) -> None:
    torch.set_num_threads(1)
