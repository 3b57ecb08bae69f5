"""Sets named on the command line, and mixes of them."""

import json

import pytest

from repogen import UserError
from repogen.datasets.sets import check_unique_names, parse_set, read_set


def test_words_come_apart(coco):
    images = coco.parent / "2017"
    words = parse_set(f"x={coco}:{images}:3:x0.5")
    assert (words.name, words.annotations, words.images) == ("x", coco, images)
    assert (words.cap, words.weight) == (3, 0.5)


def test_a_folder_may_be_called_like_a_number(coco, monkeypatch):
    monkeypatch.chdir(coco.parent)
    words = parse_set("x=a.json:2017")
    assert (str(words.images), words.cap) == ("2017", None)
    assert parse_set("x=a.json:2017:7").cap == 7


@pytest.mark.parametrize(
    ("end", "words"), [(":0", "takes nobody"), (":x0", "takes nobody"), (":a:b", "must read")]
)
def test_words_that_make_no_sense(coco, end, words):
    with pytest.raises(UserError, match=words):
        parse_set(f"x={coco}:{coco.parent / '2017'}{end}")


def test_a_cap_counts_those_who_are_labelled(coco):
    spec = f"x={coco}:{coco.parent / '2017'}"
    assert len(read_set(spec)) == 10
    assert read_set(f"{spec}:3").ids.tolist() == [1, 5, 9]
    assert read_set(f"{spec}:99").ids.tolist() == [1, 3, 5, 7, 9]


def test_nobody_labelled_is_an_error(coco):
    data = json.loads(coco.read_text())
    for annotation in data["annotations"]:
        annotation["keypoints"] = [0] * 51
    coco.write_text(json.dumps(data))
    spec = f"x={coco}:{coco.parent / '2017'}"
    with pytest.raises(UserError, match="10 persons and no labelled joint"):
        read_set(spec)


def test_sets_of_one_name_cannot_be_told_apart():
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
    ],
)
def test_sets_that_are_not_on_the_disk(text, shards, live, cap, weight):
    words = parse_set(text)
    assert (words.shards, words.live and str(words.live)) == (shards, live)
    assert (words.cap, words.weight, words.annotations) == (cap, weight, None)
    says = f"repogen convert {shards} FOLDER" if shards else "made while training"
    with pytest.raises(UserError, match=says):
        read_set(text)
