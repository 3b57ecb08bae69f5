"""`Batches`: the same crops from any number of workers, which live from epoch to epoch."""

import os
from dataclasses import dataclass

import numpy as np
import pytest
from accelerate import Accelerator

from repogen.coco.images import TrainingCrop
from repogen.errors import UserError
from repogen.training.batches import Batches
from repogen.training.config import TrainConfig
from repogen.training.mix import DataMix
from repogen.training.sources import Found


@dataclass(frozen=True)
class TracingSource:
    """Five persons."""

    name: str = "tracing"
    broken: int = -1

    def __len__(self):
        return 5

    def order(self, rng, count):
        return rng.permutation(count)

    def find(self, rng, epoch, person):
        if person == self.broken:
            raise UserError("x.jpg is no picture")
        return Found(epoch, person, None)

    def digests(self):
        return {}


@pytest.fixture(autouse=True)
def traced_crops(monkeypatch):
    """Joint 0 of each crop is (process id, epoch, v, random number), its pixels the person."""

    def crop(rng, epoch, person, *_):
        joints = np.zeros((17, 4))
        joints[0] = os.getpid(), epoch, 2, rng.integers(1000)
        return TrainingCrop(np.full((256, 192, 3), person, np.uint8), joints)

    monkeypatch.setattr("repogen.training.sources.training_crop", crop)


def batches(workers, broken=-1):
    config = TrainConfig(train=(), batch_size=2, workers=workers)
    mix = DataMix((TracingSource(broken=broken),), (1.0,))
    return Batches(mix, config, Accelerator(cpu=True))


def trace(epoch):
    """The process ids, the epoch numbers, and each crop's (person, random number) in order."""
    out = [
        (crop[0, 0, 0].item(), *joints[0, [0, 1, 3]].tolist())
        for both in epoch
        for crop, joints in zip(*both, strict=True)
    ]
    person, process, number, chance = zip(*out, strict=True)
    return set(process), set(number), list(zip(person, chance, strict=True))


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_live_on_and_give_the_same_crops_as_the_main_process(workers):
    here, away = batches(0), batches(workers)
    loaders = set()
    for epoch in (3, 4):
        processes, numbers, crops = trace(away.epoch(epoch))
        own = trace(here.epoch(epoch))
        assert own[0] == {os.getpid()}
        assert numbers == {epoch}
        assert crops == own[2]
        assert sorted(person for person, _ in crops) == [0, 1, 2, 3, 4]
        loaders |= processes
    assert len(loaders) == workers
    assert os.getpid() not in loaders


def test_an_epoch_stopped_halfway_does_not_change_the_next():
    some = batches(1)
    next(some.epoch(0))
    assert trace(some.epoch(1))[2] == trace(batches(0).epoch(1))[2]


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_is_one_line(workers):
    with pytest.raises(UserError, match=r"^x\.jpg is no picture$"):
        trace(batches(workers, 3).epoch(0))
