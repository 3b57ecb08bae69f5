"""Shards: the same data as in a folder, whole or refused."""

import hashlib
import io
import json
import re
import shutil
import tarfile
from dataclasses import replace

import fsspec
import pytest

from repogen import GenerateConfig, generate, info, preview, validate
from repogen.config import merged
from repogen.datasets.convert import convert
from repogen.datasets.reading import (
    open_dataset,
    open_folder,
    read_annotated,
    read_files,
    read_scenes,
)
from repogen.datasets.shards import pack, read_manifest, read_shard, unpack
from repogen.errors import UserError
from repogen.generation.rerender import rerender

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


def sparse():
    """A member that says it is as long as the whole file and holds nothing."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("00000001.jpg")
        info.pax_headers = {
            "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": info.name,
            "GNU.sparse.size": "9000", "GNU.sparse.realsize": "9000", "GNU.sparse.map": "0,0",
        }  # fmt: skip
        tar.addfile(info)
    return out.getvalue()


def record(**changes):
    """A tar file of one record."""
    facts = {"image": {"id": 1}, "annotations": [{"iscrowd": 0}], "scene": {}} | changes
    return tar_of(("00000001.json", json.dumps(facts).encode()))


def test_the_record_whose_changes_are_refused_is_sound():
    assert len(list(unpack(record(), "it"))) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (sparse(), "foreign member"),
        (record(annotations=[{}]), "no list of records without ids"),
        (record(annotations=[{"id": 3, "iscrowd": 0}]), "no list of records without ids"),
        (record(annotations=[{"image_id": 3}]), "no list of records without ids"),
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
        *(
            (manifest_of(**wrong), "counts what shard-000000.tar cannot hold")
            for wrong in (
                {"images": 0}, {"images": 10**15}, {"persons": -1}, {"persons": 10**15},
                {"bytes": -1},
            )
        ),
    ],
)  # fmt: skip
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


def test_a_file_is_not_written_into(shards, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        convert(str(shards), tmp_path / "file")


def rewritten(change):
    """The COCO file changed and written anew, as another program would."""

    def edit(root):
        path = root / "annotations" / "person_keypoints.json"
        coco = json.loads(path.read_text())
        change(coco)
        path.write_text(json.dumps(coco))

    return edit


def scenes(change):
    def edit(root):
        path = root / "scenes.jsonl"
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return edit


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda root: (root / "scenes.jsonl").unlink(), "cannot read .*scenes.jsonl"),
        (lambda root: (root / "scenes.jsonl").write_bytes(b"\xff" * 99), "cannot read .*scenes"),
        (scenes(lambda lines: lines[:-1]), "scenes.jsonl ends too early"),
        (scenes(lambda lines: [*lines, lines[0]]), "more than the 11 images"),
        (scenes(lambda lines: [lines[0][:50] + "\n", *lines[1:]]), "line 1 is no scene"),
        (rewritten(lambda coco: coco["images"].pop()), "annotation 1[0-9] is of no image"),
        (rewritten(lambda coco: coco["images"].append({"id": 12})), "more than the 11 images"),
        (rewritten(lambda coco: coco["images"].reverse()), "images 1 to 4 are not those"),
        (rewritten(lambda coco: coco.pop("categories")), "no list 'categories'"),
        (rewritten(lambda coco: coco["images"].insert(0, 7)), "no list 'images' of records"),
    ],
)
def test_folders_that_are_not_sound_are_not_converted(plain, tmp_path, damage, says):
    source = shutil.copytree(plain, tmp_path / "source")
    damage(source)
    with pytest.raises(UserError, match=says):
        convert(str(source), tmp_path / "out", IN_ONE)
    assert not (tmp_path / "out" / "shards.json").exists()


def test_a_folder_whose_labels_were_written_anew_is_converted(plain, shards, tmp_path):
    source = shutil.copytree(plain, tmp_path / "source")
    rewritten(lambda coco: None)(source)
    assert files_of(convert(str(source), tmp_path / "out", IN_ONE)) == files_of(shards)


def test_shards_of_other_images_are_not_converted(shards, tmp_path):
    """Though the manifest is of them."""
    source = shutil.copytree(shards, tmp_path / "source")
    name = "shard-000001.tar"
    records = list(unpack((source / name).read_bytes(), name))
    records[0].image["id"] = 1
    data, shard = pack(name, records)
    (source / name).write_bytes(data)
    manifest = json.loads((source / "shards.json").read_text())
    manifest["shards"][1] = vars(shard)
    (source / "shards.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="images 5 to 8 are not those"):
        convert(str(source), tmp_path / "out")
    assert not (tmp_path / "out" / "annotations").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"images": "many"}, {"images": 0}, {"images": 10**15}, {"output": []},
        {"output": {"write": ["../../etc"]}}, {"output": {"write": [[]]}},
        {"output": {"occluded": None}},
    ],
)  # fmt: skip
def test_options_that_no_run_has_are_refused(plain, tmp_path, wrong):
    source = shutil.copytree(plain, tmp_path / "source")
    run = json.loads((source / "run.json").read_text())
    run["config"] = merged(run["config"], wrong)
    (source / "run.json").write_text(json.dumps(run))
    with pytest.raises(UserError, match=r"run\.json is not a run\.json of this version"):
        convert(str(source), tmp_path / "out")
    with pytest.raises(UserError, match=r"run\.json is not a run\.json of this version"):
        validate(source)


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
        ("shards.json", lambda d: d.replace(b'"nose"', b'"snout"'), "the categories are not COCO"),
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


def test_info_and_preview_of_shards_are_those_of_the_folder(plain, shards, tmp_path):
    def told(root):
        return [line for line in info(root).splitlines() if not line.startswith("dataset ")]

    assert told(shards) == told(plain)
    pages = [preview(root, tmp_path / root.parent.name, images=5) for root in (plain, shards)]
    ours, theirs = (files_of(page.parent) for page in pages)
    ours.pop("index.html"), theirs.pop("index.html")  # they name their folders
    assert ours == theirs


def test_images_of_shards_are_made_again(plain, shards, tmp_path):
    ids = (11, 2, 4)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert len(rerender(plain, ids, ours)) == len(rerender(shards, ids, theirs)) == 3
    assert files_of(ours) == files_of(theirs)
    with pytest.raises(UserError, match="has no image 12"):
        rerender(shards, (12,), theirs)


def test_one_image_of_shards_is_found_without_reading_the_others(shards, tmp_path):
    for own, data in files_of(shards).items():
        if own not in ("shard-000000.tar", "shard-000002.tar"):
            (tmp_path / own).write_bytes(data)
    folder = open_dataset(tmp_path)
    assert [image["id"] for image, _ in read_annotated(folder, (6, 8))] == [6, 8]
    assert [scene.index for scene in read_scenes(folder, (7,))] == [6]
    kinds = ("image", "depth", "stick/all", "stick/visible")
    with tarfile.open(shards / "shard-000001.tar") as tar:
        wanted = [tar.extractfile(n).read() for n in tar.getnames() if n.startswith("00000007.")]
    assert list(read_files(folder, 7, kinds).values()) == wanted[1:]
    with pytest.raises(UserError, match=r"cannot read .*shard-000000\.tar"):
        list(read_annotated(folder))
    with pytest.raises(UserError, match="hold no masks of image 7"):
        read_files(folder, 7, ("masks",))


def test_validate_makes_images_of_shards_again(shards, tmp_path):
    for own, data in files_of(shards).items():
        (tmp_path / own).write_bytes(data)
    name = "shard-000000.tar"
    first, second, *others = unpack((tmp_path / name).read_bytes(), name)
    files = first.files | {"image": second.files["image"]}
    data, shard = pack(name, [replace(first, files=files), second, *others])
    (tmp_path / name).write_bytes(data)
    manifest = json.loads((tmp_path / "shards.json").read_text())
    manifest["shards"][0] = vars(shard)
    (tmp_path / "shards.json").write_text(json.dumps(manifest))
    assert validate(tmp_path, rerender=0) == []
    (problem,) = validate(tmp_path)
    assert problem.startswith("image 1: made again from its scene it has another image")


def test_what_needs_a_folder_says_so(shards):
    with pytest.raises(UserError, match="holds shards; repogen convert"):
        open_folder(shards)
