"""People before your own camera: a calibration of OpenCV, hanging 2.8 m up and looking down."""

import json
from pathlib import Path

import repogen

if __name__ == "__main__":
    calibration = {
        "image_width": 640, "image_height": 400,
        "camera_matrix": [[310.0, 0, 322.4], [0, 311.0, 196.8], [0, 0, 1]],
        "distortion_coefficients": [-0.28, 0.09, 0.0004, -0.0008, 0.0],
    }  # fmt: skip
    Path("camera.json").write_text(json.dumps(calibration))
    repogen.generate(
        "own-camera", images=4, camera="camera.json", camera_mount=(2.8, 40, 0), people=(1, 3)
    )
    print(repogen.preview("own-camera"))
