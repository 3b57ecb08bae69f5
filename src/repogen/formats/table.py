"""The formats that `repogen convert --to` writes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from repogen.formats.coco import write_coco, write_fiftyone
from repogen.formats.hugging_face import write_hugging_face
from repogen.formats.labelled import LabelledImage, LabelledSet
from repogen.formats.options import FormatName
from repogen.formats.output import Output
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
    "coco": Format(write_coco),
    "yolo-pose": Format(write_yolo),
    "webdataset": Format(write_webdataset),
    "fiftyone": Format(write_fiftyone),
    "huggingface": Format(write_hugging_face),
}
