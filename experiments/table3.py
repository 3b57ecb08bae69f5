"""Table 3: how many synthetic images."""

import tyro
from engine import Arm, Experiment, run

PUBLISHED = {0: (47.5, 75.2), 500: (54.1, 86.1), 1000: (59.1, 89.0), 3000: (61.8, 90.5),
             5000: (58.8, 86.1)}  # fmt: skip

ARMS = tuple(
    Arm(
        f"{count} images",
        {"preset": "paper-bottom", "images": count} if count else None,
        published=dict(zip(("bottom", "bottom-seq"), published, strict=True)),
        # Known for 1,000 images; 500 are taken alike.
        recipe="repogen-500" if count in (500, 1000) else "repogen",
    )
    for count, published in PUBLISHED.items()
)

if __name__ == "__main__":
    run(tyro.cli(Experiment, description=__doc__), "table3", ARMS)
