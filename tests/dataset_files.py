"""What datasets consist of, for tests that compare them byte for byte."""

from pathlib import Path


def contents(root: Path) -> dict[str, bytes]:
    """Bytes of every file but run.json, which says how many workers there were."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }
