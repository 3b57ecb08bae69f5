"""Sets as options of the command line name them."""

import json
from pathlib import Path

import pytest

from repogen import UserError
from repogen.datasets.sets import check_unique_names, parse_set, read_set


def test_a_set_is_parsed_into_its_parts(coco):
    images = coco.parent / "2017"
    parsed = parse_set(f"x={coco}:{images}:3:x0.5")
    assert (parsed.name, parsed.annotations, parsed.images) == ("x", coco, images)
    assert (parsed.cap, parsed.weight) == (3, 0.5)


def test_an_image_folder_may_have_a_number_as_its_name(coco, monkeypatch):
    monkeypatch.chdir(coco.parent)
    parsed = parse_set("x=a.json:2017")
    assert (str(parsed.images), parsed.cap) == ("2017", None)
    assert parse_set("x=a.json:2017:7").cap == 7


@pytest.mark.parametrize(
    ("end", "says"),
    [(":0", "takes no persons"), (":x0", "takes no persons"), (":a:b", "must be NAME=")],
)
def test_invalid_sets_are_refused(coco, end, says):
    with pytest.raises(UserError, match=says):
        parse_set(f"x={coco}:{coco.parent / '2017'}{end}")


def test_a_cap_counts_labelled_persons(coco):
    spec = f"x={coco}:{coco.parent / '2017'}"
    assert len(read_set(spec)) == 10
    assert read_set(f"{spec}:3").ids.tolist() == [1, 5, 9]
    assert read_set(f"{spec}:99").ids.tolist() == [1, 3, 5, 7, 9]


def test_a_set_without_a_labelled_person_is_refused(coco):
    data = json.loads(coco.read_text())
    for annotation in data["annotations"]:
        annotation["keypoints"] = [0] * 51
    coco.write_text(json.dumps(data))
    spec = f"x={coco}:{coco.parent / '2017'}"
    with pytest.raises(UserError, match="10 persons, none with a labelled joint"):
        read_set(spec)


def test_two_sets_of_the_same_name_are_refused():
    with pytest.raises(UserError, match="two sets are called 'a'"):
        check_unique_names(("a=x", "b=y", "a=z"))


@pytest.mark.parametrize(
    ("text", "shards", "live", "cap", "weight"),
    [
        ("x=s3://bucket/set", "s3://bucket/set", None, None, 1.0),
        ("x=memory://set:300:x2.5", "memory://set", None, 300, 2.5),
        ("x=http://host:80/set:9", "http://host:80/set", None, 9, 1.0),
        ("x=live:a/options.toml", None, "a/options.toml", None, 1.0),
        ("x=live:options.toml:500:x0.5", None, "options.toml", 500, 0.5),
        ("x=live:options.toml:s.toml:500:x0.5", None, "options.toml", 500, 0.5),
    ],
)
def test_urls_and_live_sets_are_parsed_but_not_read(text, shards, live, cap, weight, monkeypatch):
    monkeypatch.setattr("repogen.datasets.sets.unpack_foreign_shards", lambda _url: None)
    parsed = parse_set(text)
    assert (parsed.shards, parsed.live and str(parsed.live)) == (shards, live)
    assert (parsed.cap, parsed.weight, parsed.annotations) == (cap, weight, None)
    assert parsed.sampler == (Path("s.toml") if ":s.toml" in text else None)
    says = f"repogen convert {shards} FOLDER" if shards else "generated while training"
    with pytest.raises(UserError, match=says):
        read_set(text)
