"""Stiff knees: joint bounds of your own, from a TOML file."""

from pathlib import Path

import repogen

if __name__ == "__main__":  # worker processes import this file
    Path("bounds.toml").write_text("[left_knee]\nx = [0, 20]\n[right_knee]\nx = [0, 20]\n")
    folder = repogen.generate(
        "stiff-knees",
        images=12,
        image_size=256,
        views="front",
        bounds="bounds.toml",
        pose_variance=0.7,
    )
    print(repogen.preview(folder, columns=4))
