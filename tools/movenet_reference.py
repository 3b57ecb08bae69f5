"""Writes tests/models/movenet_reference.npz: what the original MoveNet, run by TensorFlow.js, finds
in the pictures of tests/movenet_pictures.py.

    npm i @tensorflow/tfjs-core@4 @tensorflow/tfjs-converter@4 @tensorflow/tfjs-backend-wasm@4
    python tools/movenet_reference.py package       # in the folder of node_modules

`package` is the unpacked npm package of tools/build_movenet.py.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from movenet_pictures import person, two_people  # noqa: E402

PICTURES = 50
SHAPES = {"lightning": (192, 192), "thunder": (256, 256), "multipose": (192, 320)}


def main() -> None:
    package = Path(sys.argv[1])
    outputs = {}
    for name, (height, width) in SHAPES.items():
        pictures = np.stack(
            [
                two_people(seed, height, width) if name == "multipose" else person(seed, height)
                for seed in range(PICTURES)
            ]
        )
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "pictures"), Path(folder, "outputs")
            pictures.tofile(source)
            script = ROOT / "tools" / "movenet_reference.mjs"
            model = package / "models" / f"movenet-{name}.json"
            words = ["node", script, model, height, width, source, target]
            subprocess.run([str(word) for word in words], check=True)
            shape = (-1, 6, 56) if name == "multipose" else (-1, 17, 3)
            outputs[name] = np.fromfile(target, np.float32).reshape(shape)
    np.savez_compressed(ROOT / "tests" / "models" / "movenet_reference.npz", **outputs)


if __name__ == "__main__":
    main()
