"""mmpose: fine-tune a ResNet-50 on people of repogen, and score it on the same people.

people-coco is a folder of `repogen convert people people-coco --to coco`. Put COCO's weights of
this model into `load_from`. Start it with mmpose's own tools/train.py.
"""

_base_ = "mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_res50_8xb64-210e_coco-256x192.py"

data_root = "people-coco/"
annotations = "annotations/person_keypoints.json"
load_from = None

train_cfg = {"max_epochs": 20, "val_interval": 20}
optim_wrapper = {"optimizer": {"lr": 5e-4}}
param_scheduler = [
    {"type": "CosineAnnealingLR", "begin": 0, "end": 20, "T_max": 20, "by_epoch": True}
]
default_hooks = {"logger": {"interval": 5}}

people = {"data_root": data_root, "ann_file": annotations, "data_prefix": {"img": "images/"}}
train_dataloader = {"batch_size": 16, "dataset": people}
# Boxes are the labels' own: what `repogen convert` writes has no detector's.
val_dataloader = {"dataset": people | {"bbox_file": None}}
test_dataloader = val_dataloader
val_evaluator = {"ann_file": data_root + annotations}
test_evaluator = val_evaluator
