"""A small dataset that pycocotools reads."""

from pycocotools.coco import COCO

import repogen

if __name__ == "__main__":  # worker processes import this file
    folder = repogen.generate(
        "rare-views", images=24, views=("top=0.5", "bottom=0.5"), image_size=256, seed=1
    )
    coco = COCO(str(folder / "annotations" / "person_keypoints.json"))
    print(len(coco.imgs), "images,", len(coco.anns), "people;", repogen.preview(folder))
