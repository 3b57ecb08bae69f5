"""Makes images whenever it reads a line of their indices (JSON), and answers with a line of the CPU
milliseconds of an image and the peak memory of this process in MB. `against.py` starts it, with
the package of one commit or another.

    echo "[$(seq -s , 0 119)]" | python benchmarks/make_images.py \\
        '{"preset": "rare-views", "options": {}, "images": 120}'
"""

import json
import os
import resource
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the workers

import cv2

from repogen import GenerateConfig
from repogen.config import merged
from repogen.generation.config import PRESETS
from repogen.generation.worker import SampleMaker


def main() -> None:
    case = json.loads(sys.argv[1])
    preset = PRESETS[case["preset"]] if case["preset"] else {}
    options = merged(preset, case["options"]) | {"images": case["images"]}
    cv2.setNumThreads(1)
    maker = SampleMaker(GenerateConfig(**options))
    for line in sys.stdin:
        indices = json.loads(line)
        started = time.process_time()
        for index in indices:
            maker.make(index)
        spent = 1000 * (time.process_time() - started) / len(indices)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([spent, peak]), flush=True)


if __name__ == "__main__":
    main()
