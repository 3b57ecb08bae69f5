"""Validation of the COCO file as a whole: strict JSON, its header, ids and order."""

import re
from collections.abc import Generator, Iterator
from typing import Any

from repogen.datasets.chunks import compact_json
from repogen.datasets.coco_header import coco_header
from repogen.datasets.folder import RUN_DIGEST, DatasetFolder
from repogen.datasets.reading import RUN_FORMAT, Entry
from repogen.errors import UserError
from repogen.files import read_lines, sha256_of
from repogen.json_files import strict_json
from repogen.limits import MAX_LINES

_IMAGES, _ANNOTATIONS = '"images":[\n', '"annotations":[\n'

_IDS = re.compile(r'\{"id":(\d{1,18}),(?:"image_id":(\d{1,18}),)?')


def coco_lines(folder: DatasetFolder) -> Iterator[tuple[str, str]]:
    """The parts of the COCO file as JSON texts: ("header", its entries but two), then each record
    as ("images", text), then as ("annotations", text). A file that another program wrote begins
    with ("layout", what is wrong).

    One line of a file that repogen wrote is in memory; a file that another program wrote is read
    whole. The parts are not parsed. Raises `UserError` where they are not all of the file, or the
    file would not be JSON however the parts are.
    """
    header = ""
    try:
        lines = read_lines(folder.inside(folder.annotations), MAX_LINES, newline="\n")
        numbered = enumerate(lines, start=1)
        for number, line in numbered:
            if line == _IMAGES:
                if not header.endswith(",\n"):
                    raise _not_ours(folder, number, "a comma is missing before it")
                yield "header", header[:-2] + "}"
                yield from _tables(folder, numbered)
                return
            header += line
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {folder.annotations}: {error}") from error
    yield "layout", "is not laid out as repogen writes it"
    yield from _parts_of_other_program(folder, header)


def _tables(
    folder: DatasetFolder, numbered: Iterator[tuple[int, str]]
) -> Iterator[tuple[str, str]]:
    """The records of both tables, from the lines after the first one's key."""
    for table, end in (("images", f"],\n{_ANNOTATIONS}"), ("annotations", "]}\n")):
        number, line = next(numbered, (0, ""))
        empty = line == "\n"
        if empty:
            number, line = next(numbered, (0, ""))
        while line and not line.startswith("]"):
            text, comma = line.removesuffix("\n").removesuffix(","), line.endswith(",\n")
            following, line = next(numbered, (0, ""))
            if empty or comma == line.startswith("]") or not line:
                raise _not_ours(folder, number, "its record or the comma after it is incomplete")
            yield table, text
            number = following
        if table == "images":
            line += next(numbered, (0, ""))[1]
        if line != end:
            raise _not_ours(folder, number, f"{table} do not end there as they should")
    number, line = next(numbered, (0, ""))
    if line:
        raise _not_ours(folder, number, "it follows the end of the JSON")


def _not_ours(folder: DatasetFolder, number: int, why: str) -> UserError:
    return UserError(f"{folder.annotations} line {number} is not as repogen writes it: {why}")


def _parts_of_other_program(folder: DatasetFolder, text: str) -> Iterator[tuple[str, str]]:
    try:
        coco = strict_json(text)
    except ValueError as error:
        raise UserError(f"cannot read {folder.annotations}: {error}") from error
    tables = {}
    for name in ("images", "annotations", "categories"):
        records = coco.get(name)
        if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
            raise UserError(f"{folder.annotations}: {name!r} is not a list of records")
        tables[name] = records
    rest = {k: v for k, v in coco.items() if k not in ("images", "annotations")}
    yield "header", compact_json(rest)
    for name in ("images", "annotations"):
        yield from ((name, compact_json(record)) for record in tables[name])


def table_lines(folder: DatasetFolder, table: str) -> Iterator[str]:
    """The records of one table as JSON texts. Raises `UserError` as `coco_lines`."""
    return (text for name, text in coco_lines(folder) if name == table)


def lines_by_image(folder: DatasetFolder) -> Iterator[tuple[str, list[str]]]:
    """Each image's record and those of its annotations, of a file whose ids are in order."""
    annotations = table_lines(folder, "annotations")
    following = next(annotations, None)
    for number, image in enumerate(table_lines(folder, "images"), start=1):
        own = []
        while following is not None and _ids(following)[1] == number:
            own.append(following)
            following = next(annotations, None)
        yield image, own


def _ids(text: str) -> tuple[Any, Any]:
    """id and image_id of a record; None where it has none."""
    found = _IDS.match(text)
    if found and (found[2] or '"image_id"' not in text):
        return int(found[1]), found[2] and int(found[2])
    try:
        record = strict_json(text)
    except ValueError:
        return None, None
    return record.get("id"), record.get("image_id")


def check_coco(folder: DatasetFolder, run: Entry) -> Generator[str, None, bool]:
    """Problems of the header and the ids: both ids count from 1, and annotations are in image
    order. Returns whether the ids are right. Raises `UserError` as `coco_lines`."""
    lines, count = coco_lines(folder), run["config"]["images"]
    part, text = next(lines)
    if part == "layout":
        yield f"{folder.name(folder.annotations)}: {text}"
        _, text = next(lines)
    try:
        header = strict_json(text)
    except ValueError as error:
        raise UserError(f"cannot read {folder.annotations}: its header: {error}") from error
    images, number, last = 0, 0, 0
    counts = in_order = belong = True
    for table, line in lines:
        own, image_id = _ids(line)
        if table == "images":
            images += 1
            counts = counts and own == images
            continue
        number += 1
        in_order = in_order and own == number
        belong = belong and isinstance(image_id, int) and last <= image_id <= images
        if not isinstance(image_id, int) or not 1 <= image_id <= images:
            yield f"annotation {number}: its image {image_id} does not exist"
        elif image_id < last:
            yield f"annotation {number}: is of image {image_id}, but follows image {last}"
        else:
            last = image_id
    counts = counts and images == count
    if not counts:
        yield f"image ids are not 1 to {count} in order"
    if not in_order:
        yield f"annotation ids are not 1 to {number} in order"
    yield from check_header(folder, header, run)
    return counts and in_order and belong


def check_header(folder: DatasetFolder, header: Entry, run: Entry) -> Iterator[str]:
    """Problems of the entries before the images in the COCO file or the manifest."""
    wanted = coco_header(run)
    if run["format"] == RUN_FORMAT:
        wanted["info"][RUN_DIGEST] = sha256_of(folder.run)
    info = header.get("info")
    if not isinstance(info, dict) or info.get(RUN_DIGEST) != wanted["info"].get(RUN_DIGEST):
        yield "run.json: is not the one that the labels were written with"
    if header.get("categories") != wanted["categories"]:
        yield "the categories are not COCO's one person with 17 keypoints"
    for key in wanted.keys() | header.keys():
        ours, theirs = wanted.get(key), header.get(key)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            ours, theirs = ({**each, RUN_DIGEST: None} for each in (ours, theirs))
        if key != "categories" and theirs != ours:
            yield f"the {key} before the images is {theirs}, run.json gives {ours}"
