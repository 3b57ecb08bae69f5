"""The persons of an epoch, from COCO files, shards and live images."""

import json

import numpy as np
import pytest

from repogen import GenerateConfig, UserError, generate
from repogen.coco.augmentation import Augmentation
from repogen.datasets.convert import convert
from repogen.generation.worker import sample_maker
from repogen.poses.sampler import Component, Sampler, sampler_to_toml
from repogen.training.mix import DataMix, read_data_mix
from repogen.training.sources import sample_crop

SHARP = Augmentation(degrade=False)


@pytest.fixture(scope="module")
def plain(body, tmp_path_factory):
    """22 images of one or two people."""
    config = GenerateConfig(
        images=22, image_size=96, backgrounds="builtin", workers=1, seed=5, wardrobe="painted",
        people=(1, 2), spread=0.8,
    )  # fmt: skip
    return generate(tmp_path_factory.mktemp("coco") / "data", config)


@pytest.fixture(scope="module")
def shards(plain, tmp_path_factory):
    return convert(str(plain), tmp_path_factory.mktemp("shards") / "data", 4)


def test_a_set_without_labelled_persons_is_an_error(coco):
    spec = f"x={coco}:{coco.parent / '2017'}"
    assert [len(read_data_mix((s,)).sources[0]) for s in (spec, f"{spec}:3")] == [5, 3]
    data = json.loads(coco.read_text())
    for annotation in data["annotations"]:
        annotation["keypoints"] = [0] * 51
    coco.write_text(json.dumps(data))
    with pytest.raises(UserError, match="leaves nobody"):
        read_data_mix((spec,))


@pytest.mark.parametrize("weight", [0.4, 1.0, 2.6])
def test_an_epoch_holds_each_person_as_often_as_the_weight_says(coco, weight):
    people = read_data_mix((f"x={coco}:{coco.parent / '2017'}",)).sources[0]
    mix = DataMix((people, people), (1.0, weight))
    rows = mix.epoch(np.random.default_rng(0))
    assert len(rows) == len(mix) == 5 + round(5 * weight)
    first, second = (np.bincount(rows[rows[:, 0] == k, 1], minlength=5) for k in (0, 1))
    assert first.tolist() == [1] * 5
    assert second.max() - second.min() <= 1
    other = mix.epoch(np.random.default_rng(1))
    assert not np.array_equal(rows, other)


@pytest.mark.parametrize("weight", [0.3, 1.0, 2.5])
def test_an_epoch_of_shards_holds_each_person_as_often_as_the_weight_says(shards, weight):
    mix = read_data_mix((f"x={shards}:x{weight}",))
    people = len(mix.sources[0])
    rows = mix.epoch(np.random.default_rng(0))[:, 1]
    assert len(rows) == len(mix) == round(people * weight)
    often = np.bincount(rows, minlength=people)
    assert often.max() - often.min() <= 1


def test_few_shards_are_open_at_a_time(shards, monkeypatch):
    monkeypatch.setattr("repogen.training.sources._SHUFFLED_SHARDS", 2)
    source = read_data_mix((f"x={shards}",)).sources[0]
    ends = np.cumsum([shard.persons for shard in source.manifest.shards])
    order = source.order(np.random.default_rng(3), len(source))
    assert not np.array_equal(np.sort(order), order)
    which = np.searchsorted(ends, order, side="right")
    last = {shard: i for i, shard in enumerate(which)}
    for i in range(len(which)):
        assert len({s for s in which[: i + 1] if last[s] >= i}) <= 2


def test_shards_give_the_same_crops_as_the_folder_they_were_made_from(plain, shards):
    listed, sharded = (read_data_mix((f"x={path}",)).sources[0] for path in (plain, shards))
    numbers = listed.people.ids - 1  # of all persons, trainable or not
    assert 0 < len(listed) <= len(sharded)
    for i, number in enumerate(numbers):
        found, wanted = (
            sample_crop(source, np.random.default_rng(i), 0, int(person), Augmentation())
            for source, person in ((sharded, number), (listed, i))
        )
        assert np.array_equal(found.crop, wanted.crop)
        assert np.array_equal(found.joints, wanted.joints)


def test_a_cap_takes_the_first_persons_of_the_shards(shards):
    source = read_data_mix((f"x={shards}:5",)).sources[0]
    assert sorted(source.order(np.random.default_rng(0), 5)) == [0, 1, 2, 3, 4]


@pytest.fixture
def options(tmp_path):
    path = tmp_path / "live.toml"
    path.write_text(
        'seed = 5\n[camera]\nimage-size = 96\n[environment]\nbackgrounds = "builtin"\n'
        '[people]\nwardrobe = "painted"\npeople = [1, 2]\nspread = 0.8\n'
    )
    return path


def test_live_images_are_the_images_that_generate_makes(plain, options, body):
    live = read_data_mix((f"x=live:{options}:7",)).sources[0]
    listed = read_data_mix((f"x={plain}",)).sources[0]
    for person in range(7):
        of_image = np.flatnonzero(listed.people.image == person)
        found = sample_crop(live, np.random.default_rng(person), 0, person, SHARP)
        rng = np.random.default_rng(person)
        chosen = of_image[int(rng.integers(len(of_image)))]
        wanted = sample_crop(listed, rng, 0, int(chosen), SHARP)
        assert np.array_equal(found.crop, wanted.crop)
        assert np.array_equal(found.joints, wanted.joints)


def test_no_live_image_occurs_twice(options, body):
    live = read_data_mix((f"x=live:{options}:4",)).sources[0]
    crops = [
        sample_crop(live, np.random.default_rng(0), epoch, int(person), SHARP).crop
        for epoch in range(3)
        for person in live.order(np.random.default_rng(0), 4)
    ]
    assert len({crop.tobytes() for crop in crops}) == 12


def test_options_of_live_images_are_checked(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("[camera]\nimage_size = 3\n")
    with pytest.raises(UserError, match="image-size 3"):
        read_data_mix((f"x=live:{path}",))
    with pytest.raises(UserError, match=r"missing\.toml"):
        read_data_mix((f"x=live:{tmp_path / 'missing.toml'}",))
    path.write_text('[environment]\nbackgrounds = "nowhere/at/all"\n')
    with pytest.raises(UserError, match="no such folder"):
        read_data_mix((f"x=live:{path}",))


def test_live_images_are_drawn_from_a_sampler_after_the_options_or_alone(options, tmp_path):
    file = tmp_path / "sampler.toml"
    one = Component(1.0, (0.0, 180.0, 0.0), 5.0, 90.0, 45.0, 10.0, 0.0, 8.0, {}, {})
    file.write_text(sampler_to_toml(Sampler(0.0, 60.0, (one,))))
    both, alone = read_data_mix((f"a=live:{options}:{file}:3", f"b=live:{file}")).sources
    assert (len(both), len(alone)) == (3, 1000)
    assert (both.config.camera.image_size, alone.config.camera.image_size) == (96, None)
    for source in (both, alone):
        assert source.config.pose.learnt.components == (one,)
    assert both.digests().keys() == {str(options), str(file)}
    assert alone.digests().keys() == {str(file)}
    with pytest.raises(UserError, match="the first is a sampler; put options before it"):
        read_data_mix((f"x=live:{file}:{options}",))
    with pytest.raises(UserError, match=r"sampler .*nowhere\.toml"):
        read_data_mix((f"x=live:{options}:nowhere.toml",))


def test_each_live_set_keeps_its_own_maker(body):
    one, other = (GenerateConfig(seed=seed) for seed in (1, 2))
    first = sample_maker(one)
    assert sample_maker(other) is not first
    assert sample_maker(one) is first
