"""Detectron2: fine-tune Keypoint R-CNN on people of repogen, and score it on the same people.

    python configs/detectron2_keypoints.py people-coco --out run

`people-coco` is a folder of `repogen convert people people-coco --to coco`. Detectron2 adds 0.5 to
keypoints itself, so the converted file is right, and a dataset of `generate` would be off by 0.5.
"""

import argparse
from pathlib import Path

NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
FLIPS = [(name, name.replace("left", "right")) for name in NAMES if name.startswith("left")]
MODEL = "COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x.yaml"

OPTIONS = {
    "DATASETS.TRAIN": ("people",),
    "DATASETS.TEST": ("people",),
    "DATALOADER.NUM_WORKERS": 2,
    "MODEL.ROI_HEADS.NUM_CLASSES": 1,
    "MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS": len(NAMES),
    "INPUT.MIN_SIZE_TRAIN": (256, 320, 384),
    "INPUT.MIN_SIZE_TEST": 320,
    "SOLVER.IMS_PER_BATCH": 8,
    "SOLVER.BASE_LR": 0.005,
    "SOLVER.MAX_ITER": 250,
    "SOLVER.STEPS": (200,),
    "TEST.EVAL_PERIOD": 250,
}


def main() -> None:
    from detectron2 import model_zoo
    from detectron2.config import get_cfg
    from detectron2.data import MetadataCatalog
    from detectron2.data.datasets import register_coco_instances
    from detectron2.engine import DefaultTrainer
    from detectron2.evaluation import COCOEvaluator

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("people", type=Path)
    parser.add_argument("--out", type=Path, default=Path("run"))
    options = parser.parse_args()

    labels = options.people / "annotations" / "person_keypoints.json"
    register_coco_instances("people", {}, str(labels), str(options.people / "images"))
    MetadataCatalog.get("people").keypoint_names = list(NAMES)
    MetadataCatalog.get("people").keypoint_flip_map = FLIPS

    class Trainer(DefaultTrainer):
        @classmethod
        def build_evaluator(cls, cfg, dataset_name, output_folder=None):
            return COCOEvaluator(dataset_name, output_dir=output_folder or cfg.OUTPUT_DIR)

    cfg = get_cfg()
    cfg.merge_from_file(model_zoo.get_config_file(MODEL))
    cfg.merge_from_list([part for option in OPTIONS.items() for part in option])
    cfg.MODEL.WEIGHTS = model_zoo.get_checkpoint_url(MODEL)
    cfg.OUTPUT_DIR = str(options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(cfg)
    trainer.resume_or_load(resume=False)
    trainer.train()


if __name__ == "__main__":
    main()
