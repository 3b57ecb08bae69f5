"""Synthetic people in rare poses and from rare camera views, with exact COCO-keypoint labels.

Everything public is here; the command line has one verb for each function that makes files.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

from repogen.limits import MAX_PIXELS

# OpenCV reads it when it is loaded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))

if TYPE_CHECKING:
    from repogen.bodies import load_body
    from repogen.datasets.rerender import rerender
    from repogen.datasets.validate.dataset import validate
    from repogen.errors import UserError
    from repogen.evaluation.config import EvaluateConfig
    from repogen.evaluation.report import evaluate
    from repogen.generation.config import PRESETS, GenerateConfig
    from repogen.generation.loop import generate
    from repogen.inference.network import load_estimator
    from repogen.inference.options import PredictConfig
    from repogen.inference.predict import predict
    from repogen.labels import label
    from repogen.rendering import render
    from repogen.scenes import Scene, SceneConfig, sample_scene, scene_from_json, scene_to_json
    from repogen.training.config import TrainConfig
    from repogen.training.loop import train
    from repogen.viewpoint_estimation.charting import chart_views
    from repogen.visualization import info, preview

_HOME = {
    "EvaluateConfig": "evaluation.config",
    "GenerateConfig": "generation.config",
    "PRESETS": "generation.config",
    "PredictConfig": "inference.options",
    "Scene": "scenes",
    "SceneConfig": "scenes",
    "TrainConfig": "training.config",
    "UserError": "errors",
    "chart_views": "viewpoint_estimation.charting",
    "evaluate": "evaluation.report",
    "generate": "generation.loop",
    "info": "visualization",
    "label": "labels",
    "load_body": "bodies",
    "load_estimator": "inference.network",
    "predict": "inference.predict",
    "preview": "visualization",
    "render": "rendering",
    "rerender": "datasets.rerender",
    "sample_scene": "scenes",
    "scene_from_json": "scenes",
    "scene_to_json": "scenes",
    "train": "training.loop",
    "validate": "datasets.validate.dataset",
}

__all__ = [
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


def __getattr__(name: str) -> object:
    # Imported when asked for: `repogen --help` need not wait for the renderer.
    if name not in _HOME:
        raise AttributeError(f"module 'repogen' has no attribute {name!r}")
    return getattr(import_module(f"repogen.{_HOME[name]}"), name)
