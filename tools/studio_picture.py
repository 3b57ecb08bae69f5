"""Make the picture of the studio in the documents: docs/studio.jpg. Needs chromium.

python tools/studio_picture.py docs/studio.jpg
"""

import argparse
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "studio"))

from chromium import Chromium  # noqa: E402

OPTIONS = """
seed = 12

[camera]
views = ["front"]
azimuth = [-42.0, -42.0]
elevation = [24.0, 24.0]
roll = [-6.0, -6.0]
distance = [2.2, 2.2]
person_share = [0.85, 0.85]

[pose]
pose = "cartwheel"

[people]
ground = "floor"

[environment]
backgrounds = "outdoors"
"""
WIDTH, HEIGHT = 1400, 790


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "options.toml").write_text(OPTIONS)
        words = ["studio", "options.toml", "--port", "0", "--weights", "lightning"]
        studio = subprocess.Popen(
            [sys.executable, "-m", "repogen", *words], cwd=root, stdout=subprocess.PIPE, text=True
        )
        assert studio.stdout is not None
        found = re.search(r"http\S+", studio.stdout.readline())
        assert found is not None, "repogen studio did not start"
        browser = Chromium(root / "profile", WIDTH, HEIGHT)
        try:
            tab = browser.open(found[0])
            tab.wait("document.body.innerText.includes('joints visible')")
            time.sleep(5)
            tab.close_notices()
            time.sleep(2)
            tab.screenshot(root / "page.png")
        finally:
            browser.close()
            studio.send_signal(signal.SIGINT)
            studio.wait(timeout=30)
        picture = cv2.imread(str(root / "page.png"))
        assert picture is not None
        cv2.imwrite(str(out), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
