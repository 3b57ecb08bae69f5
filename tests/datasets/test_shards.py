"""Shards: they hold the same data as a folder, and damaged ones are refused."""

import hashlib
import io
import json
import re
import resource
import shutil
import tarfile
from dataclasses import replace

import fsspec
import pytest
from shard_edits import forge

from helpers import contents
from repogen import GenerateConfig, generate, info, preview, validate
from repogen.cli import main
from repogen.config import merged
from repogen.datasets.convert import convert
from repogen.datasets.reading import (
    open_coco_folder,
    open_dataset,
    read_entries,
    read_files,
    read_scenes,
)
from repogen.datasets.rerender import rerender
from repogen.datasets.shards import pack_shard, read_manifest, read_shard, unpack_shard
from repogen.errors import UserError

IMAGES, IN_ONE = 11, 4
OPTIONS = {
    "images": IMAGES, "image_size": 64, "backgrounds": "plain", "workers": 1, "seed": 5,
    "write": ("depth", "stick"), "wardrobe": "painted", "people": (1, 2),
}  # fmt: skip


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
        "checksums.sha256", "run.json", "shard-000000.tar", "shard-000001.tar",
        "shard-000002.tar", "shards.json",
    ]  # fmt: skip
    for shard in manifest.shards:
        data = (shards / shard.name).read_bytes()
        assert (shard.bytes, shard.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert shard.persons == sum(len(r.annotations) for r in unpack_shard(data, "it"))


def test_shard_members_have_webdataset_names(shards):
    with tarfile.open(shards / "shard-000001.tar") as tar:
        names = tar.getnames()
    endings = ["json", "jpg", "depth.png", "stick.all.png", "stick.visible.png"]
    assert names == [f"{n:08d}.{e}" for n in range(5, 9) for e in endings]


def test_conversion_to_shards_and_back_gives_the_same_bytes(plain, shards, tmp_path):
    there = convert(str(plain), tmp_path / "there", IN_ONE)
    assert contents(there) == contents(shards)
    assert contents(convert(str(there), tmp_path / "back")) == contents(plain)


def test_two_workers_write_the_same_shards(shards, tmp_path):
    config = GenerateConfig(**(OPTIONS | {"workers": 2}), format="webdataset", shard_images=IN_ONE)
    assert contents(generate(tmp_path / "data", config)) == contents(shards)


def test_shards_at_a_url_are_converted(plain, shards, tmp_path):
    store = fsspec.filesystem("memory")
    for name, data in contents(shards).items():
        store.pipe(f"/bucket/{name}", data)
    assert contents(convert("memory://bucket", tmp_path / "back")) == contents(plain)


def test_a_cached_shard_is_fetched_once(shards, tmp_path):
    store = fsspec.filesystem("memory")
    for name, data in contents(shards).items():
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


def test_a_finished_conversion_given_again_says_so(plain, shards, tmp_path, capsys):
    for source, out in ((plain, "shards"), (shards, "folder")):
        words = ["convert", str(source), str(tmp_path / out), "--shard-images", "2"]
        assert main(words) == 0
        before = contents(tmp_path / out)
        capsys.readouterr()
        assert main(words) == 0
        said = capsys.readouterr()
        assert f"{tmp_path / out} is already finished: " in said.err
        assert said.out == f"{tmp_path / out}\n"
        assert contents(tmp_path / out) == before


def test_a_stopped_conversion_resumes(plain, shards, tmp_path, monkeypatch):
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
    assert contents(convert(str(shards), tmp_path / "back")) == contents(plain)
    assert seen.count("shard-000000.tar") == 1


@pytest.mark.parametrize("damage", ["short", "changed", "missing"])
def test_a_damaged_shard_is_refused(shards, tmp_path, damage):
    for name, data in contents(shards).items():
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


def sample_tar(**changes):
    """A tar file of one sample."""
    facts = {"image": {"id": 1}, "annotations": [{"iscrowd": 0}], "scene": {}} | changes
    return tar_of(("00000001.json", json.dumps(facts).encode()))


def test_the_unchanged_sample_of_these_tests_is_valid():
    assert len(list(unpack_shard(sample_tar(), "it"))) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (sparse(), "unexpected member"),
        (sample_tar(annotations=[{}]), "not a list of records without ids"),
        (sample_tar(annotations=[{"id": 3, "iscrowd": 0}]), "not a list of records without ids"),
        (sample_tar(annotations=[{"image_id": 3}]), "not a list of records without ids"),
        (tar_of(("../00000001.json", b"{}")), "unexpected member"),
        (tar_of(("/00000001.json", b"{}")), "unexpected member"),
        (tar_of((link(), b"")), "unexpected member"),
        (tar_of(("00000001.jpg", b"x")), "missing or not a repogen sample"),
        (tar_of(("00000001.json", b"[1]")), "not a repogen sample"),
        (
            tar_of(("00000001.json", b'{"image":{},"annotations":[],"scene":{}}')),
            "not a repogen sample",
        ),
        (tar_of(("00000001.json", b"[" * 100_000)), "not a repogen sample"),
        (b"no tar file at all" * 100, "not a complete tar file"),
    ],
)
def test_tar_files_that_are_not_our_shards_are_refused(data, says):
    with pytest.raises(UserError, match=says):
        list(unpack_shard(data, "it"))


def test_packing_inverts_unpacking(shards):
    samples = list(unpack_shard((shards / "shard-000000.tar").read_bytes(), "it"))
    data, shard = pack_shard("shard-000000.tar", samples)
    assert data == (shards / "shard-000000.tar").read_bytes()
    assert shard == read_manifest(str(shards)).shards[0]


def manifest_of(**changed):
    shard = {"name": "shard-000000.tar", "images": 1, "persons": 1, "bytes": 1, "sha256": "0" * 64}
    return json.dumps({"format": 1, "header": {}, "shards": [shard | changed]})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "not a manifest"),
        ("[]", "not a manifest"),
        ("{", "shards.json: is not JSON"),
        ('{"format": 9, "header": {}, "shards": []}', "not a manifest"),
        (manifest_of(name="../a.tar"), r"shards\[0\].name: '../a.tar' should be shard-000000.tar"),
        (manifest_of(sha256="../../etc/passwd"), "should be a SHA-256"),
        (manifest_of(images=0), r"images: 0 should be a whole number between 1 and 10,?000"),
        (manifest_of(images=10**15), "images: 1000000000000000 should be"),
        (manifest_of(persons=-1), "persons: -1 should be"),
        (manifest_of(persons=10**15), "persons do not fit in 1 bytes"),
        (manifest_of(bytes=-1), "bytes: -1 should be"),
    ],
)  # fmt: skip
def test_invalid_manifests_are_refused(tmp_path, text, says):
    (tmp_path / "shards.json").write_text(text)
    with pytest.raises(UserError, match=says):
        read_manifest(str(tmp_path))


def test_folders_with_other_content_are_not_written_to(plain, shards, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="holds other files"):
        convert(str(shards), tmp_path)
    with pytest.raises(UserError, match="holds another dataset"):
        convert(str(plain), shards, shard_images=5)
    with pytest.raises(UserError, match="cannot read"):
        convert(str(tmp_path), tmp_path / "new")


def test_converting_into_a_file_is_refused(shards, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        convert(str(shards), tmp_path / "file")


def rewritten(change):
    """Changes the COCO file and rewrites it, as another program would."""

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
        (
            lambda root: (root / "scenes.jsonl").write_bytes(b"\xff" * 99),
            "is not UTF-8",
        ),
        (scenes(lambda lines: lines[:-1]), "scenes.jsonl has too few lines"),
        (scenes(lambda lines: [*lines, lines[0]]), "more than the 11 images"),
        (scenes(lambda lines: [lines[0][:50] + "\n", *lines[1:]]), "scenes.jsonl:1: is not JSON"),
        (rewritten(lambda coco: coco["images"].pop()), "annotation 1[0-9] belongs to no image"),
        (rewritten(lambda coco: coco["images"].append({"id": 12})), "more than the 11 images"),
        (rewritten(lambda coco: coco["images"].reverse()), "the ids of its images are not 1 to 4"),
        (rewritten(lambda coco: coco.pop("categories")), "'categories' is not a list"),
        (rewritten(lambda coco: coco["images"].insert(0, 7)), "'images' is not a list of records"),
    ],
)
def test_damaged_folders_are_not_converted(plain, tmp_path, damage, says):
    source = shutil.copytree(plain, tmp_path / "source")
    damage(source)
    with pytest.raises(UserError, match=says):
        convert(str(source), tmp_path / "out", IN_ONE)
    assert not (tmp_path / "out" / "shards.json").exists()


def test_a_folder_whose_coco_file_was_rewritten_is_converted_without_checksums(
    plain, shards, tmp_path, capsys
):
    source = shutil.copytree(plain, tmp_path / "source")
    rewritten(lambda coco: None)(source)
    says = r"damaged: annotations/person_keypoints.json has another SHA-256 than checksums.sha256"
    with pytest.raises(UserError, match=says):
        convert(str(source), tmp_path / "refused", IN_ONE)
    (source / "checksums.sha256").unlink()
    assert contents(convert(str(source), tmp_path / "out", IN_ONE)) == contents(shards)
    assert "has no checksums.sha256: its files are taken as they are" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["images/00000009.jpg", "depth/00000002.png", "run.json"])
def test_a_folder_that_differs_from_its_checksums_is_not_converted(plain, tmp_path, name):
    source = shutil.copytree(plain, tmp_path / "source")
    (source / name).write_bytes((source / name).read_bytes() + b"\n")
    with pytest.raises(UserError, match=f"is damaged: .*{name}"):
        convert(str(source), tmp_path / "out", IN_ONE)


def test_shards_of_another_run_are_not_converted(shards, tmp_path):
    source = shutil.copytree(shards, tmp_path / "source")
    text = (source / "run.json").read_text()
    (source / "run.json").write_text(text.replace('"seed": 5', '"seed": 6'))
    with pytest.raises(UserError, match=r"its run.json is not the one that its labels"):
        convert(str(source), tmp_path / "out")


def test_shards_with_wrong_image_ids_are_not_converted(shards, tmp_path):
    """Even if the manifest has their hashes."""
    source = shutil.copytree(shards, tmp_path / "source")
    name = "shard-000001.tar"
    samples = list(unpack_shard((source / name).read_bytes(), name))
    samples[0].image["id"] = 1
    data, shard = pack_shard(name, samples)
    (source / name).write_bytes(data)
    manifest = json.loads((source / "shards.json").read_text())
    manifest["shards"][1] = vars(shard)
    (source / "shards.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="the ids of its images are not 5 to 8"):
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
def test_run_json_with_invalid_options_is_refused(plain, tmp_path, wrong):
    source = shutil.copytree(plain, tmp_path / "source")
    run = json.loads((source / "run.json").read_text())
    run["config"] = merged(run["config"], wrong)
    (source / "run.json").write_text(json.dumps(run))
    with pytest.raises(UserError, match=r"run\.json: config"):
        convert(str(source), tmp_path / "out")
    with pytest.raises(UserError, match=r"run\.json: config"):
        validate(source)


def test_undamaged_shards_are_valid(shards):
    assert validate(shards) == []


@pytest.mark.parametrize(
    ("name", "edit", "says"),
    [
        ("shard-000001.tar", lambda d: d[:-512], "shard-000001.tar: .* bytes, its manifest says"),
        ("shard-000002.tar", lambda d: d[:900] + b"?" + d[901:], "has another SHA-256"),
        ("shard-000002.tar", lambda d: None, "cannot read"),
        ("shard-000009.tar", lambda d: b"", "shard-000009.tar: is no file of this dataset"),
        (
            "run.json",
            lambda d: d.replace(b'"images": 11', b'"images": 12'),
            "shards of 11 images",
        ),
        ("shards.json", lambda d: d.replace(b'"nose"', b'"snout"'), "the categories are not COCO"),
    ],
)
def test_validate_finds_damaged_shards(shards, tmp_path, name, edit, says):
    for own, data in contents(shards).items():
        (tmp_path / own).write_bytes(data)
    path = tmp_path / name
    data = edit(path.read_bytes() if path.exists() else b"")
    path.unlink(missing_ok=True)
    if data is not None:
        path.write_bytes(data)
    assert any(re.search(says, problem) for problem in validate(tmp_path)), validate(tmp_path)


def test_validate_finds_wrong_labels_in_a_shard(shards, tmp_path):
    """Even if the manifest was rewritten with the right hashes."""
    for own, data in contents(shards).items():
        (tmp_path / own).write_bytes(data)
    name = "shard-000001.tar"
    samples = list(unpack_shard((tmp_path / name).read_bytes(), name))
    samples[2].annotations[0]["bbox"][0] += 3
    data, shard = pack_shard(name, samples)
    (tmp_path / name).write_bytes(data)
    manifest = json.loads((tmp_path / "shards.json").read_text())
    manifest["shards"][1] = vars(shard)
    (tmp_path / "shards.json").write_text(json.dumps(manifest))
    forge(tmp_path, json.loads((shards / "run.json").read_text()))
    (problem,) = validate(tmp_path)
    assert "shard-000001.tar: annotation" in problem
    assert "bbox" in problem


def test_info_and_preview_agree_for_shards_and_folder(plain, shards, tmp_path):
    def info_lines(root):
        return [line for line in info(root).splitlines() if not line.startswith("dataset ")]

    assert info_lines(shards) == info_lines(plain)
    pages = [preview(root, tmp_path / root.parent.name, images=5) for root in (plain, shards)]
    ours, theirs = (contents(page.parent) for page in pages)
    for page in (ours, theirs):
        del page["index.html"], page[".repogen.jsonl"]  # they name the dataset's folder
        del page["browse.html"]  # it shows files of images/, or copies of those in shards
    assert ours == theirs


def test_rerender_agrees_for_shards_and_folder(plain, shards, tmp_path):
    ids = (11, 2, 4)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert len(rerender(plain, ids, ours)) == len(rerender(shards, ids, theirs)) == 3
    assert contents(ours) == contents(theirs)
    with pytest.raises(UserError, match="has no image 12"):
        rerender(shards, (12,), theirs)


def test_reading_one_image_reads_only_its_shard(shards, tmp_path):
    for own, data in contents(shards).items():
        if own not in ("shard-000000.tar", "shard-000002.tar"):
            (tmp_path / own).write_bytes(data)
    folder = open_dataset(tmp_path)
    assert [image["id"] for image, _ in read_entries(folder, (6, 8))] == [6, 8]
    assert [scene.index for scene in read_scenes(folder, (7,))] == [6]
    kinds = ("image", "depth", "stick/all", "stick/visible")
    with tarfile.open(shards / "shard-000001.tar") as tar:
        wanted = [tar.extractfile(n).read() for n in tar.getnames() if n.startswith("00000007.")]
    assert list(read_files(folder, 7, kinds).values()) == wanted[1:]
    with pytest.raises(UserError, match=r"cannot read .*shard-000000\.tar"):
        list(read_entries(folder))
    with pytest.raises(UserError, match="have no masks of image 7"):
        read_files(folder, 7, ("masks",))


def test_validate_renders_images_of_shards_again(shards, tmp_path):
    for own, data in contents(shards).items():
        (tmp_path / own).write_bytes(data)
    name = "shard-000000.tar"
    first, second, *others = unpack_shard((tmp_path / name).read_bytes(), name)
    files = first.files | {"image": second.files["image"]}
    data, shard = pack_shard(name, [replace(first, files=files), second, *others])
    (tmp_path / name).write_bytes(data)
    manifest = json.loads((tmp_path / "shards.json").read_text())
    manifest["shards"][0] = vars(shard)
    (tmp_path / "shards.json").write_text(json.dumps(manifest))
    forge(tmp_path, json.loads((shards / "run.json").read_text()))
    assert validate(tmp_path, rerender=0) == []
    (problem,) = validate(tmp_path)
    assert problem.startswith("image 1: its image differs when rendered again")


def test_shards_where_a_coco_file_is_needed_are_refused(shards):
    with pytest.raises(UserError, match="holds shards; repogen convert"):
        open_coco_folder(shards)


def test_converting_a_folder_that_is_not_there_is_one_plain_line(tmp_path):
    why = "is not a repogen dataset: cannot read .*run.json: No such file or directory$"
    with pytest.raises(UserError, match=why):
        convert(tmp_path / "none", tmp_path / "out")


def test_a_manifest_that_is_too_large_is_not_read(tmp_path):
    """A sparse file of a gigabyte; the fuzz of records found that two gigabytes were taken."""
    with (tmp_path / "shards.json").open("wb") as file:
        file.truncate(2**30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=r"it has more than 268,435,456 bytes"):
        read_manifest(str(tmp_path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB
