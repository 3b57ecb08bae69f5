"""Batches: the same crops whoever loads them, by processes that stay from epoch to epoch."""

import os
from dataclasses import dataclass

import numpy as np
import pytest
from accelerate import Accelerator

from repogen.coco.samples import Sample
from repogen.errors import UserError
from repogen.training.batches import Batches
from repogen.training.config import TrainConfig
from repogen.training.mix import Mix


@dataclass(frozen=True)
class Told:
    """Five persons whose crops tell who loaded them: joint 0 is (process, epoch, random)."""

    name: str = "told"
    broken: int = -1

    def __len__(self):
        return 5

    def order(self, rng, count):
        return rng.permutation(count)

    def sample(self, rng, epoch, person, how, degrade):
        if person == self.broken:
            raise UserError("x.jpg is no picture")
        joints = np.zeros((17, 3))
        joints[0] = os.getpid(), epoch, rng.integers(1000)
        return Sample(np.full((256, 192, 3), person, np.uint8), joints)

    def digests(self):
        return {}


def batches(workers, broken=-1):
    config = TrainConfig(train=(), batch_size=2, workers=workers)
    return Batches(Mix((Told(broken=broken),), (1.0,)), config, Accelerator(cpu=True))


def told(epoch):
    """Processes, epochs, and (person, random number) in turn."""
    out = [
        (crop[0, 0, 0].item(), *joints[0].tolist())
        for both in epoch
        for crop, joints in zip(*both, strict=True)
    ]
    person, process, number, chance = zip(*out, strict=True)
    return set(process), set(number), list(zip(person, chance, strict=True))


@pytest.mark.parametrize("workers", [1, 2])
def test_loaders_stay_and_change_nothing(workers):
    here, away = batches(0), batches(workers)
    loaders = set()
    for epoch in (3, 4):
        processes, numbers, crops = told(away.epoch(epoch))
        own = told(here.epoch(epoch))
        assert own[0] == {os.getpid()}
        assert numbers == {epoch}
        assert crops == own[2]
        assert sorted(person for person, _ in crops) == [0, 1, 2, 3, 4]
        loaders |= processes
    assert len(loaders) == workers
    assert os.getpid() not in loaders


def test_an_epoch_left_half_way_leaves_nothing_behind():
    some = batches(1)
    next(some.epoch(0))
    assert told(some.epoch(1))[2] == told(batches(0).epoch(1))[2]


@pytest.mark.parametrize("workers", [0, 1])
def test_who_cannot_be_read_is_one_line(workers):
    with pytest.raises(UserError, match=r"^x\.jpg is no picture$"):
        told(batches(workers, 3).epoch(0))
