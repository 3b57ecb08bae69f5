"""Stiff knees and free elbows: joint bounds from a TOML file."""

from pathlib import Path

import repogen

if __name__ == "__main__":  # worker processes import this file
    Path("bounds.toml").write_text("[left_knee]\nx = [0, 20]\n[right_knee]\nx = [0, 20]\n")
    config = repogen.GenerateConfig(
        images=12, image_size=256, views=("front",), bounds=Path("bounds.toml"), pose_variance=0.7
    )
    print(repogen.preview(repogen.generate("stiff-knees", config), columns=4))
