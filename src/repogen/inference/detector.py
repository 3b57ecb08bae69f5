"""Detectors of people: MoveNet multipose, an ONNX file, or one of transformers."""

from pathlib import Path

import cv2
import numpy as np

from repogen.coco.names import person_name
from repogen.errors import UserError
from repogen.inference.boxes import PersonDetector, ScoredBoxes
from repogen.inference.frames import Frame
from repogen.limits import ESTIMATE_SECONDS
from repogen.models.hub import hub_folder
from repogen.models.packaged import packaged

MIN_SCORE = 0.5
_MIN_SCORE_MULTIPOSE = 0.15


def load_detector(
    name: str,
    min_score: float | None = None,
    device: str | None = None,
    timeout: float = ESTIMATE_SECONDS,
) -> PersonDetector:
    """Load a detector of persons that score at least `min_score`, by default 0.5, and 0.15 of
    multipose.

    `name` is multipose, which comes with repogen, a folder of any object detection model of
    transformers, or its name on the Hugging Face hub (only safetensors are downloaded and read), or
    an ONNX file of a one-stage pose network. Raises `UserError` where it cannot be downloaded or
    read, and where none of its classes is named person.
    """
    if own := packaged(name):
        if own != "multipose":
            raise UserError(
                f"--detector {name} estimates the pose in a box and finds no people; give it as "
                "--weights"
            )
        from repogen.inference.multipose import multipose_detector
        from repogen.inference.onnx import multipose_network

        default = _MIN_SCORE_MULTIPOSE if min_score is None else min_score
        return multipose_detector(multipose_network(timeout), default)
    min_score = MIN_SCORE if min_score is None else min_score
    if name.endswith(".onnx"):
        from repogen.inference.onnx import onnx_detector

        return onnx_detector(Path(name), min_score, timeout)

    import torch
    from transformers import AutoImageProcessor, AutoModelForObjectDetection

    folder = _local_folder(name)
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        model, loading = AutoModelForObjectDetection.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **options
        )
        if loading["missing_keys"]:
            raise ValueError(f"it lacks weights: {min(loading['missing_keys'])}, …")
        # The other backend needs torchvision.
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil", **options)
    except Exception as error:  # transformers' errors have no common class
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"--detector {name} cannot be loaded: {reason[:200]}") from error
    labels = model.config.id2label
    persons = [number for number, label in labels.items() if person_name(label)]
    if not persons:
        known = ", ".join(str(label) for label in list(labels.values())[:5])
        raise UserError(f"--detector {name} has no class named person (it has {known}, …)")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device).float().eval()  # some are kept in half precision

    def detect(frame: Frame) -> ScoredBoxes:
        image = cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)
        with torch.inference_mode():
            outputs = model(**processor(images=image, return_tensors="pt").to(device))
        (found,) = processor.post_process_object_detection(
            outputs, threshold=min_score, target_sizes=[image.shape[:2]]
        )
        corners, scores, classes = (found[k].cpu().numpy() for k in ("boxes", "scores", "labels"))
        boxes = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2], scores])
        return boxes[np.isin(classes, persons)].astype(float)

    return detect


def _local_folder(name: str) -> str:
    if Path(name).is_dir():
        return name
    return str(hub_folder(name, f"--detector {name} is not a folder"))
