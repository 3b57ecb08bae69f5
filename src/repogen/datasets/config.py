"""The options of a dataset's contents and format."""

from dataclasses import dataclass
from typing import Literal

from repogen.config import Config
from repogen.datasets.folder import MAX_IMAGES, Map
from repogen.datasets.shards import SHARD_IMAGES, check_shard_images
from repogen.errors import UserError
from repogen.labels.convention import LabelConvention
from repogen.labels.points import Occluded
from repogen.labels.wholebody import check_keypoints
from repogen.scenes.config import SceneConfig


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
    embed_sources: bool = False
    """Keep the photographs, panoramas, textures and cut-outs that the images show in the folder
    sources/ of the dataset, so that others can render its images again."""

    def check(self) -> None:
        """Raise `UserError` for shards that are too large."""
        check_shard_images(self.shard_images)


@dataclass(frozen=True, init=False, kw_only=True)
class DatasetConfig(SceneConfig):
    """Options that a dataset's images and labels depend on, in groups; run.json records them."""

    output: OutputConfig
    """What is written."""
    images: int = 100
    """Number of images, 1 to 99999999."""
    seed: int = 0
    """Seed from 0 on; the same seed and options give the same dataset, byte for byte."""
    device: str = "cpu"
    """Device that renders: cpu or cuda."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range, and keypoints that the body does not have."""
        if not 1 <= self.images <= MAX_IMAGES:
            raise UserError(f"--images {self.images} must lie between 1 and {MAX_IMAGES:,}")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"--seed {self.seed} must lie between 0 and 2**63 - 1")
        check_keypoints(self.output.keypoints, self.people.body)
