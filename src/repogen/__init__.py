"""Synthetic people in rare poses and from rare camera views, with exact COCO-keypoint labels.

Everything public is here; the command line has one verb for each function that makes files.
"""

import os
from typing import TYPE_CHECKING

from repogen.lazy import lazy_exports
from repogen.limits import MAX_PIXELS

# OpenCV reads it when it is loaded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))

if TYPE_CHECKING:  # the same names for type checkers and editors; a test compares the two
    from repogen._version import __version__ as __version__
    from repogen.bodies import load_body as load_body
    from repogen.cameras import Camera as Camera
    from repogen.cameras import View as View
    from repogen.cameras import look_at as look_at
    from repogen.datasets.convert import convert as convert
    from repogen.datasets.rerender import rerender as rerender
    from repogen.datasets.validate.dataset import validate as validate
    from repogen.errors import UserError as UserError
    from repogen.evaluation.config import EvaluateConfig as EvaluateConfig
    from repogen.evaluation.report import evaluate as evaluate
    from repogen.generation.config import PRESETS as PRESETS
    from repogen.generation.config import GenerateConfig as GenerateConfig
    from repogen.generation.loop import generate as generate
    from repogen.inference.network import load_estimator as load_estimator
    from repogen.inference.options import PredictConfig as PredictConfig
    from repogen.inference.predict import predict as predict
    from repogen.labels import Rendering as Rendering
    from repogen.labels import label as label
    from repogen.labels import render as render
    from repogen.models.onnx import export as export
    from repogen.people.person import Person as Person
    from repogen.scenes import Scene as Scene
    from repogen.scenes import SceneConfig as SceneConfig
    from repogen.scenes import sample_scene as sample_scene
    from repogen.training.config import TrainConfig as TrainConfig
    from repogen.training.loop import train as train
    from repogen.training.recipes import recipe as recipe
    from repogen.viewpoint_estimation.charting import chart_views as chart_views
    from repogen.visualization import info as info
    from repogen.visualization import preview as preview
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "_version": "__version__",
            "bodies": "load_body",
            "cameras": "Camera View look_at",
            "datasets.convert": "convert",
            "datasets.rerender": "rerender",
            "datasets.validate.dataset": "validate",
            "errors": "UserError",
            "evaluation.config": "EvaluateConfig",
            "evaluation.report": "evaluate",
            "generation.config": "PRESETS GenerateConfig",
            "generation.loop": "generate",
            "inference.network": "load_estimator",
            "inference.options": "PredictConfig",
            "inference.predict": "predict",
            "labels": "Rendering label render",
            "models.onnx": "export",
            "people.person": "Person",
            "scenes": "Scene SceneConfig sample_scene",
            "training.config": "TrainConfig",
            "training.loop": "train",
            "training.recipes": "recipe",
            "viewpoint_estimation.charting": "chart_views",
            "visualization": "info preview",
        },
    )
