"""Presets of `repogen generate`."""

import pytest

from repogen import PRESETS, GenerateConfig, UserError


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_builds_a_config(options_of, name):
    config = options_of("generate", "out", "--preset", name)
    assert isinstance(config, GenerateConfig)
    assert config != GenerateConfig()
    assert options_of("generate", "out", "--preset", name) == config


def test_options_win_over_a_preset(options_of):
    words = ("generate", "out", "--preset", "paper-no-texture")
    assert options_of(*words, "--images", "7") != options_of(*words)
    assert options_of(*words, "--images", "1000") == options_of(*words)
    with pytest.raises(UserError, match="unknown preset 'paper-tob'"):
        options_of("generate", "out", "--preset", "paper-tob")


@pytest.mark.parametrize("value", ["true", "false"])
def test_a_toml_file_may_hold_booleans(options_of, tmp_path, value):
    path = tmp_path / "options.toml"
    path.write_text(f"[people]\npatterns = {value}\n")
    flag = "--patterns" if value == "true" else "--no-patterns"
    assert options_of("generate", "out", "--config", path) == options_of("generate", "out", flag)


@pytest.mark.parametrize("line", ["[people]\npatterns = 1", "images = true"])
def test_a_toml_file_may_not_mix_booleans_and_numbers(options_of, tmp_path, line):
    path = tmp_path / "options.toml"
    path.write_text(line + "\n")
    with pytest.raises(UserError, match=r"options\.toml: "):
        options_of("generate", "out", "--config", path)
