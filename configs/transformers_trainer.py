"""transformers' Trainer: a ViTPose on crops of people of repogen.

    python configs/transformers_trainer.py people --out run

`people` is a dataset's folder, or ANNOTATIONS.json:IMAGES_DIR. --model names a folder of ViTPose's
weights, or a model of the Hub; without it, a small network starts from random weights. Needs the
extra `train`.
"""

import argparse

import torch
from torch import Tensor
from transformers import (
    Trainer,
    TrainingArguments,
    VitPoseBackboneConfig,
    VitPoseConfig,
    VitPoseForPoseEstimation,
)

from repogen.torch import Augmentation, PoseDataset

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STRIDE, SIGMA = 4, 1.5  # crop pixels per heatmap pixel; of a joint's Gaussian, in heatmap pixels
NEAR = 0.1  # of the crop's height: how far off a joint counts as found


def small_vitpose() -> VitPoseForPoseEstimation:
    """A ViTPose of 0.9 million random weights, for crops of 96 x 128 pixels."""
    backbone = VitPoseBackboneConfig(
        image_size=[128, 96], hidden_size=128, num_hidden_layers=4, num_attention_heads=4,
        out_indices=[4],
    )  # fmt: skip
    return VitPoseForPoseEstimation(
        VitPoseConfig(backbone_config=backbone, use_simple_decoder=True, num_labels=17)
    )


def collate(items: list[dict]) -> dict[str, Tensor]:
    """A batch as the network and the loss take it."""
    pixels = torch.stack([item["image"] for item in items]) / 255
    pixels = (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    return {
        "pixel_values": pixels,
        "labels": torch.stack([item["keypoints"] for item in items]),
    }


class PoseTrainer(Trainer):
    """A Trainer whose loss is the cross-entropy of each heatmap, as a distribution over its pixels,
    and a Gaussian around the labelled joint."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        heatmaps = model(**inputs).heatmaps
        wanted = gaussians(labels, heatmaps.shape[2:]).flatten(2)
        wanted = wanted / wanted.sum(dim=2, keepdim=True).clamp(min=1e-6)
        entropy = -(wanted * heatmaps.flatten(2).log_softmax(dim=2)).sum(dim=2)
        loss = entropy[labels[..., 2] > 0].mean()
        return (loss, (loss, heatmaps)) if return_outputs else loss


def gaussians(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Heatmaps with a Gaussian around each joint."""
    y, x = (
        torch.exp(-((torch.arange(n).to(labels) - at[..., None] / STRIDE).square()) / 2 / SIGMA**2)
        for n, at in zip(size, (labels[..., 1], labels[..., 0]), strict=True)
    )
    return y[..., :, None] * x[..., None, :]


def share_found(answers: tuple) -> dict[str, float]:
    """The share of labelled joints whose highest heatmap pixel is near the label."""
    heatmaps, labels = map(torch.from_numpy, answers)
    height, width = heatmaps.shape[2:]
    best = heatmaps.flatten(2).argmax(dim=2)
    found = torch.stack([best % width, best // width], dim=2) * STRIDE
    near = (found - labels[..., :2]).norm(dim=2) < NEAR * height * STRIDE
    return {"found": near[labels[..., 2] > 0].float().mean().item()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--model")
    parser.add_argument("--out", default="run")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    model = (
        VitPoseForPoseEstimation.from_pretrained(options.model)
        if options.model
        else small_vitpose()
    )
    height, width = model.config.backbone_config.image_size
    random = Augmentation(crop=(width, height), rotation=30, half_body=0)
    plain = Augmentation(
        crop=(width, height), flip=0, half_body=0, scale=0, rotated=0, jitter=0, degrade=False
    )
    trainer = PoseTrainer(
        model,
        TrainingArguments(
            options.out, num_train_epochs=options.epochs, per_device_train_batch_size=10,
            learning_rate=1e-3, lr_scheduler_type="cosine", warmup_steps=20, seed=options.seed,
            label_names=["labels"], remove_unused_columns=False, save_strategy="no",
            logging_strategy="epoch", report_to="none", disable_tqdm=True,
        ),
        data_collator=collate,
        train_dataset=PoseDataset(options.data, crop=random, seed=options.seed),
        eval_dataset=PoseDataset(options.data, crop=plain),
        compute_metrics=share_found,
    )  # fmt: skip
    before = trainer.evaluate()
    trainer.train()
    trainer.save_model()
    after = trainer.evaluate()
    print(f"{len(trainer.eval_dataset)} people; before and after {options.epochs} epochs:")
    for name in ("loss", "found"):
        print(f"{name}: {before[f'eval_{name}']:.3f} {after[f'eval_{name}']:.3f}")


if __name__ == "__main__":
    main()
