"""Files that were damaged on the disk: one line that names them, nothing made of them."""

import shutil

import pytest
from faulty import (
    FORMATS,
    IMAGES,
    OPTIONS,
    assert_nothing_lost,
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


def turn_a_bit(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, turn_a_bit, lambda data: b""], ids=["cut", "bit", "empty"])
def test_a_damaged_shard_stops_a_conversion_until_it_is_mended(
    whole, undisturbed, tmp_path, damage
):
    source = shutil.copytree(whole["webdataset"], tmp_path / "source")
    shard = source / "shard-000001.tar"
    sound = shard.read_bytes()
    shard.write_bytes(damage(sound))
    with pytest.raises(UserError, match=r"shard-000001\.tar"):
        convert(str(source), tmp_path / "out")
    assert not (tmp_path / "out" / "annotations").exists()
    with pytest.raises(UserError, match=r"shard-000001\.tar"):
        convert(str(source), tmp_path / "out")
    shard.write_bytes(sound)
    assert contents(convert(str(source), tmp_path / "out")) == undisturbed["coco"]


@pytest.mark.parametrize("name", ["shards.json", "run.json"])
@pytest.mark.parametrize("damage", [cut, lambda data: b""], ids=["cut", "empty"])
def test_damaged_papers_of_shards_are_refused(whole, tmp_path, name, damage):
    source = shutil.copytree(whole["webdataset"], tmp_path / "source")
    (source / name).write_bytes(damage((source / name).read_bytes()))
    with pytest.raises(UserError, match=name):
        convert(str(source), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_picture_stops_a_conversion_until_it_is_back(whole, undisturbed, tmp_path):
    source = shutil.copytree(whole["coco"], tmp_path / "source")
    picture = source / "images" / "00000012.jpg"
    sound = picture.read_bytes()
    picture.unlink()
    with pytest.raises(UserError, match=r"00000012\.jpg"):
        convert(str(source), tmp_path / "out", OPTIONS["shard_images"])
    picture.write_bytes(sound)
    out = convert(str(source), tmp_path / "out", OPTIONS["shard_images"])
    assert contents(out) == undisturbed["webdataset"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("damage", [cut, lambda data: b""], ids=["cut", "empty"])
def test_a_damaged_part_says_what_to_remove(undisturbed, tmp_path, kind, damage):
    """As after a power failure, which may take what the disk had not yet been given."""
    out, config = tmp_path / "data", config_of(kind)
    name = {"coco": "00000000.jsonl", "webdataset": "000000.json"}[kind]

    def run():
        die_writing({"coco": "00000018.jpg", "webdataset": "shard-000001.tar"}[kind])
        generate(out, config)

    in_child(run)
    part = out / ".parts" / name
    part.write_bytes(damage(part.read_bytes()))
    with pytest.raises(UserError, match=f"{name} is damaged; remove it and run the same command"):
        generate(out, config)
    part.unlink()
    assert_nothing_lost(out, config, undisturbed[kind])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_part_that_is_not_seen_says_so(undisturbed, tmp_path, monkeypatch, kind):
    """As where a machine of a cluster wrote it into another folder of the same name."""
    out, config = tmp_path / "data", config_of(kind)

    def elsewhere(*_arguments):
        yield IMAGES

    with monkeypatch.context() as patch:
        patch.setattr(loop, "make_chunks", elsewhere)
        with pytest.raises(UserError, match="is not there, though"):
            generate(out, config)
    assert_nothing_lost(out, config, undisturbed[kind])
