"""An object detector of transformers as a finder of people."""

from pathlib import Path

import cv2
import numpy as np

from repogen.errors import UserError
from repogen.inference.boxes import PersonDetector, ScoredBoxes
from repogen.inference.frames import Frame


def load_detector(name: str, least: float, device: str | None = None) -> PersonDetector:
    """The finder of persons that score at least `least`, from a folder of transformers or the
    model of that name on the Hugging Face hub.

    Any architecture of its object detection will do; only safetensors are fetched and read.
    Raises `UserError` for what cannot be had or read, and where no class is named person.
    """
    import torch
    from transformers import AutoImageProcessor, AutoModelForObjectDetection

    folder = _local_folder(name)
    where = {"local_files_only": True, "trust_remote_code": False}
    try:
        model, told = AutoModelForObjectDetection.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **where
        )
        if told["missing_keys"]:
            raise ValueError(f"it lacks weights: {min(told['missing_keys'])}, …")
        # The other backend needs torchvision.
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil", **where)
    except Exception as error:  # transformers' errors have no common class
        said = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"--detector {name} cannot be loaded: {said[:200]}") from error
    labels = model.config.id2label
    persons = [number for number, label in labels.items() if str(label).lower() == "person"]
    if not persons:
        known = ", ".join(str(label) for label in list(labels.values())[:5])
        raise UserError(f"--detector {name} has no class named person (it has {known}, …)")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device).float().eval()  # some are kept in half precision

    def find(frame: Frame) -> ScoredBoxes:
        picture = cv2.cvtColor(frame.picture, cv2.COLOR_BGR2RGB)
        with torch.inference_mode():
            seen = model(**processor(images=picture, return_tensors="pt").to(device))
        (found,) = processor.post_process_object_detection(
            seen, threshold=least, target_sizes=[picture.shape[:2]]
        )
        corners, scores, kinds = (found[k].cpu().numpy() for k in ("boxes", "scores", "labels"))
        boxes = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2], scores])
        return boxes[np.isin(kinds, persons)].astype(float)

    return find


def _local_folder(name: str) -> str:
    if Path(name).is_dir():
        return name
    from huggingface_hub import snapshot_download

    try:
        return snapshot_download(name, allow_patterns=["*.json", "*.safetensors"])
    except Exception as error:  # so many kinds: no network, no such name, no licence accepted
        raise UserError(
            f"--detector {name} is no folder, and cannot be fetched from the Hugging Face hub "
            f"({type(error).__name__}); give the folder of a detector"
        ) from error
