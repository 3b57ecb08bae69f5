"""Shards: the same data as in a folder, whole or refused."""

import hashlib
import io
import json
import re
import tarfile

import fsspec
import pytest

from repogen import GenerateConfig, generate, validate
from repogen.datasets.convert import convert
from repogen.datasets.reading import open_dataset
from repogen.datasets.shards import pack, read_manifest, read_shard, unpack
from repogen.errors import UserError

IMAGES, IN_ONE = 11, 4
OPTIONS = {
    "images": IMAGES, "image_size": 64, "backgrounds": "plain", "workers": 1, "seed": 5,
    "write": ("depth", "stick"), "wardrobe": "painted", "people": (1, 2),
}  # fmt: skip


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def plain(body, tmp_path_factory):
    return generate(tmp_path_factory.mktemp("coco") / "data", GenerateConfig(**OPTIONS))


@pytest.fixture(scope="module")
def shards(body, tmp_path_factory):
    config = GenerateConfig(**OPTIONS, format="webdataset", shard_images=IN_ONE)
    return generate(tmp_path_factory.mktemp("shards") / "data", config)


def test_the_manifest_counts_and_hashes(shards):
    manifest = read_manifest(str(shards))
    assert [shard.images for shard in manifest.shards] == [4, 4, 3]
    assert sorted(p.name for p in shards.iterdir()) == [
        "run.json", "shard-000000.tar", "shard-000001.tar", "shard-000002.tar", "shards.json",
    ]  # fmt: skip
    for shard in manifest.shards:
        data = (shards / shard.name).read_bytes()
        assert (shard.bytes, shard.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert shard.persons == sum(len(r.annotations) for r in unpack(data, "it"))


def test_members_are_named_as_webdataset_wants(shards):
    with tarfile.open(shards / "shard-000001.tar") as tar:
        names = tar.getnames()
    endings = ["json", "jpg", "depth.png", "stick.all.png", "stick.visible.png"]
    assert names == [f"{n:08d}.{e}" for n in range(5, 9) for e in endings]


def test_converted_there_and_back_is_the_same(plain, shards, tmp_path):
    there = convert(str(plain), tmp_path / "there", IN_ONE)
    assert files_of(there) == files_of(shards)
    assert files_of(convert(str(there), tmp_path / "back")) == files_of(plain)


def test_more_workers_make_the_same_shards(shards, tmp_path):
    config = GenerateConfig(**(OPTIONS | {"workers": 2}), format="webdataset", shard_images=IN_ONE)
    made = files_of(generate(tmp_path / "data", config))
    own = files_of(shards)
    assert {k: v for k, v in made.items() if k != "run.json"} == {
        k: v for k, v in own.items() if k != "run.json"
    }


def test_a_url_is_as_good_as_a_folder(plain, shards, tmp_path):
    store = fsspec.filesystem("memory")
    for name, data in files_of(shards).items():
        store.pipe(f"/bucket/{name}", data)
    assert files_of(convert("memory://bucket", tmp_path / "back")) == files_of(plain)


def test_a_shard_is_fetched_once_where_it_is_kept(shards, tmp_path):
    store = fsspec.filesystem("memory")
    for name, data in files_of(shards).items():
        store.pipe(f"/cached/{name}", data)
    shard = read_manifest("memory://cached").shards[1]
    path = f"/cached/{shard.name}"
    data = store.cat(path)
    kept = tmp_path / "made" / f"{shard.sha256}.tar"
    assert read_shard("memory://cached", shard, kept.parent) == data == kept.read_bytes()
    store.rm(path)
    assert read_shard("memory://cached", shard, kept.parent) == data
    kept.write_bytes(data[:-1])
    with pytest.raises(UserError, match="cannot read memory://cached/"):
        read_shard("memory://cached", shard, kept.parent)
    store.pipe(path, data)
    assert read_shard("memory://cached", shard, kept.parent) == data == kept.read_bytes()


def test_a_stopped_conversion_goes_on(plain, shards, tmp_path, monkeypatch):
    from repogen.datasets import convert as module

    read, seen = module.read_shard, []

    def stop_at_the_second(url, shard):
        seen.append(shard.name)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return read(url, shard)

    monkeypatch.setattr(module, "read_shard", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        convert(str(shards), tmp_path / "back")
    assert files_of(convert(str(shards), tmp_path / "back")) == files_of(plain)
    assert seen.count("shard-000000.tar") == 1


@pytest.mark.parametrize("damage", ["short", "changed", "missing"])
def test_a_damaged_shard_is_refused(shards, tmp_path, damage):
    for name, data in files_of(shards).items():
        (tmp_path / name).write_bytes(data)
    path = tmp_path / "shard-000001.tar"
    data = bytearray(path.read_bytes())
    data[700] ^= 1
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-512] if damage == "short" else data)
    shard = read_manifest(str(tmp_path)).shards[1]
    with pytest.raises(UserError, match=r"shard-000001\.tar"):
        read_shard(str(tmp_path), shard)


def tar_of(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member, data in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def link():
    out = tarfile.TarInfo("00000001.jpg")
    out.type, out.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return out


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (tar_of(("../00000001.json", b"{}")), "foreign member"),
        (tar_of(("/00000001.json", b"{}")), "foreign member"),
        (tar_of((link(), b"")), "foreign member"),
        (tar_of(("00000001.jpg", b"x")), "missing or no record"),
        (tar_of(("00000001.json", b"[1]")), "no record of ours"),
        (tar_of(("00000001.json", b'{"image":{},"annotations":[],"scene":{}}')), "no record"),
        (tar_of(("00000001.json", b"[" * 100_000)), "no record of ours"),
        (b"no tar file at all" * 100, "no whole tar file"),
    ],
)
def test_foreign_tar_files_are_refused(data, says):
    with pytest.raises(UserError, match=says):
        list(unpack(data, "it"))


def test_what_is_packed_comes_out(shards):
    records = list(unpack((shards / "shard-000000.tar").read_bytes(), "it"))
    data, shard = pack("shard-000000.tar", records)
    assert data == (shards / "shard-000000.tar").read_bytes()
    assert shard == read_manifest(str(shards)).shards[0]


def manifest_of(**changed):
    shard = {"name": "shard-000000.tar", "images": 1, "persons": 1, "bytes": 1, "sha256": "0" * 64}
    return json.dumps({"format": 1, "header": {}, "shards": [shard | changed]})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "no manifest"),
        ("[]", "no manifest"),
        ("{", "no manifest"),
        ('{"format": 9, "header": {}, "shards": []}', "format 9"),
        (manifest_of(name="../a.tar"), "foreign file"),
        (manifest_of(sha256="../../etc/passwd"), "no SHA-256"),
    ],
)
def test_bad_manifests(tmp_path, text, says):
    (tmp_path / "shards.json").write_text(text)
    with pytest.raises(UserError, match=says):
        read_manifest(str(tmp_path))


def test_other_folders_are_not_written_to(plain, shards, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="holds other files"):
        convert(str(shards), tmp_path)
    with pytest.raises(UserError, match="holds another dataset"):
        convert(str(shards), plain)
    with pytest.raises(UserError, match="cannot read"):
        convert(str(tmp_path), tmp_path / "new")


def test_sound_shards_are_valid(shards):
    assert validate(shards) == []


@pytest.mark.parametrize(
    ("name", "edit", "says"),
    [
        ("shard-000001.tar", lambda d: d[:-512], "shard-000001.tar: .* bytes, its manifest says"),
        ("shard-000002.tar", lambda d: d[:900] + b"?" + d[901:], "not the file its manifest"),
        ("shard-000002.tar", lambda d: None, "cannot read"),
        ("shard-000009.tar", lambda d: b"", "is not in shards.json"),
        ("run.json", lambda d: d.replace(b'"images": 11', b'"images": 12'), "counts 11 images"),
    ],
)
def test_validate_finds_what_is_broken(shards, tmp_path, name, edit, says):
    for own, data in files_of(shards).items():
        (tmp_path / own).write_bytes(data)
    path = tmp_path / name
    data = edit(path.read_bytes() if path.exists() else b"")
    path.unlink(missing_ok=True)
    if data is not None:
        path.write_bytes(data)
    assert any(re.search(says, problem) for problem in validate(tmp_path)), validate(tmp_path)


def test_validate_finds_wrong_labels_in_a_shard(shards, tmp_path):
    """Even where somebody has written the manifest anew."""
    for own, data in files_of(shards).items():
        (tmp_path / own).write_bytes(data)
    name = "shard-000001.tar"
    records = list(unpack((tmp_path / name).read_bytes(), name))
    records[2].annotations[0]["bbox"][0] += 3
    data, shard = pack(name, records)
    (tmp_path / name).write_bytes(data)
    manifest = json.loads((tmp_path / "shards.json").read_text())
    manifest["shards"][1] = vars(shard)
    (tmp_path / "shards.json").write_text(json.dumps(manifest))
    problems = validate(tmp_path)
    assert len(problems) == 1
    assert "shard-000001.tar: annotation" in problems[0]
    assert "bbox" in problems[0]


def test_what_needs_a_folder_says_so(shards):
    with pytest.raises(UserError, match="holds shards; repogen convert"):
        open_dataset(shards)
