"""Damaged files: the error names them, and no output is made from them."""

import shutil

import pytest
from faulty import (
    FORMATS,
    IMAGES,
    OPTIONS,
    assert_resumes,
    config_of,
    contents,
    die_writing,
    in_child,
)

from repogen import UserError, generate
from repogen.datasets.convert import convert
from repogen.generation import loop


def cut(data):
    return data[: len(data) // 2]


def flip_a_bit(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flip_a_bit, lambda data: b""], ids=["cut", "bit", "empty"])
def test_a_damaged_shard_stops_a_conversion_until_it_is_restored(
    datasets, expected, tmp_path, damage
):
    source = shutil.copytree(datasets["webdataset"], tmp_path / "source")
    shard = source / "shard-000001.tar"
    undamaged = shard.read_bytes()
    shard.write_bytes(damage(undamaged))
    with pytest.raises(UserError, match=r"shard-000001\.tar"):
        convert(str(source), tmp_path / "out")
    assert not (tmp_path / "out" / "annotations").exists()
    with pytest.raises(UserError, match=r"shard-000001\.tar"):
        convert(str(source), tmp_path / "out")
    shard.write_bytes(undamaged)
    assert contents(convert(str(source), tmp_path / "out")) == expected["coco"]


@pytest.mark.parametrize("name", ["shards.json", "run.json"])
@pytest.mark.parametrize("damage", [cut, lambda data: b""], ids=["cut", "empty"])
def test_damaged_manifests_and_run_json_are_refused(datasets, tmp_path, name, damage):
    source = shutil.copytree(datasets["webdataset"], tmp_path / "source")
    (source / name).write_bytes(damage((source / name).read_bytes()))
    with pytest.raises(UserError, match=name):
        convert(str(source), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_picture_stops_a_conversion_until_it_is_restored(datasets, expected, tmp_path):
    source = shutil.copytree(datasets["coco"], tmp_path / "source")
    picture = source / "images" / "00000012.jpg"
    undamaged = picture.read_bytes()
    picture.unlink()
    with pytest.raises(UserError, match=r"00000012\.jpg"):
        convert(str(source), tmp_path / "out", OPTIONS["shard_images"])
    picture.write_bytes(undamaged)
    out = convert(str(source), tmp_path / "out", OPTIONS["shard_images"])
    assert contents(out) == expected["webdataset"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("damage", [cut, lambda data: b""], ids=["cut", "empty"])
def test_images_of_a_damaged_part_are_made_again(expected, tmp_path, kind, damage):
    """A power failure may lose data that was not yet on the disk."""
    out, config = tmp_path / "data", config_of(kind)
    name = {"coco": "00000000.jsonl", "webdataset": "000000.json"}[kind]

    def run():
        die_writing({"coco": "00000018.jpg", "webdataset": "shard-000001.tar"}[kind])
        generate(out, config)

    in_child(run)
    part = out / ".parts" / name
    part.write_bytes(damage(part.read_bytes()))
    assert_resumes(out, config, expected[kind])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_part_that_this_machine_does_not_see_is_reported(expected, tmp_path, monkeypatch, kind):
    """Another machine of a cluster may write to a local folder of the same path."""
    out, config = tmp_path / "data", config_of(kind)

    def elsewhere(*_arguments):
        yield IMAGES

    with monkeypatch.context() as patch:
        patch.setattr(loop, "make_chunks", elsewhere)
        with pytest.raises(UserError, match="is missing although a process wrote it"):
            generate(out, config)
    assert_resumes(out, config, expected[kind])
