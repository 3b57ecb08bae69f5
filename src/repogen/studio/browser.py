"""Browsing a dataset: what is known of each image, filters, marks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.datasets.folder import MINING, PICTURE
from repogen.datasets.reading import (
    open_dataset,
    read_entries,
    read_files,
    read_run_info,
    read_scenes,
)
from repogen.datasets.sources import SourcesConfig, find_sources
from repogen.errors import UserError
from repogen.mining.records import IMAGES, read_difficulties
from repogen.outputs import OutputFolder
from repogen.pictures import decode_picture
from repogen.scenes.scene import Scene
from repogen.studio.model import Model
from repogen.studio.saving import new_path

_DTYPE = np.dtype([("id", "i8"), ("elevation", "f4"), ("visible", "i2"), ("side", "f4")])


NUMBER, LEAST_OKS, HARDEST = "number", "lowest OKS first", "hardest first, as mined"
"""Orders of the images."""


@dataclass(frozen=True)
class Filter:
    """Which images are shown: by the name of the view (empty for all), by the camera's elevation in
    degrees, by visible keypoints of the first person, and by the longer side of that person's box
    as a share of the image's."""

    view: str = ""
    elevation: tuple[float, float] = (-90.0, 90.0)
    visible: tuple[int, int] = (0, 17)
    side: tuple[float, float] = (0.0, 1.0)
    similarity: tuple[float, float] = (0.0, 1.0)
    """The least OKS in the image of what a model finds, once it was asked."""
    difficulty: tuple[float, float] = (0.0, 1.0)
    """As `repogen mine` judged the image."""
    marked: bool = False
    """Only marked images."""


class Browser:
    """A dataset and the marks on its images."""

    def __init__(self, folder: Path, sources: SourcesConfig | None = None) -> None:
        """Reads all labels once. Raises `UserError` for what is no finished dataset."""
        self.dataset = open_dataset(folder)
        self._sources = sources or SourcesConfig()
        self.views: Counter[str] = Counter()
        self._names: list[str] = []
        self._images = np.fromiter(self._records(), _DTYPE)
        if not len(self._images):
            raise UserError(f"{folder} holds no images")
        self.marks: set[int] = set()
        self._similarities = np.full(len(self._images), np.nan)
        self._difficulties = self._read_difficulties()

    def _records(self) -> Iterator[tuple[Any, ...]]:
        for image, annotations in read_entries(self.dataset):
            try:
                name, elevation = image["view"]["name"], image["view"]["elevation_deg"]
                visible, side = 0, 0.0
                if annotations:
                    first = annotations[0]
                    visible = first["keypoints"][2::3].count(2)
                    side = max(first["bbox"][2:]) / max(image["width"], image["height"])
                record = int(image["id"]), float(elevation), visible, float(side)
            except (LookupError, TypeError, ValueError) as error:
                raise UserError(
                    f"{self.dataset.root}: a record is not repogen's: {error}"
                ) from error
            self._names.append(str(name))
            self.views[str(name)] += 1
            yield record

    def _read_difficulties(self) -> Float[np.ndarray, " n"]:
        """The difficulty of each image; NaN where `repogen mine` did not judge it."""
        path = self.dataset.root / MINING / IMAGES
        found = read_difficulties(path) if path.exists() else {}
        return np.array([found.get(int(number), np.nan) for number in self._images["id"]])

    @property
    def is_mined(self) -> bool:
        """Whether the images have the difficulties of `repogen mine`."""
        return bool(np.isfinite(self._difficulties).any())

    def __len__(self) -> int:
        return len(self._images)

    def ids(self, wanted: Filter) -> list[int]:
        """The ids of the images that pass a filter, in order."""
        images = self._images
        kept = np.ones(len(images), dtype=bool)
        if wanted.view:
            kept &= np.array(self._names) == wanted.view
        for name, (low, high) in (
            ("elevation", wanted.elevation),
            ("visible", wanted.visible),
            ("side", wanted.side),
        ):
            kept &= (images[name] >= low) & (images[name] <= high)
        for values, (low, high) in (
            (self._similarities, wanted.similarity),
            (self._difficulties, wanted.difficulty),
        ):
            if (low, high) != (0.0, 1.0):  # images without a value pass no narrower range
                kept &= (values >= low) & (values <= high)
        ids = [int(number) for number in images["id"][kept]]
        return [number for number in ids if number in self.marks] if wanted.marked else ids

    def ordered(self, ids: Sequence[int], order: str) -> list[int]:
        """The ids in one of the orders; images whose OKS or difficulty is unknown come last."""
        values = {LEAST_OKS: self._similarities, HARDEST: -self._difficulties}.get(order)
        if values is None:
            return sorted(ids)
        known = dict(zip(self._images["id"].tolist(), values.tolist(), strict=True))
        return sorted(ids, key=lambda number: np.nan_to_num(known[number], nan=2.0))

    def caption(self, image_id: int) -> str:
        """The number of an image, its difficulty where it was mined, and its OKS once a model was
        asked about it."""
        row = int(np.flatnonzero(self._images["id"] == image_id)[0])
        values = {"difficulty": self._difficulties[row], "OKS": self._similarities[row]}
        known = [f"{name} {value:.2f}" for name, value in values.items() if np.isfinite(value)]
        return ": ".join([f"{image_id}", ", ".join(known)]) if known else f"{image_id}"

    def ask(self, model: Model, ids: Sequence[int]) -> Iterator[int]:
        """Ask a model about images; yields how many are done. Raises `UserError`
        where a picture cannot be read or the model fails."""
        places = {int(number): i for i, number in enumerate(self._images["id"])}
        for done, (image, annotations) in enumerate(read_entries(self.dataset, ids), start=1):
            data = read_files(self.dataset, image["id"], (PICTURE,))[PICTURE]
            picture = decode_picture(np.frombuffer(data, np.uint8))
            if picture is None:
                raise UserError(f"{self.dataset.root}: image {image['id']} cannot be read")
            _, similarities = model.find_in(np.ascontiguousarray(picture[..., ::-1]), annotations)
            if similarities:
                self._similarities[places[image["id"]]] = min(similarities)
            yield done

    def scene(self, image_id: int) -> Scene:
        """The scene of an image; what it shows is found as `rerender` finds it. Raises `UserError`
        for an image that there is not, or a file that is missing."""
        scene = next(read_scenes(self.dataset, (image_id,)), None)
        if scene is None:
            raise UserError(f"{self.dataset.root} has no image {image_id}")
        run = read_run_info(self.dataset)
        find_sources(self.dataset, [scene], self._sources, run["config"])
        return scene

    def export(self, root: Path) -> Path:
        """Write the marked ids, one a line, into a new file below `root`; returns its path. Raises
        `UserError` where none is marked."""
        if not self.marks:
            raise UserError("no image is marked")
        path = new_path(root, "marked-", ".txt")
        text = "".join(f"{number}\n" for number in sorted(self.marks))
        OutputFolder(root, "studio").write(path, text.encode())
        return path
