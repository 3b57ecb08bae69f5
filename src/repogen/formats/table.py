"""The formats that `repogen convert --to` writes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from repogen.formats.camera_files import write_bop_cameras, write_camchains, write_cameras
from repogen.formats.coco import coco_writer
from repogen.formats.coco_wholebody import write_coco_wholebody
from repogen.formats.hugging_face import write_hugging_face
from repogen.formats.human36m import write_human36m
from repogen.formats.joint_sets import CROWDPOSE, LSP, MPII, joint_set_writer
from repogen.formats.labelled import LabelledImage, LabelledSet
from repogen.formats.options import FormatName
from repogen.formats.output import Output
from repogen.formats.point_cloud import write_point_clouds
from repogen.formats.scene_gltf import write_scenes
from repogen.formats.webdataset import write_webdataset
from repogen.formats.yolo_pose import write_yolo


@dataclass(frozen=True)
class Format:
    """A format to write."""

    write: Callable[[LabelledSet, Iterator[LabelledImage], Output], None]
    """Writes the images of a set into a folder."""
    pictures: bool = True
    """Whether pictures are part of it; without, --images changes nothing."""


FORMATS: Mapping[FormatName, Format] = {
    "coco": Format(coco_writer("annotations/person_keypoints.json", "images")),
    "yolo-pose": Format(write_yolo),
    "webdataset": Format(write_webdataset),
    "fiftyone": Format(coco_writer("labels.json", "data")),
    "huggingface": Format(write_hugging_face),
    "crowdpose": Format(joint_set_writer(CROWDPOSE)),
    "mpii": Format(joint_set_writer(MPII)),
    "lsp": Format(joint_set_writer(LSP)),
    "coco-wholebody": Format(write_coco_wholebody),
    "human36m": Format(write_human36m),
    "point-clouds": Format(write_point_clouds, pictures=False),
    "cameras": Format(write_cameras, pictures=False),
    "camchains": Format(write_camchains, pictures=False),
    "bop-cameras": Format(write_bop_cameras, pictures=False),
    "gltf": Format(write_scenes, pictures=False),
}
