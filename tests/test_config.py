"""Configs are made of keywords, groups or tables; a wrong one is one line that names the option."""

import pickle
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest

from repogen import (
    EvaluateConfig,
    GenerateConfig,
    MineConfig,
    PredictConfig,
    ProbeConfig,
    SceneConfig,
    TrainConfig,
)
from repogen.bodies.shapes import AGES, GENDERS
from repogen.bodies.smpl_files import FAMILIES
from repogen.bodies.wholebody import KEYPOINT_SETS
from repogen.cameras.config import CameraConfig
from repogen.cameras.lens import MODELS as LENSES
from repogen.config import Config, config_from_keywords, config_from_table, groups_of, merged
from repogen.datasets.config import OutputConfig
from repogen.environment.config import EnvironmentConfig
from repogen.environment.lights import LIGHT_MODELS
from repogen.errors import UserError
from repogen.generation.config import PRESETS
from repogen.mining.config import JudgingConfig
from repogen.mining.difficulty import WEIGHTS
from repogen.models import MODELS
from repogen.people.config import PeopleConfig
from repogen.poses.acrobatic import ACROBATIC
from repogen.poses.config import PoseConfig
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.sampling import NAMED_POSES
from repogen.training.config import NetworkConfig

CONFIGS = (
    GenerateConfig, SceneConfig, MineConfig, ProbeConfig, TrainConfig, EvaluateConfig,
    PredictConfig,
)  # fmt: skip


def choices(kind, name):
    """The names of an option's Literal, wherever in its type it is."""

    def of(hint):
        parts = get_args(hint)
        if parts and all(isinstance(part, str) for part in parts):
            return set(parts)
        return set().union(*map(of, parts))

    return of(get_type_hints(kind)[name])


@pytest.mark.parametrize(
    ("kind", "name", "catalogue"),
    [
        (CameraConfig, "lens", LENSES),
        (PoseConfig, "pose_distribution", {*DISTRIBUTIONS, ACROBATIC}),
        (PoseConfig, "pose", NAMED_POSES),
        (PeopleConfig, "body", {"anny", *FAMILIES}),
        (PeopleConfig, "ages", AGES),
        (PeopleConfig, "gender", GENDERS),
        (EnvironmentConfig, "light_model", LIGHT_MODELS),
        (OutputConfig, "keypoints", KEYPOINT_SETS),
        (JudgingConfig, "difficulty", WEIGHTS),
        (NetworkConfig, "model", {*MODELS, "movenet-lightning", "movenet-thunder"}),
    ],
)
def test_the_choices_of_an_option_are_those_of_its_catalogue(kind, name, catalogue):
    assert choices(kind, name) == set(catalogue)


def test_keywords_groups_and_tables_make_the_same_config():
    flat = GenerateConfig(images=3, views="top", people=[2, 3], bounds=None, write="depth")
    grouped = GenerateConfig(
        images=3,
        camera=CameraConfig(views=("top",)),
        people=PeopleConfig(people=(2, 3)),
        output=OutputConfig(write=("depth",)),
    )
    table = {"images": 3, "camera": {"views": ["top"]}, "people": {"people": [2, 3]}}
    tables = config_from_table(GenerateConfig, table | {"output": {"write": ["depth"]}}, "a.toml")
    assert flat == grouped == tables == GenerateConfig(**table, write="depth")
    assert flat.camera.views == ("top",)
    assert hash(flat) == hash(grouped)


def test_values_become_the_types_that_the_options_have():
    config = GenerateConfig(
        images=np.int64(3), fov=[40, np.float32(50)], backgrounds=Path("plain"), cutouts=None
    )
    assert (config.images, config.camera.fov) == (3, (40.0, 50.0))
    assert [type(v) for v in (config.images, *config.camera.fov)] == [int, float, float]
    assert config.environment.backgrounds == "plain"
    assert PredictConfig(boxes="a.json").boxes == Path("a.json")
    assert EvaluateConfig(weights=Path("run"), data="a=b", blend=0.5, init="w").blend == (0.5,)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"imges": 3}, "GenerateConfig has no option 'imges'; did you mean images?"),
        ({"camera": {"vews": "top"}}, "CameraConfig has no option 'vews'; did you mean views?"),
        ({"images": "3"}, "images = '3' should be a whole number"),
        ({"images": 10**400}, "should be a whole number"),
        ({"self": 3}, "GenerateConfig has no option 'self'"),
        ({"images": True}, "images = True should be a whole number"),
        ({"images": 1.5}, "images = 1.5 should be a whole number"),
        ({"truncate": "no"}, "truncate = 'no' should be a number"),
        ({"truncate": 10**400}, "should be a number"),
        ({"patterns": 1}, "patterns = 1 should be true or false"),
        ({"views": 3}, "views = 3 should be text, or several"),
        ({"views": ["top", 3]}, "views = ['top', 3] should be text, or several"),
        ({"fov": 90}, "fov = 90 should be 2 values, each a number"),
        ({"fov": (1, 2, 3)}, "fov = (1, 2, 3) should be 2 values, each a number"),
        ({"cutouts": 3}, "cutouts = 3 should be a path or None"),
        ({"backgrounds": None}, "backgrounds = None should be text"),
        ({"lens": "fisheye"}, "unknown lens 'fisheye'; choose from pinhole, opencv"),
        ({"lens": 3}, "lens = 3 should be one of pinhole, opencv"),
        ({"effects": "moise"}, "unknown effects 'moise'; choose from exposure"),
        ({"effects": ["noise", "moton"]}, "unknown effects 'moton'; choose from exposure"),
        ({"sensor": "top"}, "sensor = 'top' should be a SensorConfig or a table of its options"),
        ({"camera": PoseConfig()}, "should be a CameraConfig"),
    ],
)
def test_a_wrong_keyword_is_one_line_that_names_it(keywords, says):
    with pytest.raises(UserError) as caught:
        GenerateConfig(**keywords)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_has_no_default_must_be_given():
    with pytest.raises(UserError, match="EvaluateConfig needs weights: text, or several"):
        EvaluateConfig(bootstrap_samples=3)


def test_a_copy_with_other_options_keeps_the_rest_of_their_groups():
    config = GenerateConfig(views="front", roll=(0, 0), pose_variance=0.5)
    other = replace(config, views="top", images=3)
    assert (other.camera.views, other.camera.roll, other.images) == (("top",), (0, 0), 3)
    with pytest.raises(UserError, match=r"give pose=replace\(config\.pose, pose='sit'\)"):
        replace(config, pose="sit")
    sitting = replace(config, pose=replace(config.pose, pose="sit"))
    assert (sitting.pose.pose, sitting.pose.pose_variance) == ("sit", 0.5)


def test_the_error_of_an_option_outside_of_its_table_names_the_table():
    with pytest.raises(UserError, match=r"^a\.toml: views belongs in the table \[camera\]$"):
        config_from_table(GenerateConfig, {"views": ["top"]}, "a.toml")
    with pytest.raises(UserError, match=r"^a\.toml: --images 0 must lie"):
        config_from_table(GenerateConfig, {"images": 0}, "a.toml")


def test_a_verb_takes_a_config_or_keywords():
    config = GenerateConfig(images=3)
    assert config_from_keywords(GenerateConfig, config, {}) is config
    assert config_from_keywords(GenerateConfig, None, {"images": 3}) == config
    with pytest.raises(UserError, match="not both"):
        config_from_keywords(GenerateConfig, config, {"images": 4})
    with pytest.raises(UserError, match=r"config = \{'images': 3\} should be a GenerateConfig"):
        config_from_keywords(GenerateConfig, {"images": 3}, {})


def test_files_are_read_once_for_each_config_and_again_by_its_copies(tmp_path):
    path = tmp_path / "bounds.toml"
    path.write_text("[left_knee]\nx = [0, 10]\n")
    config = SceneConfig(bounds=path)
    path.write_text("[left_knee]\nx = [0, 20]\n")
    assert config.pose.joint_bounds["left_knee"][0, 1] == 10
    for copied in (deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert copied == config
        assert copied.pose.joint_bounds["left_knee"][0, 1] == 20


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_tables_of_options_that_others_may_change(name):
    config = GenerateConfig(**PRESETS[name], seed=5)
    assert config.seed == 5
    changed = GenerateConfig(**merged(PRESETS[name], {"environment": {"lights": 2}}))
    assert changed.environment.lights == 2
    assert changed.environment.occluders == config.environment.occluders


def every_config():
    """All kinds of configs, groups included."""
    for kind in CONFIGS:
        yield kind
        yield from groups_of(kind).values()


@pytest.mark.parametrize("kind", sorted({*every_config()}, key=str), ids=lambda kind: kind.__name__)
def test_help_describes_every_option(kind):
    for field in fields(kind):
        assert f"    {field.name} (" in kind.__doc__
    assert kind.__init__ is Config.__init__, "declare it with init=False"


def test_no_option_is_in_two_groups():
    for kind in CONFIGS:
        names = [field.name for field in fields(kind) if field.name not in groups_of(kind)]
        names += [field.name for group in groups_of(kind).values() for field in fields(group)]
        assert len(set(names)) == len(names)


def test_a_config_without_source_has_no_docs_of_fields():
    source = (
        "@dataclass(frozen=True, init=False)\nclass Small(Config):\n"
        '    """Small."""\n    size: int = 3\n    """Pixels."""\n'
    )
    names = {"dataclass": dataclass, "Config": Config, "__name__": "nowhere"}
    exec(source, names)
    assert names["Small"](size=4).size == 4


def test_the_environment_is_read_only_when_it_is_asked_for(tmp_path):
    config = SceneConfig(backgrounds=str(tmp_path / "no"))
    with pytest.raises(UserError, match="no such folder"):
        _ = config.backdrop
