"""The public names, and that the rest of the world needs no more."""

import repogen

PUBLIC = [
    "PRESETS",
    "EvaluateConfig",
    "GenerateConfig",
    "PredictConfig",
    "Scene",
    "SceneConfig",
    "TrainConfig",
    "UserError",
    "chart_views",
    "evaluate",
    "generate",
    "info",
    "label",
    "load_body",
    "load_estimator",
    "predict",
    "preview",
    "render",
    "rerender",
    "sample_scene",
    "scene_from_json",
    "scene_to_json",
    "train",
    "validate",
]


def test_the_public_names_are_these():
    assert sorted(repogen.__all__) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(repogen, name).__doc__ or name == "PRESETS"
