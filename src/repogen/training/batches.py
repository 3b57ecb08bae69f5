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
from torch.utils.data import DataLoader, Dataset

from repogen.datasets.crops import Augmentation
from repogen.errors import UserError
from repogen.training.config import TrainConfig
from repogen.training.mix import Mix


class _Crops(Dataset):
    def __init__(self, mix: Mix, config: TrainConfig, epoch: int) -> None:
        self.mix, self.config, self.epoch = mix, config, epoch
        self.rows = mix.epoch(np.random.default_rng([config.seed, epoch]))
        self.how = Augmentation(rotation=config.rotation)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        which, person = self.rows[place].tolist()
        rng = np.random.default_rng([self.config.seed, self.epoch, place])
        source = self.mix.sources[which]
        sample = source.sample(rng, self.epoch, person, self.how, self.config.degrade)
        return np.ascontiguousarray(sample.crop), sample.joints.astype(np.float32)


def batches(
    mix: Mix, config: TrainConfig, epoch: int, accelerator: Accelerator
) -> Iterator[tuple[Tensor, Tensor]]:
    """This process's batches of an epoch: crops (n, 256, 192, 3) uint8 and joints (n, 17, 3).

    Raises `UserError` for an image that cannot be read, whichever process reads it.
    """
    workers = config.workers if config.workers >= 0 else max((os.cpu_count() or 1) - 1, 0)
    loader = DataLoader(
        _Crops(mix, config, epoch),
        batch_size=config.batch // accelerator.num_processes,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_one_thread,
        prefetch_factor=4 if workers else None,
    )
    prepared = prepare_data_loader(
        loader,
        accelerator.device,
        accelerator.num_processes,
        accelerator.process_index,
        put_on_device=True,
    )
    try:
        yield from prepared
    except UserError as error:  # a worker's comes with its traceback in the text
        raise UserError(str(error).strip().rpartition("UserError: ")[2]) from None


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
