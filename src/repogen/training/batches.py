"""The crops of an epoch, drawn from (seed, epoch, place) alone: nothing to restore on resuming."""

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

from repogen.coco.crops import Augmentation
from repogen.errors import UserError
from repogen.training.config import TrainConfig
from repogen.training.mix import Mix


class Batches:
    """This process's batches of one epoch after another. The processes that load them stay, with
    the body, the shards and the panoramas they have read."""

    def __init__(self, mix: Mix, config: TrainConfig, accelerator: Accelerator) -> None:
        workers = config.data.workers
        if workers < 0:
            workers = max((os.cpu_count() or 1) - 1, 0)
        self._places = _Places(len(mix))
        loader = DataLoader(
            _Crops(mix, config),
            batch_size=config.optimizer.batch_size // accelerator.num_processes,
            sampler=self._places,
            num_workers=workers,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_one_thread,
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
        """Crops (n, 256, 192, 3) uint8 and joints (n, 17, 3: crop pixels and v).

        Raises `UserError` for an image that cannot be read, whichever process reads it.
        """
        self._places.epoch = number
        try:
            yield from self._loader
        except UserError as error:  # a worker's comes with its traceback in the text
            raise UserError(str(error).strip().rpartition("UserError: ")[2]) from None


class _Places(Sampler):
    """(epoch, place) of every crop of an epoch: the workers learn from it which epoch it is."""

    def __init__(self, count: int) -> None:
        self.epoch, self._count = 0, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((self.epoch, place) for place in range(self._count))


class _Crops(Dataset):
    def __init__(self, mix: Mix, config: TrainConfig) -> None:
        self._mix, self._config = mix, config
        self._how = Augmentation(rotation=config.augmentation.rotation)
        self._epoch, self._rows = -1, np.zeros((0, 2), np.int64)

    def __len__(self) -> int:
        return len(self._mix)

    def __getitem__(self, where: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        epoch, place = where
        if epoch != self._epoch:
            self._epoch = epoch
            self._rows = self._mix.epoch(np.random.default_rng([self._config.seed, epoch]))
        which, person = self._rows[place].tolist()
        rng = np.random.default_rng([self._config.seed, epoch, place])
        source = self._mix.sources[which]
        sample = source.sample(rng, epoch, person, self._how, self._config.augmentation.degrade)
        return np.ascontiguousarray(sample.crop), sample.joints.astype(np.float32)


@contextmanager
def deaths_told() -> Iterator[None]:
    """Raise `UserError` where a process that prepares crops dies; torch says so whatever its
    parent is just doing."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):
            raise
        raise UserError(
            "a process that prepares crops died (out of memory, if it says nothing above); run the "
            "same command again to go on, with fewer --workers if it happens again"
        ) from error


class Waiting:
    """Batches, and how many seconds whoever takes them has waited for the next."""

    def __init__(self, batches: Iterator[tuple[Tensor, Tensor]]) -> None:
        self._batches = batches
        self.seconds = 0.0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        began = time.monotonic()
        try:
            return next(self._batches)
        finally:
            self.seconds += time.monotonic() - began


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)
