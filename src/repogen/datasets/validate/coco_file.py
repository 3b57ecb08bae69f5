"""Validation of the COCO file as a whole: ids, order and categories."""

from collections.abc import Iterator

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import Entry, read_table


def check_ids(folder: DatasetFolder, header: Entry, count: int) -> Iterator[str]:
    """Problems of ids and categories: both ids count from 1, and annotations are in image order."""
    image_ids = [image.get("id") for image in read_table(folder, "images")]
    if image_ids != list(range(1, len(image_ids) + 1)) or len(image_ids) != count:
        yield f"image ids are not 1 to {count} in order"
    in_order, number, last = True, 0, 0
    for number, annotation in enumerate(read_table(folder, "annotations"), start=1):
        in_order = in_order and annotation.get("id") == number
        image_id = annotation.get("image_id")
        if not isinstance(image_id, int) or not 1 <= image_id <= len(image_ids):
            yield f"annotation {number}: its image {image_id} does not exist"
        elif image_id < last:
            yield f"annotation {number}: is of image {image_id}, but follows image {last}"
        else:
            last = image_id
    if not in_order:
        yield f"annotation ids are not 1 to {number} in order"
    yield from check_categories(header)


def check_categories(header: Entry) -> Iterator[str]:
    """Problems of the categories in the COCO file's header."""
    try:
        names = [category.get("keypoints") for category in header["categories"]]
    except (AttributeError, KeyError, TypeError):
        names = []
    if names != [list(COCO_KEYPOINTS)]:
        yield "the categories are not COCO's one person with 17 keypoints"
