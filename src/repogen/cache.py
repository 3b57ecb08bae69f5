"""The folder of files that are computed once per machine."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """The folder of computed files: `REPOGEN_CACHE`, by default `~/.cache/repogen`."""
    return Path(os.environ.get("REPOGEN_CACHE", Path.home() / ".cache" / "repogen"))
