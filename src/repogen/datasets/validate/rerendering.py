"""Validation by rendering again: a scene must give the same picture, maps and labels."""

import json
from collections.abc import Collection, Iterator

from repogen.datasets.folder import DatasetFolder, Sample
from repogen.datasets.reading import Entry, read_entries, read_files
from repogen.datasets.rerender import render_again
from repogen.datasets.sources import SourcesConfig


def check_rerendered(
    folder: DatasetFolder, ids: Collection[int], given: SourcesConfig
) -> Iterator[str]:
    """The differences between images `ids` and what their scenes render to."""
    samples = render_again(folder, ids, given)
    for sample, (image, annotations) in zip(samples, read_entries(folder, ids), strict=True):
        yield from _differences(folder, image, annotations, sample)


def _differences(
    folder: DatasetFolder, image: Entry, annotations: list[Entry], sample: Sample
) -> Iterator[str]:
    files = read_files(folder, image["id"], tuple(sample.files))
    wrong = [kind for kind, data in sample.files.items() if files[kind] != data]
    rendered = json.loads(json.dumps([sample.image, *sample.annotations]))
    stored = [
        {k: v for k, v in annotation.items() if k not in ("id", "image_id")}
        for annotation in annotations
    ]
    if [image, *stored] != rendered:
        wrong.append("COCO record")
    for kind in wrong:
        yield (
            f"image {image['id']}: its {kind} differs when rendered again (library versions other "
            "than in run.json?)"
        )
