"""Labelled people as datasets of torch: stored ones, and ones generated while they are read."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from repogen.arrays import Int, UInt8
from repogen.coco.annotations import PersonAnnotations
from repogen.coco.augmentation import Augmentation
from repogen.coco.images import read_labelled_image, training_crop
from repogen.config import config_from_keywords
from repogen.datasets.folder import PICTURE
from repogen.datasets.sets import parse_set
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.pictures import decode_reduced
from repogen.training.sources import (
    CocoSource,
    Found,
    LiveSource,
    Source,
    live_image,
    open_source,
    trainable_people,
)

PLAIN = Augmentation(flip=0, half_body=0, scale=0, rotated=0, jitter=0, degrade=False)
"""A crop without random changes, as networks get it when they predict."""

Item = dict[str, Any]
"""What the datasets give; all but `image_id` are tensors.

- `image`: (3, h, w) uint8, RGB.
- `keypoints`: x, y, v of COCO's 17, float32. Pixel centres are whole numbers, as in COCO; v = 0 not
  labelled, 1 occluded, 2 visible. (n, 17, 3) of a whole image, (17, 3) of a crop.
- `boxes`: (n, 4) float32, x, y, w, h in pixels; of whole images only.
- `image_id`: the image's id in its file; the number, from 0, of one generated.
"""

Transform = Callable[[Item], object]
"""A function that is applied to each item."""


class PoseDataset(Dataset):
    """The people of a stored dataset: whole images, or crops of single persons.

    Only people with keypoints and a box count, as in `repogen train`, and only images that show
    one. Randomness depends on `seed`, the epoch and the index alone.
    """

    def __init__(
        self,
        source: Path | str,
        crop: Augmentation | None = None,
        transform: Transform | None = None,
        seed: int = 0,
        picture_cache: float = 4.0,
    ) -> None:
        """Open a dataset's folder, or ANNOTATIONS.json:IMAGES_DIR; `:CAP` at the end takes at most
        so many people.

        Without `crop` an item is an image with all its people; with one, a person's crop, augmented
        as in `repogen train`. Shards give crops only. Pictures that crops were cut from are kept
        decoded in at most `picture_cache` gigabytes of disk for the next epoch. Raises `UserError`
        for a source that cannot be read, and, when an item is taken, for an image that cannot.
        """
        spec = f"data={source}"
        decoded_bytes = int(1e9 * picture_cache) if crop else 0
        opened: Source = open_source(parse_set(spec), spec, decoded_bytes=decoded_bytes)
        if crop is None and not isinstance(opened, CocoSource):
            raise UserError(
                f"{source} has no files of whole images; give crop=PLAIN for crops of people, or "
                f"repogen convert {source} FOLDER and give that folder"
            )
        self._source, self._crop, self._transform = opened, crop, transform
        self._seed, self._epoch = seed, _shared_number()

    def set_epoch(self, epoch: int) -> None:
        """Let the next epoch's random changes be those of this number, in all workers."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self._source) if self._crop else len(self._images)

    def __getitem__(self, index: int) -> object:
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} must lie between 0 and {len(self) - 1}")
        if self._crop is None:
            assert isinstance(self._source, CocoSource)
            image = int(self._images[index])
            return _applied(self._transform, _stored_image(self._source.people, image))
        epoch = int(self._epoch)
        rng = np.random.default_rng([self._seed, epoch, index])
        found = self._source.find(rng, epoch, index)
        image_id = found.people.image_ids[found.people.image[found.row]].item()
        return _applied(self._transform, _crop_item(rng, found, self._crop, image_id))

    @cached_property
    def _images(self) -> Int[np.ndarray, " i"]:
        """Indices of the images that show somebody."""
        assert isinstance(self._source, CocoSource)
        return np.unique(self._source.people.image)


class LiveDataset(IterableDataset):
    """Images that are generated while they are read: whole, or a crop of one person of each.

    An epoch has `images` of the options, or as many fewer as all ranks need to have equally many.
    Each worker of each rank makes its own part of them, and no image is made twice. Images and
    crops depend on the options, the epoch and the image's number alone: in epoch 0, image i is the
    one that `repogen.generate` writes with id i + 1, whatever the number of workers and ranks.
    """

    def __init__(
        self,
        config: GenerateConfig | None = None,
        *,
        crop: Augmentation | None = None,
        transform: Transform | None = None,
        rank: int | None = None,
        ranks: int | None = None,
        **options: object,
    ) -> None:
        """Take the options of `repogen.generate`, as a config or as keywords.

        `rank` and `ranks` are this process's number, from 0, and the number of processes that train
        together; by default torch.distributed's, else RANK's and WORLD_SIZE's in the environment,
        which torchrun and accelerate set. Raises `UserError` for options that `generate` refuses,
        and for fewer images than ranks.
        """
        self._config = config_from_keywords(GenerateConfig, config, options)
        self._crop, self._transform, self._epoch = crop, transform, _shared_number()
        own = _rank_and_ranks()
        self._rank = own[0] if rank is None else rank
        self._ranks = own[1] if ranks is None else ranks
        if not 0 <= self._rank < self._ranks:
            raise UserError(f"rank {self._rank} must lie between 0 and ranks - 1 of {self._ranks}")
        if self._config.images < self._ranks:
            raise UserError(
                f"images {self._config.images} must be at least the {self._ranks} ranks"
            )
        _ = self._config.backdrop  # fails now, and not in a worker

    def set_epoch(self, epoch: int) -> None:
        """Let the next epoch make the images of this number, in all workers. Without it every
        epoch has the same images."""
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[object]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        epoch = int(self._epoch)
        for i in range(first, self._config.images // self._ranks, step):
            number = self._rank + self._ranks * i
            item = self._crop_of(epoch, number) if self._crop else self._whole(epoch, number)
            yield _applied(self._transform, item)

    def _whole(self, epoch: int, number: int) -> Item:
        from repogen.generation.worker import sample_maker

        sample = sample_maker(self._config).make(live_image(epoch, number))
        people, _ = trainable_people([sample], "", f"generated image {number}")
        picture = decode_reduced(np.frombuffer(sample.files[PICTURE], np.uint8), 1)
        assert picture is not None
        return _image_item(people, 0, picture, number)

    def _crop_of(self, epoch: int, number: int) -> Item:
        assert self._crop is not None
        source = LiveSource("live", Path("LiveDataset"), self._config, self._config.images)
        rng = np.random.default_rng([self._config.seed, epoch, number])
        return _crop_item(rng, source.find(rng, epoch, number), self._crop, number)


def collate_images(items: Sequence[Item]) -> dict[str, list[Any]]:
    """A batch of whole images: a list of each entry, since images have their own numbers of
    people."""
    return {key: [item[key] for item in items] for key in items[0]}


def _shared_number() -> torch.Tensor:
    """A number that worker processes see change."""
    return torch.zeros((), dtype=torch.int64).share_memory_()


def _rank_and_ranks() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    texts = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not all(text.isdecimal() for text in texts):
        raise UserError(f"RANK {texts[0]!r} and WORLD_SIZE {texts[1]!r} should be whole numbers")
    return int(texts[0]), int(texts[1])


def _stored_image(people: PersonAnnotations, image: int) -> Item:
    width, height = people.sizes[image].tolist()
    path = str(people.root / people.files[image])
    picture = read_labelled_image(path, width, height, as_stored=bool(people.as_stored))
    return _image_item(people, image, picture, people.image_ids[image].item())


def _image_item(
    people: PersonAnnotations, image: int, picture: UInt8[np.ndarray, "h w 3"], image_id: int | str
) -> Item:
    """The item of a whole picture (BGR)."""
    rows = np.flatnonzero(people.image == image)
    keypoints = people.keypoints[rows].copy()
    labelled = keypoints[..., 2:] > 0
    keypoints[..., :2] -= labelled * people.pixel_centers[rows][:, None]
    return {
        "image": _to_tensor(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)),
        "keypoints": torch.from_numpy(keypoints.astype(np.float32)),
        "boxes": torch.from_numpy(people.boxes[rows].astype(np.float32)),
        "image_id": image_id,
    }


def _crop_item(
    rng: np.random.Generator, found: Found, how: Augmentation, image_id: int | str
) -> Item:
    crop = training_crop(rng, found.people, found.row, how, found.pictures)
    keypoints = torch.from_numpy(crop.joints[:, :3].astype(np.float32))
    return {"image": _to_tensor(crop.crop), "keypoints": keypoints, "image_id": image_id}


def _to_tensor(rgb: UInt8[np.ndarray, "h w 3"]) -> torch.Tensor:
    return torch.from_numpy(np.stack(cv2.split(rgb)))


def _applied(transform: Transform | None, item: Item) -> object:
    return item if transform is None else transform(item)
