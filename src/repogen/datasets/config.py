"""The options of a dataset's contents and format."""

from dataclasses import dataclass
from typing import Literal

from repogen.config import Config
from repogen.datasets.folder import Map
from repogen.datasets.shards import SHARD_IMAGES, check_shard_images
from repogen.labels.convention import LabelConvention
from repogen.labels.points import Occluded


@dataclass(frozen=True, init=False)
class OutputConfig(Config):
    """What is written: keypoints, maps, and the format of the dataset."""

    keypoints: Literal["coco", "feet", "wholebody"] = "coco"
    """coco: 17 keypoints. feet: 6 of the feet, too. wholebody: the 133 of COCO-WholeBody."""
    occluded: Occluded = "keep"
    """Occluded keypoints: keep writes them with v = 1, as COCO does; drop writes 0, 0, 0, as the
    RePoGen paper does."""
    label_convention: LabelConvention = "annotators"
    """Shoulders and hips: annotators puts them where COCO's annotators click, above the joints by
    4.6 % of the trunk's length; anatomical leaves them at the joints' centres."""
    write: tuple[Map, ...] = ()
    """Maps to write beside each image."""
    format: Literal["coco", "webdataset"] = "coco"
    """coco: a folder of images and one COCO file. webdataset: tar files of images with their
    labels, and a manifest."""
    shard_images: int = SHARD_IMAGES
    """With format webdataset: images in a tar file, 1 to 10000; one tar file is held in memory when
    it is written or read."""

    def check(self) -> None:
        """Raise `UserError` for shards that are too large."""
        check_shard_images(self.shard_images)
