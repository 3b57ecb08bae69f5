"""COCO keypoint data: annotation files, masks, OKS and person crops."""
