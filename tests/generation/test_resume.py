"""A run or conversion that resumes makes again what is missing or damaged of its finished part."""

import shutil
from contextlib import contextmanager

import pytest

from helpers import contents
from repogen import convert, generate
from repogen.datasets.checksums import signed_line
from repogen.datasets.folder import CHUNK_IMAGES, DatasetFolder
from repogen.datasets.shards import ShardFolder

OPTIONS = {
    "images": CHUNK_IMAGES + 4, "image_size": 48, "backgrounds": "plain", "wardrobe": "painted",
    "seed": 3, "workers": 1, "write": "masks",
}  # fmt: skip
FORMATS = {
    "coco": {},
    "webdataset": {"format": "webdataset", "shard_images": CHUNK_IMAGES},
}


@pytest.fixture(scope="module")
def runs(body, tmp_path_factory):
    """A finished and a stopped run of each format; the latter lacks only its last step."""
    root = tmp_path_factory.mktemp("runs")
    for name, options in FORMATS.items():
        generate(root / name, **OPTIONS, **options)
        with stopped_before_the_end():
            generate(root / f"{name}-stopped", **OPTIONS, **options)
    return root


@contextmanager
def stopped_before_the_end():
    def stop(*_arguments):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        for kind in (DatasetFolder, ShardFolder):
            patch.setattr(kind, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            yield


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def drop_line(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def elsewhere(path):
    """A line that is whole, but names another file than a dataset's."""
    line = path.read_text().splitlines()[0].partition(" ")[2]
    first = signed_line(line.replace('"masks"', '"../masks"'))
    path.write_text(first + "".join(path.read_text().splitlines(keepends=True)[1:]))


@pytest.mark.parametrize(
    ("kind", "name", "damage"),
    [
        ("coco", "images/00000003.jpg", lambda path: path.unlink()),
        ("coco", "images/00000003.jpg", flip),
        ("coco", "images/00000003.jpg", lambda path: path.write_bytes(b"")),
        ("coco", "masks/00000016.png", cut),
        ("coco", "masks/00000016.png", lambda path: path.unlink()),
        ("coco", ".parts/00000000.jsonl", flip),
        ("coco", ".parts/00000000.jsonl", cut),
        ("coco", ".parts/00000000.jsonl", drop_line),
        ("coco", ".parts/00000000.jsonl", elsewhere),
        ("coco", ".parts/00000000.jsonl", lambda path: path.write_bytes(b"\xff\xfe")),
        ("webdataset", "shard-000000.tar", lambda path: path.unlink()),
        ("webdataset", "shard-000000.tar", flip),
        ("webdataset", "shard-000000.tar", cut),
        ("webdataset", ".parts/000000.json", flip),
        ("webdataset", ".parts/000000.json", lambda path: path.write_bytes(b"")),
    ],
)
def test_what_a_resumed_run_finds_damaged_is_made_again(runs, tmp_path, capsys, kind, name, damage):
    out = shutil.copytree(runs / f"{kind}-stopped", tmp_path / "set")
    damage(out / name)
    generate(out, **OPTIONS, **FORMATS[kind])
    said = capsys.readouterr().err
    assert "1 of the finished groups of 16 images have missing or damaged files" in said
    assert "resuming: 4 of 20 images exist" in said
    assert contents(out) == contents(runs / kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_undamaged_run_resumes_without_making_images(runs, tmp_path, capsys, kind):
    out = shutil.copytree(runs / f"{kind}-stopped", tmp_path / "set")
    generate(out, **OPTIONS, **FORMATS[kind])
    said = capsys.readouterr().err
    assert "damaged" not in said
    assert "resuming: 20 of 20 images exist" in said
    assert contents(out) == contents(runs / kind)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("damage", [flip, lambda path: path.unlink()], ids=["changed", "missing"])
def test_a_resumed_conversion_makes_damaged_files_again(runs, tmp_path, kind, damage):
    out = tmp_path / "out"
    with stopped_before_the_end():
        convert(runs / kind, out, CHUNK_IMAGES)
    damage(out / {"coco": "shard-000000.tar", "webdataset": "images/00000002.jpg"}[kind])
    convert(runs / kind, out, CHUNK_IMAGES)
    (other,) = FORMATS.keys() - {kind}
    assert contents(out) == contents(runs / other)
